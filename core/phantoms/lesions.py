"""Dermoscopic phantoms: skin, a lesion and its exact mask, drawn by numpy and OpenCV.

They replace patients' images, which would need a licence or consent, in the app's samples and in tests of
the whole pipeline. They resemble dermoscopy and their border is known to the pixel, but they show no disease:
a diagnosis of a phantom has no meaning.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from core.phantoms.artefacts import ARTEFACTS, REFERENCE_SIDE_PX
from core.phantoms.layers import (
    RGB,
    TEXTURES,
    draw_contour,
    draw_lesion,
    draw_skin,
    fill_contour,
)

SKIN_TONES: Final[dict[str, RGB]] = {
    "very light": (228, 194, 200),
    "light": (212, 164, 172),
    "pink": (226, 148, 151),
    "medium": (210, 162, 145),
    "tan": (190, 140, 120),
    "brown": (158, 112, 94),
    "dark brown": (116, 79, 66),
}
# The six colours counted in dermoscopy (ABCD rule), as they look through polarised light.
LESION_COLOURS: Final[dict[str, RGB]] = {
    "white": (220, 188, 194),
    "red": (176, 72, 84),
    "light brown": (172, 110, 90),
    "dark brown": (116, 64, 54),
    "blue-grey": (104, 94, 108),
    "black": (40, 25, 29),
}
_NOT_A_PATIENT = "Drawn by Dermalens, not a patient's image."


def _require(argument: str, given: Iterable[str], known: Iterable[str]) -> None:
    unknown = [value for value in given if value not in known]
    if unknown:
        raise ValueError(f"`{argument}` must be of {', '.join(known)}; got {', '.join(unknown)}.")


@dataclass(frozen=True)
class PhantomSpec:
    """What to draw.

    Args:
        skin_tone: a key of `SKIN_TONES`.
        lesion_radius_share: radius of the disc of the lesion's area / shorter side of the image.
        irregularity: 0 (smooth border) to 1 (deeply notched).
        asymmetry: 0 to 1; elongates the shape and moves colours to one side.
        colours: keys of `LESION_COLOURS`; the first covers most of the lesion.
        texture: one of `TEXTURES`.
        edge_px: softness of the border in a 450 px high frame.
        artefacts: keys of `ARTEFACTS`, applied in this order.
    """

    skin_tone: str = "light"
    lesion_radius_share: float = 0.27
    irregularity: float = 0.3
    asymmetry: float = 0.3
    colours: tuple[str, ...] = ("light brown", "dark brown")
    texture: str = "network"
    edge_px: float = 5.0
    artefacts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require("skin_tone", (self.skin_tone,), SKIN_TONES)
        _require("colours", self.colours, LESION_COLOURS)
        _require("texture", (self.texture,), TEXTURES)
        _require("artefacts", self.artefacts, ARTEFACTS)
        if not self.colours:
            raise ValueError("`colours` must name at least one lesion colour; got none.")
        limits = {"lesion_radius_share": (0.05, 0.45), "edge_px": (0.5, 20)}
        limits |= {"irregularity": (0, 1), "asymmetry": (0, 1)}
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"`{name}` must be in [{low}, {high}]; got {getattr(self, name)}.")


@dataclass(frozen=True)
class Phantom:
    """A drawn image, (H, W, 3) uint8 RGB, with its exact `lesion_mask`, (H, W) bool."""

    image: np.ndarray
    lesion_mask: np.ndarray
    name: str
    description: str


@dataclass(frozen=True)
class Sample:
    """A named phantom with a fixed seed, so that everybody sees the same picture."""

    name: str
    seed: int
    spec: PhantomSpec
    description: str


# Their seeds are such that the shipped bundle takes the pictures for dermoscopy and ranks its classes.
# Fields in order: tone, radius share, irregularity, asymmetry, colours, texture, edge_px, artefacts.
SAMPLES: Final[tuple[Sample, ...]] = (
    Sample(
        "Round, mole-like",
        10,
        PhantomSpec("light", 0.24, 0.12, 0.1, ("dark brown", "light brown"), "network", 5.0),
        "A small round lesion with an even border and two browns.",
    ),
    Sample(
        "Irregular, several colours",
        7,
        PhantomSpec(
            "pink", 0.33, 0.85, 0.8, ("dark brown", "light brown", "black", "blue-grey"), "globules", 3.0
        ),
        "A large, asymmetric lesion with a notched border and four colours.",
    ),
    Sample(
        "Under hair",
        2,
        PhantomSpec("medium", 0.28, 0.35, 0.3, ("light brown", "dark brown"), "network", 4.0, ("hair",)),
        "A brown lesion crossed by dark hairs, to see hair removal at work.",
    ),
    Sample(
        "Dark corners and ruler",
        12,
        PhantomSpec(
            "very light",
            0.22,
            0.4,
            0.3,
            ("light brown", "dark brown", "red"),
            "structureless",
            4.0,
            ("dark corners", "ruler"),
        ),
        "A lesion in a round field of view with a printed scale (made up: no millimetres).",
    ),
    Sample(
        "Red, vascular-like",
        8,
        PhantomSpec("very light", 0.25, 0.2, 0.2, ("red", "blue-grey"), "lacunae", 3.0, ("gel bubbles",)),
        "Red and bluish lagoons with pale walls, under gel with air bubbles.",
    ),
    Sample(
        "Darker skin",
        5,
        PhantomSpec("brown", 0.27, 0.45, 0.4, ("dark brown", "black"), "network", 4.0),
        "A dark lesion on brown skin; most public training images show light skin.",
    ),
)


def draw_phantom(
    seed: int, *, size_px: tuple[int, int] = (450, 600), spec: PhantomSpec = PhantomSpec()
) -> Phantom:
    """Draw skin, a lesion and the artefacts of `spec`; the same arguments give the same pixels.

    The mask depends on seed, size and shape only: artefacts, skin and colours leave it as it is.

    Args:
        seed: of every random choice.
        size_px: (height, width), at least 16 each.
        spec: what to draw.

    Raises:
        ValueError: `size_px` is too small.
    """
    if min(size_px) < 16:
        raise ValueError(f"`size_px` must be (height, width) of at least 16 each; got {size_px}.")
    shape_rng, skin_rng, lesion_rng, artefact_rng = np.random.default_rng(seed).spawn(4)
    shape = {"irregularity": spec.irregularity, "asymmetry": spec.asymmetry}
    contour_xy = draw_contour(shape_rng, size_px, radius_share=spec.lesion_radius_share, **shape)
    lesion_mask = fill_contour(contour_xy, size_px)
    density = draw_lesion(
        lesion_rng,
        draw_skin(skin_rng, size_px, SKIN_TONES[spec.skin_tone]),
        lesion_mask,
        colours=[LESION_COLOURS[colour] for colour in spec.colours],
        texture=spec.texture,
        edge_px=spec.edge_px,
        **shape,
    )
    image = _expose(skin_rng, density)
    for artefact in spec.artefacts:
        image = ARTEFACTS[artefact](image, artefact_rng)
    description = f"{_NOT_A_PATIENT} {spec.skin_tone.capitalize()} skin; {', '.join(spec.colours)}."
    return Phantom(image, lesion_mask, f"Phantom {seed}", description)


def draw_sample(name: str, *, size_px: tuple[int, int] = (450, 600)) -> Phantom:
    """Draw one of `SAMPLES` by its name.

    Raises:
        ValueError: there is no such sample.
    """
    _require("name", (name,), [sample.name for sample in SAMPLES])
    sample = next(sample for sample in SAMPLES if sample.name == name)
    drawn = draw_phantom(sample.seed, size_px=size_px, spec=sample.spec)
    return Phantom(drawn.image, drawn.lesion_mask, name, f"{sample.description} {_NOT_A_PATIENT}")


def random_spec(rng: np.random.Generator) -> PhantomSpec:
    """A random but plausible spec: the lesion is darker or redder than its skin and keeps in frame."""
    tone = _pick(rng, dict(zip(SKIN_TONES, (0.15, 0.25, 0.15, 0.23, 0.12, 0.06, 0.04), strict=True)))
    if tone == "dark brown":
        main = "black"
    elif tone in ("tan", "brown"):
        main = _pick(rng, {"dark brown": 0.8, "black": 0.2})
    else:
        main = _pick(rng, {"light brown": 0.5, "dark brown": 0.4, "red": 0.1})
    others = {"dark brown": 4, "black": 2, "blue-grey": 1}
    if tone not in ("tan", "brown", "dark brown"):  # on darker skin these would not stand out
        others |= {"light brown": 3, "red": 1, "white": 0.5}
    colours = [main]
    for _ in range(int(rng.choice(3, p=[0.3, 0.45, 0.25]))):
        colours.append(_pick(rng, {name: w for name, w in others.items() if name not in colours}))
    artefacts = rng.permutation(list(ARTEFACTS))[: rng.choice(3, p=[0.5, 0.35, 0.15])]
    return PhantomSpec(
        skin_tone=tone,
        lesion_radius_share=float(rng.uniform(0.2, 0.36)),
        irregularity=float(rng.uniform(0.05, 0.9)),
        asymmetry=float(rng.uniform(0, 0.9)),
        colours=tuple(colours),
        texture="lacunae" if main == "red" else _pick(rng, {"network": 2, "globules": 1, "structureless": 1}),
        edge_px=float(rng.uniform(3.0, 9.0)),
        artefacts=tuple(str(name) for name in artefacts),
    )


def _pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    share = np.array(list(weights.values()), float)
    return str(rng.choice(list(weights), p=share / share.sum()))


def _expose(rng: np.random.Generator, density: np.ndarray) -> np.ndarray:
    """Optical density to uint8 RGB, with a camera's slight blur and grain."""
    blur_px = max(0.8 * min(density.shape[:2]) / REFERENCE_SIDE_PX, 0.3)
    image = cv2.GaussianBlur(255 * np.exp(-density), (0, 0), blur_px)
    image += 1.6 * rng.standard_normal((*image.shape[:2], 1), dtype=np.float32)
    image += 0.8 * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
