"""Geometry of a lesion mask: moments, outline, diameter, perimeter, asymmetry, fractal dimension.

Masks are (H, W) bool and hold at least one lesion pixel; coordinates are (x, y) in pixels, y downwards.
All of it is unchanged by flips and quarter-turns of the picture.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

NAN = math.nan


@dataclass(frozen=True)
class Moments:
    """Centroid, axes and direction of a mask, from whole-number sums: exact under flips and turns."""

    x: float
    y: float
    major_px: float
    minor_px: float
    axis_rad: float  # NaN where all directions are alike


def compute_moments(mask: np.ndarray) -> Moments:
    ys, xs = np.nonzero(mask)
    n, sx, sy = len(xs), int(xs.sum()), int(ys.sum())
    # Python's whole numbers do not overflow, and n * sum(x^2) - (sum x)^2 has no rounding.
    xx = (n * int((xs * xs).sum()) - sx * sx) / n**2 + 1 / 12  # a pixel is a unit square
    yy = (n * int((ys * ys).sum()) - sy * sy) / n**2 + 1 / 12
    xy = (n * int((xs * ys).sum()) - sx * sy) / n**2
    split = math.hypot((xx - yy) / 2, xy)
    axis_rad = math.atan2(2 * xy, xx - yy) / 2 if split > 0 else NAN
    mean = (xx + yy) / 2
    return Moments(sx / n, sy / n, 4 * math.sqrt(mean + split), 4 * math.sqrt(max(mean - split, 0)), axis_rad)


def outline_pixels(mask: np.ndarray) -> np.ndarray:
    """(N, 2) int64 (x, y): lesion pixels with a 4-neighbour outside the lesion or the picture."""
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    ys, xs = np.nonzero(mask & ~inside)
    return np.stack([xs, ys], axis=1)


def cut_share(outline: np.ndarray, shape: tuple[int, ...]) -> float:
    height, width = shape
    x, y = outline.T
    return float(np.mean((x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)))


def feret_diameter(outline: np.ndarray) -> float:
    """Largest distance between two edge midpoints of lesion pixels (one pixel: 1 px), in pixels."""
    halves = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    doubled = (2 * outline[:, None] + halves).reshape(-1, 2).astype(np.int32)
    hull = cv2.convexHull(doubled).reshape(-1, 2).astype(np.float64)
    squared = ((hull[:, None] - hull) ** 2).sum(axis=-1)
    return float(np.sqrt(squared.max()) / 2)


def asymmetry(mask: np.ndarray, moments: Moments) -> tuple[float, float]:
    """Share of the area missed by the mirror image about the major and the minor axis.

    A shape whose moments have no direction (a square, a disc) is mirrored about the picture's axes.
    """
    axis = 0.0 if math.isnan(moments.axis_rad) else moments.axis_rad
    ys, xs = np.nonzero(mask)
    reach = math.ceil(np.hypot(xs - moments.x, ys - moments.y).max()) + 2
    x0, y0 = math.floor(moments.x), math.floor(moments.y)
    canvas = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    canvas[ys - y0 + reach, xs - x0 + reach] = 255
    centre = np.array([moments.x - x0 + reach, moments.y - y0 + reach])
    area = len(xs)
    shares = []
    for angle in (axis, axis + math.pi / 2):
        mirror = np.array(
            [[math.cos(2 * angle), math.sin(2 * angle)], [math.sin(2 * angle), -math.cos(2 * angle)]]
        )
        matrix = np.column_stack([mirror, centre - mirror @ centre])
        mirrored = cv2.warpAffine(canvas, matrix, canvas.shape, flags=cv2.INTER_LINEAR)
        overlap = np.count_nonzero((mirrored >= 128) & (canvas > 0))
        shares.append(float(1 - overlap / area))
    return shares[0], shares[1]


def crofton_perimeter(mask: np.ndarray) -> float:
    """Perimeter in pixels from crossings along rows, columns and both diagonals (Cauchy-Crofton).

    Unbiased for a disc, about 5 % short for an upright square, unchanged by flips and quarter-turns.
    """
    grid = np.pad(mask, 1)
    straight = np.count_nonzero(grid[:, 1:] != grid[:, :-1]) + np.count_nonzero(grid[1:] != grid[:-1])
    diagonal = np.count_nonzero(grid[1:, 1:] != grid[:-1, :-1])
    diagonal += np.count_nonzero(grid[1:, :-1] != grid[:-1, 1:])
    return float(math.pi / 8 * (straight + diagonal / math.sqrt(2)))


def fractal_dimension(outline: np.ndarray) -> float:
    """Box-counting dimension: slope of log(boxes) against -log(side), sides 2, 4, ... up to extent / 4.

    Boxes are laid from each corner of the bounding box and averaged, so that a flip changes nothing.
    NaN below three sides.
    """
    low, high = outline.min(axis=0), outline.max(axis=0)
    extent = int((high - low).max()) + 1
    sides = [2**k for k in range(1, 12) if 2**k <= extent / 4]
    if len(sides) < 3:
        return NAN
    x = (outline[:, 0] - low[0], high[0] - outline[:, 0])
    y = (outline[:, 1] - low[1], high[1] - outline[:, 1])
    counts = [
        np.mean([len(np.unique((u // side) * (extent + 1) + v // side)) for u in x for v in y])
        for side in sides
    ]
    u, v = np.log(sides) - np.mean(np.log(sides)), np.log(counts)
    return float(-(u * v).sum() / (u * u).sum())
