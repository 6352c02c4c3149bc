"""The seven criteria of `core.diagnosis.seven_points`, drawn on a phantom: to practise on, never to judge by.

Each drawing is a function `(image, lesion_mask, rng) -> image` on (H, W, 3) uint8 RGB. They are schematic: they
show where to look and what makes a structure irregular, not every way in which it looks.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import cv2
import numpy as np

from core.phantoms.artefacts import REFERENCE_SIDE_PX, smooth_noise
from core.phantoms.lesions import Phantom, PhantomSpec, draw_phantom

Drawing = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
_BASE = PhantomSpec("very light", 0.32, 0.3, 0.2, ("light brown", "dark brown"), "structureless", 6.0)
_DARK, _NET, _RED = (52, 30, 28), (74, 42, 34), (168, 42, 56)
_BLUE, _HAZE, _SCAR = (88, 98, 138), (176, 182, 204), (232, 208, 208)
_FINE = 4  # fractional bits of OpenCV's coordinates


def draw_criteria(seed: int, codes: Collection[str], size_px: tuple[int, int] = (450, 600)) -> Phantom:
    """A drawn lesion that shows these criteria; the same arguments give the same pixels.

    Args:
        seed: of the lesion and of every drawing.
        codes: of `DRAWINGS`; drawn in the order of that table, large areas first.
        size_px: (height, width).

    Raises:
        ValueError: an unknown code.
    """
    if unknown := set(codes) - set(DRAWINGS):
        raise ValueError(f"`codes` must be of {', '.join(DRAWINGS)}; got {', '.join(sorted(unknown))}.")
    phantom = draw_phantom(seed, size_px=size_px, spec=_BASE)
    image = phantom.image
    for number, (code, drawing) in enumerate(DRAWINGS.items()):
        if code in codes:
            image = drawing(image, phantom.lesion_mask, np.random.default_rng((seed, number)))
    return replace(phantom, image=image)


def draw_blotches(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A dark structureless area off the middle."""
    return _paint(image, _patch(mask, rng, off_centre=0.55, size=0.5), _DARK, 0.85)


def draw_regression(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A white area like a scar with blue-grey peppering beside it."""
    patch = _patch(mask, rng, off_centre=0.45, size=0.55)
    pale = _paint(image, patch, _SCAR, 0.8)
    points = _scatter(
        cv2.dilate((patch > 0.4).astype(np.uint8), np.ones((25, 25))).astype(bool) & mask, rng, 90
    )
    return _paint(pale, _discs(mask.shape, points, rng.uniform(1.0, 2.2, len(points))), _BLUE, 0.75)


def draw_veil(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A blue area under a white haze, over part of the lesion."""
    patch = _patch(mask, rng, off_centre=0.3, size=0.6)
    return _paint(_paint(image, patch, _BLUE, 0.8), patch**2, _HAZE, 0.35)


def draw_network(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A net of thick lines with irregular meshes that ends abruptly."""
    scale = _scale(mask)
    height, width = mask.shape
    mesh = cv2.Subdiv2D((-width, -height, 3 * width, 3 * height))
    step = 21 * scale
    for y in np.arange(0, height, step):
        for x in np.arange(0, width, step):
            mesh.insert(tuple(float(v) for v in (x, y) + rng.uniform(-0.45, 0.45, 2) * step))
    cover = np.zeros(mask.shape, np.float32)
    for facet in mesh.getVoronoiFacetList([])[0]:
        _line(cover, np.vstack([facet, facet[:1]]), rng.uniform(1.0, 4.5) * scale)
    inside = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 4 * scale)
    part = smooth_noise(rng, mask.shape, 110 * scale) > -0.5
    return _paint(image, cover * inside * part, _NET, 0.65)


def draw_globules(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dark globules of many sizes, crowded on one side."""
    side, _ = _sides(mask, rng)
    points = _scatter(mask & (side > -0.1), rng, 34)
    return _paint(image, _discs(mask.shape, points, rng.uniform(2, 8.5, len(points))), _DARK, 0.9)


def draw_vessels(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Winding red lines of uneven width, and red dots."""
    scale = _scale(mask)
    cover = _discs(mask.shape, _scatter(mask, rng, 22), np.full(22, 2.4))
    for start in _scatter(mask, rng, 11):
        turns = rng.normal(0, 0.55, 26).cumsum() + rng.uniform(0, 2 * np.pi)
        steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * 3.4 * scale
        _line(cover, start + steps.cumsum(axis=0), rng.uniform(1.6, 3.0) * scale)
    return _paint(image, cover * mask, _RED, 0.9)


def draw_streaks(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Projections with thick ends over a third of the border."""
    scale = _scale(mask)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    edge = max(contours, key=len)[:, 0].astype(np.float64)
    middle = edge.mean(axis=0)
    cover = np.zeros(mask.shape, np.float32)
    first = rng.integers(len(edge))
    for place in np.linspace(0, len(edge) / 3, 13):
        point = edge[(first + int(place)) % len(edge)]
        outward = (point - middle) / np.linalg.norm(point - middle)
        end = point + outward * rng.uniform(8, 34) * scale
        _line(cover, np.stack([point - 24 * scale * outward, end]), rng.uniform(4, 7) * scale)
        cover = np.maximum(cover, _discs(mask.shape, [end], [rng.uniform(3, 4.5)]))
    return _paint(image, cover, _NET, 0.8)


DRAWINGS: dict[str, Drawing] = {
    "blotches": draw_blotches,
    "regression": draw_regression,
    "veil": draw_veil,
    "network": draw_network,
    "globules": draw_globules,
    "vessels": draw_vessels,
    "streaks": draw_streaks,
}


# --- helpers: covers are (H, W) float32 in [0, 1], points (x, y), lengths for a 450 px high frame -----
def _scale(mask: np.ndarray) -> float:
    return min(mask.shape) / REFERENCE_SIDE_PX


def _paint(image: np.ndarray, cover: np.ndarray, colour: Sequence[int], opacity: float) -> np.ndarray:
    softened = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), max(0.9 * _scale(cover), 0.3)) * opacity
    return np.rint(image + (np.array(colour) - image) * softened[..., None]).astype(np.uint8)


def _sides(mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two (H, W), from about -1 to 1 along a random direction of the lesion and across it."""
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    rows, columns = np.nonzero(mask)
    angle, radius = rng.uniform(0, 2 * np.pi), np.sqrt(mask.sum() / np.pi)
    x, y = (x - columns.mean()) / radius, (y - rows.mean()) / radius
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _patch(mask: np.ndarray, rng: np.random.Generator, off_centre: float, size: float) -> np.ndarray:
    """A soft, ragged area inside the lesion; `size` and `off_centre` in radii of the lesion."""
    scale = _scale(mask)
    along, across = _sides(mask, rng)
    ragged = 0.16 * smooth_noise(rng, mask.shape, 34 * scale) + 0.08 * smooth_noise(
        rng, mask.shape, 12 * scale
    )
    distance = np.hypot(along - off_centre, 0.75 * across) / size + ragged
    soft = 1 / (1 + np.exp(np.clip((distance - 0.8) * 9, -30, 30)))
    return (soft * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3 * scale)).astype(np.float32)


def _scatter(where: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 2) random points of a bool area."""
    rows, columns = np.nonzero(where)
    chosen = rng.integers(len(rows), size=count)
    return np.stack([columns[chosen], rows[chosen]], axis=1).astype(np.float64)


def _discs(shape: tuple[int, int], points: Sequence, radii: Sequence[float]) -> np.ndarray:
    cover, scale = np.zeros(shape, np.float32), min(shape) / REFERENCE_SIDE_PX
    for point, radius in zip(points, radii, strict=True):
        centre = tuple(int(v * 2**_FINE) for v in point)
        cv2.circle(cover, centre, int(radius * scale * 2**_FINE), 1.0, -1, cv2.LINE_AA, _FINE)
    return cover


def _line(cover: np.ndarray, points: np.ndarray, width_px: float) -> None:
    fixed = np.round(points * 2**_FINE).astype(np.int32)[:, None]
    cv2.polylines(cover, [fixed], False, 1.0, max(round(width_px), 1), cv2.LINE_AA, _FINE)
