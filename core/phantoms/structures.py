"""Drawn examples of dermoscopic structures, to explain the words: no patient's image, and no disease."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from core.phantoms.lesions import PhantomSpec, draw_phantom

SIDE_PX: Final = 180
_SEED: Final = 4
_BROWN: Final = np.array((92, 50, 42), np.float32)
_PALE: Final = np.array((226, 196, 184), np.float32)


def draw_structure(name: str, side_px: int = SIDE_PX) -> np.ndarray:
    """A lesion with one structure drawn plainly, (side_px, side_px, 3) uint8 RGB; always the same picture.

    Raises:
        ValueError: no structure of `core.tables.columns.STRUCTURES` has that name.
    """
    if name not in _LAYERS:
        raise ValueError(f"`name` must be of {', '.join(_LAYERS)}; got {name!r}.")
    texture, colours, layer = _LAYERS[name]
    spec = PhantomSpec("light", 0.31, 0.15, 0.1, colours, texture, 4.0)
    phantom = draw_phantom(_SEED, size_px=(SIDE_PX, SIDE_PX), spec=spec)
    image = phantom.image.astype(np.float32)
    if layer:
        image = layer(image, phantom.lesion_mask)
    drawn = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return (
        drawn if side_px == SIDE_PX else cv2.resize(drawn, (side_px, side_px), interpolation=cv2.INTER_AREA)
    )


def _blend(image: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Lay a colour over an image; `cover` is (H, W) in [0, 1]."""
    return image + cover[..., None] * (colour - image)


def _net(shape: tuple[int, int], spacing_px: float) -> np.ndarray:
    """(H, W) in [0, 1]: the lines of a net with round meshes."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / spacing_px
    # Three waves at 120 degrees are highest at the middles of a hexagonal lattice.
    waves = sum(np.cos(2 * np.pi * (x * np.cos(a) + y * np.sin(a))) for a in np.pi * np.arange(3) / 3)
    return 1 / (1 + np.exp(5 * (waves + 0.6)))


def _soft(mask: np.ndarray, depth_px: float) -> np.ndarray:
    """(H, W) in [0, 1]: 1 inside, falling to 0 at the edge of a bool mask."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip(distance / depth_px, 0, 1)


def _pigment_network(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _blend(image, 0.85 * _net(mask.shape, 16) * _soft(mask, 8), _BROWN)


def _negative_network(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _blend(image, 0.75 * _net(mask.shape, 18) * _soft(mask, 8), _PALE)


def _spots(mask: np.ndarray, count: int, radius_px: tuple[float, float], depth_px: int) -> np.ndarray:
    """(H, W) in [0, 1]: round spots that do not overlap, at least `depth_px` inside the lesion."""
    rng = np.random.default_rng(_SEED)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3)), iterations=depth_px) > 0
    spots = np.zeros(mask.shape, np.float32)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    for _ in range(20 * count):
        row, column = rng.permutation(np.argwhere(inner))[0]
        radius = rng.uniform(*radius_px)
        distance = np.hypot(y - row, x - column)
        if spots[distance < radius + 3].max(initial=0) < 0.1:
            spots = np.maximum(spots, np.clip(radius + 0.5 - distance, 0, 1))
            count -= 1
        if count == 0:
            break
    return spots


def _globules(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _blend(image, 0.75 * _spots(mask, 32, (3.5, 5.5), 5), _BROWN)


def _milia_like_cysts(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    spots = cv2.GaussianBlur(_spots(mask, 14, (2.0, 4.0), 8), (0, 0), 0.9)
    return _blend(image, np.clip(1.1 * spots, 0, 1), np.array((250, 240, 214), np.float32))


def _streaks(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Lines from the border outwards, on one side, as they often are."""
    [contour], _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = contour.reshape(-1, 2).astype(np.float32)
    outwards = points - points.mean(axis=0)
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    lines = np.zeros(mask.shape, np.uint8)
    for start, way in list(zip(points, outwards, strict=True))[:: max(1, len(points) // 26)]:
        if way[0] < -0.25:
            continue
        from_, to = (np.round(start + reach * way).astype(int).tolist() for reach in (-9, 13))
        cv2.line(lines, from_, to, 255, 3, cv2.LINE_AA)
        cv2.circle(lines, to, 3, 255, cv2.FILLED, cv2.LINE_AA)
    return _blend(image, 0.8 * cv2.GaussianBlur(lines, (0, 0), 0.7).astype(np.float32) / 255, _BROWN)


_Layer = Callable[[np.ndarray, np.ndarray], np.ndarray]
# Texture and colours of the lesion below, and what is drawn over it.
_LAYERS: Final[dict[str, tuple[str, tuple[str, ...], _Layer | None]]] = {
    "globules": ("structureless", ("light brown",), _globules),
    "milia_like_cyst": ("structureless", ("dark brown", "light brown"), _milia_like_cysts),
    "negative_network": ("structureless", ("dark brown",), _negative_network),
    "pigment_network": ("structureless", ("light brown",), _pigment_network),
    "streaks": ("structureless", ("dark brown",), _streaks),
}
