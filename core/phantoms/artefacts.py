"""Drawn artefacts: hair, dark corners, ruler marks, gel bubbles, ink.

Each artefact is a pure function `(image, rng) -> image` on (H, W, 3) uint8 RGB of any size; the input
is left as it is. Lengths are given for a 450 px high frame and scale with the shorter side. Drawn
from scratch for phantoms and for tests of hair removal and quality checks: no photograph is involved.
"""

from collections.abc import Callable

import cv2
import numpy as np

REFERENCE_SIDE_PX = 450
_SUBPIXEL_BITS = 4  # cv2 takes fixed-point coordinates: 1/16 px keeps fine lines smooth

Artefact = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def smooth_noise(rng: np.random.Generator, size_px: tuple[int, int], cell_px: float) -> np.ndarray:
    """(H, W) float32 noise, mean 0 and deviation 1, whose blobs are about `cell_px` across."""
    height, width = size_px
    cell_px = max(cell_px, 1.0)
    rows, columns = int(np.ceil(height / cell_px)) + 3, int(np.ceil(width / cell_px)) + 3
    grid = rng.standard_normal((rows, columns), dtype=np.float32)
    full_size = (round(columns * cell_px), round(rows * cell_px))
    noise = cv2.resize(grid, full_size, interpolation=cv2.INTER_CUBIC)
    # The outermost cells of a cubic resize are flat: crop them away.
    top, left = (full_size[1] - height) // 2, (full_size[0] - width) // 2
    noise = noise[top : top + height, left : left + width]
    return (noise - noise.mean()) / max(float(noise.std()), 1e-6)


def add_hair(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay some dark, thin, gently curved hairs with a common direction across the image."""
    scale = _scale(image)
    height, width = image.shape[:2]
    direction = rng.uniform(0, np.pi)
    result = image.astype(np.float32)
    for _ in range(int(rng.integers(12, 22))):
        middle = rng.uniform((0, 0), (width, height))
        length = rng.uniform(140, 480) * scale
        angle = direction + rng.normal(0, 0.35) + np.linspace(-0.5, 0.5, 40) * rng.normal(0, 0.9)
        steps = np.stack([np.cos(angle), np.sin(angle)], axis=1) * length / 40
        line = np.cumsum(steps, axis=0)
        cover = _stroke(image, middle + line - line[20], rng.uniform(1.0, 2.3) * scale)
        colour = np.array([62, 42, 36], np.float32) * rng.uniform(0.5, 1.2)
        hit = cover > 0  # few pixels: blending the whole frame for each hair would be slow
        result[hit] += (colour - result[hit]) * (cover[hit] * rng.uniform(0.6, 0.92))[:, None]
    return _to_uint8(result)


def add_vignette(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blacken the corners outside the round field of view of a contact dermatoscope."""
    _scale(image)  # refuses what is not an image; the circle itself scales with the frame
    height, width = image.shape[:2]
    half_diagonal = np.hypot(height, width) / 2
    centre = np.array([width, height]) / 2 + rng.normal(0, 0.015, 2) * half_diagonal
    radius = rng.uniform(0.80, 0.88) * half_diagonal
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = np.hypot(x + 0.5 - centre[0], y + 0.5 - centre[1])
    outside = 1 / (1 + np.exp(np.clip((radius - distance) / (0.008 * half_diagonal), -30, 30)))
    shaded = image * (1 - 0.45 * np.clip(distance / radius, 0, 1) ** 6)[..., None]
    return _to_uint8(_blend(shaded, np.array([17, 12, 19], np.float32), outside))


def add_ruler(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Print a row of black scale ticks with numbers along the upper or the lower edge.

    The spacing is made up: no size in millimetres can be read from a phantom.
    """
    scale = _scale(image)
    height, width = image.shape[:2]
    inward = 1 if rng.random() < 0.5 else -1  # ticks grow down from the upper edge or up from the lower
    base = rng.uniform(10, 22) * scale if inward > 0 else height - rng.uniform(10, 22) * scale
    spacing, tilt = rng.uniform(11, 15) * scale, rng.normal(0, 0.012)
    left, right = rng.uniform(0.04, 0.2) * width, rng.uniform(0.75, 0.96) * width
    cover = _stroke(image, np.array([[left, base], [right, base + tilt * (right - left)]]), 1.6 * scale)
    for index, x in enumerate(np.arange(left, right, max(spacing, 1.0))):
        y = base + tilt * (x - left)
        length = (20 if index % 10 == 0 else 14 if index % 5 == 0 else 9) * scale
        tick = np.array([[x, y], [x - inward * tilt * length, y + inward * length]])
        cover = np.maximum(cover, _stroke(image, tick, 1.6 * scale))
        if index and index % 10 == 0:
            digit = np.zeros(image.shape[:2], np.uint8)
            origin = (round(x + 4 * scale), round(y + (22 if inward > 0 else -12) * scale))
            cv2.putText(
                digit, str(index // 10), origin, cv2.FONT_HERSHEY_SIMPLEX, 0.42 * scale, 255, 1, cv2.LINE_AA
            )
            cover = np.maximum(cover, digit.astype(np.float32) / 255)
    return _to_uint8(_blend(image.astype(np.float32), np.array([28, 24, 27], np.float32), cover * 0.9))


def add_gel_bubbles(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scatter air bubbles of the contact gel: a dark rim, a pale inside and a bright reflection."""
    scale = _scale(image)
    height, width = image.shape[:2]
    result = image.astype(np.float32)
    for _ in range(int(rng.integers(8, 16))):
        centre = rng.uniform((0, 0), (width, height))
        radius = max(rng.gamma(3.0, 4.0) * scale + 4 * scale, 0.75)
        reach = 1.4 * radius + 4 * scale + 2
        left, top = np.maximum(centre - reach, 0).astype(int)
        right, bottom = np.minimum(centre + reach, (width, height)).astype(int)
        window = np.s_[top:bottom, left:right]
        y, x = np.mgrid[window].astype(np.float32) + 0.5
        distance = np.hypot(x - centre[0], y - centre[1])
        rim = np.exp(-(((distance - radius) / (0.09 * radius + 0.8 * scale)) ** 2))
        inside = 1 / (1 + np.exp(np.clip((distance - radius) / max(0.6 * scale, 0.2), -30, 30)))
        glint = np.hypot(x - centre[0] + 0.385 * radius, y - centre[1] + 0.385 * radius)
        bubble = result[window] * (1 - 0.38 * rim)[..., None]
        bubble = _blend(bubble, np.array([250, 246, 247], np.float32), 0.16 * inside)
        result[window] = _blend(bubble, 255.0, 0.9 * np.exp(-((glint / (0.16 * radius + 0.5 * scale)) ** 2)))
    return _to_uint8(result)


def add_ink(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw worn, violet strokes of a surgical skin marker around the middle of the image."""
    scale = _scale(image)
    height, width = image.shape[:2]
    middle, axes = np.array([width, height]) / 2, np.array([width, height]) * rng.uniform(0.43, 0.48)
    cover = np.zeros(image.shape[:2], np.float32)
    for start in rng.uniform(0, 2 * np.pi) + np.arange(3) * 2 * np.pi / 3:
        angle = start + np.linspace(0, rng.uniform(0.35, 0.9), 30)
        line = middle + axes * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        cover = np.maximum(cover, _stroke(image, line, rng.uniform(14, 24) * scale))
    cover = cv2.GaussianBlur(cover, (0, 0), max(1.6 * scale, 0.3))
    wear = smooth_noise(rng, (height, width), 30 * scale) + smooth_noise(rng, (height, width), 3 * scale)
    cover *= np.clip(0.75 + 0.11 * wear, 0, 1)
    # Ink absorbs: it multiplies the skin, so folds and hairs stay visible under it.
    inked = image.astype(np.float32) * np.array([0.45, 0.32, 0.78], np.float32)
    return _to_uint8(_blend(image.astype(np.float32), inked, cover))


ARTEFACTS: dict[str, Artefact] = {
    "hair": add_hair,
    "dark corners": add_vignette,
    "ruler": add_ruler,
    "gel bubbles": add_gel_bubbles,
    "ink": add_ink,
}


def _scale(image: np.ndarray) -> float:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(
            f"`image` must be (H, W, 3) uint8 and not empty; got {image.shape} {image.dtype}. "
            "Convert it to RGB uint8 first."
        )
    return min(image.shape[:2]) / REFERENCE_SIDE_PX


def _stroke(image: np.ndarray, points_xy: np.ndarray, thickness_px: float) -> np.ndarray:
    """(H, W) float32 in [0, 1]: an antialiased polyline; thinner than a pixel becomes fainter."""
    canvas = np.zeros(image.shape[:2], np.uint8)
    fixed = np.round(points_xy * 2**_SUBPIXEL_BITS).astype(np.int32)
    thickness = max(1, round(thickness_px))
    cv2.polylines(canvas, [fixed], False, 255, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    return canvas.astype(np.float32) / 255 * float(np.clip(thickness_px, 0.5, 1))


def _blend(image: np.ndarray, colour: np.ndarray | float, cover: np.ndarray) -> np.ndarray:
    return image + (colour - image) * cover[..., None]


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
