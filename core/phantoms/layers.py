"""The layers of a dermoscopic phantom: the lesion's contour, the skin and the lesion's colours.

Colour is mixed as optical density, -log(RGB / 255), because absorbances add, as pigment and blood do
in skin; `core.phantoms.lesions` turns the sum into RGB. Lengths are given for a 450 px high frame.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from core.phantoms.artefacts import REFERENCE_SIDE_PX, smooth_noise

RGB = tuple[int, int, int]
TEXTURES: Final = ("network", "globules", "lacunae", "structureless")

# Absorption of R, G and B light by melanin and by blood, relative; sets how skin varies in colour.
_MELANIN = np.array([0.35, 0.7, 1.25], np.float32)
_BLOOD = np.array([0.12, 1.0, 0.72], np.float32)


def draw_contour(
    rng: np.random.Generator,
    size_px: tuple[int, int],
    *,
    radius_share: float,
    irregularity: float,
    asymmetry: float,
) -> np.ndarray:
    """(N, 2) float (x, y): a random Fourier contour with the asked area, wholly inside the frame.

    Its area is that of a disc of `radius_share` times the shorter side, less where it would not fit.
    """
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    order = np.arange(2, 32)[:, None]
    phase = rng.uniform(0, 2 * np.pi, order.shape)
    waves = rng.normal(0, 1, order.shape) * order**-1.35 * np.cos(order * angle + phase)
    wobble = waves.sum(axis=0)
    log_radius = wobble * (0.015 + 0.135 * irregularity) / max(wobble.std(), 1e-6)
    bulge_at = rng.uniform(0, 2 * np.pi)
    log_radius += 0.3 * asymmetry * np.exp(3 * (np.cos(angle - bulge_at) - 1))
    points = np.exp(log_radius)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    stretch = np.exp(rng.uniform(0.3, 1) * (0.06 + 0.2 * asymmetry))
    points = _rotate(points * [stretch, 1 / stretch], rng.uniform(0, np.pi))
    x, y = points.T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    points *= radius_share * min(size_px) / np.sqrt(area / np.pi)
    frame = np.array([size_px[1], size_px[0]], float)
    points *= min(1.0, float((0.92 * frame / np.ptp(points, axis=0)).min()))
    slack = 0.96 * frame - np.ptp(points, axis=0)
    centre = frame / 2 + rng.uniform(-0.5, 0.5, 2) * np.minimum(slack, 0.2 * frame)
    return points - (points.min(axis=0) + points.max(axis=0)) / 2 + centre


def fill_contour(contour_xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: the pixels within a closed contour given as (N, 2) float (x, y)."""
    canvas = np.zeros(size_px, np.uint8)
    cv2.fillPoly(canvas, [np.round(contour_xy * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return canvas.astype(bool)


def draw_skin(rng: np.random.Generator, size_px: tuple[int, int], tone: RGB) -> np.ndarray:
    """(H, W, 3) float32 density: tone, uneven light, blotches of blood and pigment, fine lines."""

    def noise(cell_px: float) -> np.ndarray:
        return smooth_noise(rng, size_px, cell_px * _scale(size_px))

    blotchy = rng.uniform(0.6, 1.25)
    blood = blotchy * (0.03 * noise(150) + 0.024 * noise(34) + 0.026 * noise(13))
    melanin = blotchy * (0.025 * noise(120) + 0.018 * noise(22) + 0.014 * noise(7))
    # Skin lines: a faint polygonal relief.
    lines = 0.05 * _distance_to_seeds(rng, size_px, 13 * _scale(size_px)) * np.clip(1 + 0.5 * noise(50), 0, 2)
    lines += 0.014 * noise(3.5)
    x, y = _unit_grid(size_px)
    tilt = rng.normal(0, 0.035, 2)
    light = rng.uniform(0.02, 0.1) * (x**2 + y**2) + tilt[0] * x + tilt[1] * y + lines
    density = to_density(tone) + light[..., None] + blood[..., None] * _BLOOD + melanin[..., None] * _MELANIN
    return np.maximum(density, 0).astype(np.float32)


def draw_lesion(
    rng: np.random.Generator,
    skin: np.ndarray,
    lesion_mask: np.ndarray,
    *,
    colours: Sequence[RGB],
    texture: str,
    irregularity: float,
    asymmetry: float,
    edge_px: float,
) -> np.ndarray:
    """(H, W, 3) density: the lesion laid over `skin`; its cover falls off across the mask's border."""
    size_px = lesion_mask.shape
    scale = _scale(size_px)
    inside = cv2.distanceTransform(lesion_mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~lesion_mask).astype(np.uint8), cv2.DIST_L2, 5)
    # Pigment frays a little at the border; the mask keeps the contour itself.
    fray = (0.8 + 1.6 * irregularity) * scale * smooth_noise(rng, size_px, 12 * scale)
    depth_px = (inside - outside + fray) / scale
    edge = 1 / (1 + np.exp(np.clip(-depth_px / (0.5 * edge_px) + 0.5, -30, 30)))
    # Under the rim the lesion is thin: in real images pigment deepens over some 20 px more.
    cover = edge * (0.55 + 0.45 * np.clip(depth_px / (10 + 2.5 * edge_px), 0, 1))
    centrality = np.clip(inside / max(float(inside.max()), 1.0), 0, 1)
    density = _mix_colours(rng, centrality, colours, asymmetry)
    uneven = 0.1 * smooth_noise(rng, size_px, 26 * scale) + 0.03 * smooth_noise(rng, size_px, 9 * scale)
    density *= (0.85 + 0.25 * np.sqrt(centrality) + uneven)[..., None]
    density += _draw_texture(rng, size_px, texture)[..., None] * (0.06 + 0.17 * density)
    # Some of the skin's own blotches show through.
    density += 0.4 * (skin - skin.mean(axis=(0, 1)))
    return np.maximum(skin + (density - skin) * cover[..., None], 0)


def to_density(colour: RGB | Sequence[RGB]) -> np.ndarray:
    """Optical density of RGB colours, in the same shape; black is held above zero light."""
    return -np.log(np.maximum(np.asarray(colour, np.float32), 1) / 255)


def _mix_colours(
    rng: np.random.Generator, centrality: np.ndarray, colours: Sequence[RGB], asymmetry: float
) -> np.ndarray:
    """(H, W, 3) density: each colour wins where its own noise is highest, softly at the seams."""
    size_px = centrality.shape
    scale = _scale(size_px)
    x, y = _unit_grid(size_px)
    scores = []
    for rank in range(len(colours)):
        side = rng.uniform(0, 2 * np.pi)
        patches = smooth_noise(rng, size_px, 55 * scale) + 0.25 * smooth_noise(rng, size_px, 18 * scale)
        drift = 3 * asymmetry * (x * np.cos(side) + y * np.sin(side)) if rank else 0.0
        # Later colours keep off the border, so that the outline stays that of the main colour.
        scores.append(patches + drift + (2.4 * centrality - 1.2 if rank else 0.4))
    weights = np.exp(1.6 * (np.stack(scores) - np.max(scores, axis=0)))
    weights /= weights.sum(axis=0)
    return np.tensordot(weights, to_density(colours), axes=(0, 0)).astype(np.float32)


def _draw_texture(rng: np.random.Generator, size_px: tuple[int, int], texture: str) -> np.ndarray:
    """(H, W) float32, about [-1, 1]: extra pigment on network lines or in globules, less in between."""
    scale = _scale(size_px)
    if texture == "structureless":
        return 0.35 * smooth_noise(rng, size_px, 5 * scale)
    spacing_px = {"network": 15, "globules": 17, "lacunae": 44}[texture] * scale
    distance = _distance_to_seeds(rng, size_px, spacing_px)  # 0 at a cell's middle, about 0.6 at its border
    if texture == "network":
        pattern = 2.1 * (distance - 0.35)
    elif texture == "globules":
        pattern = 1.5 * np.exp(-((distance / 0.34) ** 2)) - 0.3
    else:
        pattern = 0.5 - 1.6 * np.clip((distance - 0.34) / 0.3, 0, 1)
    fading = np.clip(0.75 + 0.45 * smooth_noise(rng, size_px, 60 * scale), 0.1, 1.4)
    return (pattern * fading + 0.12 * smooth_noise(rng, size_px, 4 * scale)).astype(np.float32)


def _distance_to_seeds(rng: np.random.Generator, size_px: tuple[int, int], spacing_px: float) -> np.ndarray:
    """(H, W) float32: distance to the nearest point of a jittered, warped lattice, in spacings."""
    spacing_px = max(spacing_px, 2.0)
    margin = int(np.ceil(spacing_px))
    height, width = size_px[0] + 2 * margin, size_px[1] + 2 * margin
    rows, columns = np.mgrid[: height / spacing_px, : width / spacing_px]
    seeds = np.stack([rows, columns + 0.5 * (rows % 2)], axis=-1).reshape(-1, 2)
    seeds = (seeds + rng.uniform(-0.3, 0.3, seeds.shape)) * spacing_px
    row, column = np.clip(seeds.astype(int), 0, (height - 1, width - 1)).T
    free = np.ones((height, width), np.uint8)
    free[row, column] = 0
    distance = cv2.distanceTransform(free, cv2.DIST_L2, 5) / spacing_px
    y, x = np.mgrid[: size_px[0], : size_px[1]].astype(np.float32) + margin
    x += 0.1 * spacing_px * smooth_noise(rng, size_px, 0.7 * spacing_px)
    y += 0.1 * spacing_px * smooth_noise(rng, size_px, 0.7 * spacing_px)
    return cv2.remap(distance, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _rotate(points_xy: np.ndarray, angle: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    return points_xy @ np.array([[cosine, sine], [-sine, cosine]])


def _unit_grid(size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """X and y, each (H, W) float32 from -1 to 1."""
    y, x = np.mgrid[-1 : 1 : size_px[0] * 1j, -1 : 1 : size_px[1] * 1j].astype(np.float32)
    return x, y


def _scale(size_px: tuple[int, int]) -> float:
    return min(size_px) / REFERENCE_SIDE_PX
