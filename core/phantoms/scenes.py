"""Drawn images without a lesion: documents, textures, bare skin, simple scenes.

The out-of-distribution score must separate them from dermoscopy; no photographs need to be collected to
test it. Drawn with OpenCV and numpy; no photograph is involved. Lengths scale with the shorter side.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from core.phantoms.artefacts import REFERENCE_SIDE_PX, add_hair, smooth_noise
from core.phantoms.layers import draw_skin
from core.phantoms.lesions import SKIN_TONES
from core.phantoms.scene_drawings import (
    Size,
    draw_building,
    draw_chart,
    draw_face,
    draw_form,
    draw_landscape,
    draw_ramp,
    draw_still_life,
    draw_text,
    random_colour,
)

_GRAIN = 2.5  # standard deviation of a camera's noise, in grey levels


def draw_scene(kind: str, seed: int, size_px: Size = (450, 600)) -> np.ndarray:
    """Draw one picture; the same arguments give the same pixels.

    Args:
        kind: a key of `SCENES`.
        seed: of every random choice.
        size_px: (height, width), at least 32 each.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: unknown kind or a size too small.
    """
    if kind not in SCENES:
        raise ValueError(f"`kind` must be one of {', '.join(SCENES)}; got {kind!r}.")
    if min(size_px) < 32:
        raise ValueError(f"`size_px` must be (height, width) of at least 32 each; got {size_px}.")
    rng = np.random.default_rng([seed, list(SCENES).index(kind)])
    image = SCENES[kind](rng, size_px).astype(np.float32)
    image += _GRAIN * rng.standard_normal((*size_px, 1), dtype=np.float32)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


# --- textures ---------------------------------------------------------------------------------------
def _draw_stripes(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """Straight or wavy stripes of two colours."""
    phase, period = draw_ramp(rng, size_px), rng.uniform(0.02, 0.15)
    phase = phase / period + rng.uniform(0, 0.6) * smooth_noise(rng, size_px, 0.3 * min(size_px))
    wave = np.sin(2 * np.pi * phase)
    return _mix(rng, np.where(wave > 0, 1.0, 0.0) if rng.random() < 0.5 else 0.5 + 0.5 * wave)


def _draw_checkers(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """A chequered floor, turned by a random angle."""
    y, x = np.mgrid[: size_px[0], : size_px[1]].astype(np.float32)
    angle, cell_px = rng.uniform(0, np.pi / 2), rng.uniform(0.03, 0.15) * min(size_px)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return _mix(rng, (np.floor(u / cell_px) + np.floor(v / cell_px)) % 2)


def _draw_bricks(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """A wall: offset rows of bricks, each of a slightly different shade."""
    row_px = rng.uniform(0.06, 0.14) * size_px[0]
    brick_px, joint_px = 2.4 * row_px, max(1.0, 0.1 * row_px)
    y, x = np.mgrid[: size_px[0], : size_px[1]].astype(np.float32)
    row = np.floor(y / row_px).astype(int)
    x = x + 0.5 * brick_px * (row % 2)
    shade = rng.normal(1, 0.12, (row.max() + 1, int(x.max() / brick_px) + 1))
    shade = shade[row, np.floor(x / brick_px).astype(int)] + 0.05 * smooth_noise(rng, size_px, 2)
    joint = (y % row_px < joint_px) | (x % brick_px < joint_px)
    return np.where(
        joint[..., None], random_colour(rng, 150, 220), shade[..., None] * random_colour(rng, 60, 190)
    )


def _draw_dots(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """Fabric: a grid of round dots."""
    cell_px = rng.uniform(0.05, 0.16) * min(size_px)
    y, x = np.mgrid[: size_px[0], : size_px[1]].astype(np.float32) % cell_px - cell_px / 2
    return _mix(rng, (np.hypot(x, y) < rng.uniform(0.2, 0.42) * cell_px).astype(np.float32))


def _draw_noise(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """White noise or clouds of one random grain, in colour."""
    cell_px = rng.choice([1.0, 4.0, 16.0, 60.0]) * min(size_px) / REFERENCE_SIDE_PX
    layers = np.stack([smooth_noise(rng, size_px, cell_px) for _ in range(3)], axis=-1)
    return rng.uniform(90, 170) + rng.uniform(20, 60) * layers


def _draw_wood(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """Planks: stretched noise along the grain."""
    grain = cv2.resize(smooth_noise(rng, (size_px[0], max(size_px[1] // 20, 8)), 5), size_px[::-1])
    rings = np.sin(8 * smooth_noise(rng, size_px, 0.5 * min(size_px)) + 3 * grain)
    base = np.array([165, 115, 70]) * rng.uniform(0.6, 1.3)
    return base * (1 + 0.12 * grain + 0.1 * rings)[..., None]


# --- surfaces without a lesion ----------------------------------------------------------------------
def _draw_bare_skin(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """Skin of a random tone with nothing on it, sometimes with hairs."""
    tone = list(SKIN_TONES.values())[rng.integers(len(SKIN_TONES))]
    skin = np.clip(255 * np.exp(-draw_skin(rng, size_px, tone)), 0, 255).astype(np.uint8)
    return add_hair(skin, rng) if rng.random() < 0.3 else skin


def _draw_gradient(rng: np.random.Generator, size_px: Size) -> np.ndarray:
    """One colour fading into another, or (one in four) an even surface."""
    return _mix(rng, np.full(size_px, 0.5) if rng.random() < 0.25 else draw_ramp(rng, size_px))


SCENES: Final[dict[str, Callable[[np.random.Generator, Size], np.ndarray]]] = {
    "text": draw_text,
    "form": draw_form,
    "chart": draw_chart,
    "stripes": _draw_stripes,
    "checkers": _draw_checkers,
    "bricks": _draw_bricks,
    "dots": _draw_dots,
    "noise": _draw_noise,
    "wood": _draw_wood,
    "bare skin": _draw_bare_skin,
    "gradient": _draw_gradient,
    "landscape": draw_landscape,
    "building": draw_building,
    "still life": draw_still_life,
    "face": draw_face,
}


# --- shared part -----------------------------------------------------------------------------------
def _mix(rng: np.random.Generator, share: np.ndarray) -> np.ndarray:
    """(H, W, 3): two random colours mixed by `share` in [0, 1]."""
    return (
        np.array(random_colour(rng)) * (1 - share[..., None])
        + np.array(random_colour(rng)) * share[..., None]
    )
