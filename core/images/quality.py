"""Image quality, and whether the image is dermoscopic, measured before any network runs.

Every measure is taken on a copy scaled to `WORKING_SIDE_PX`, so it does not depend on resolution, and
is built from filters without a direction, so turning or mirroring the image does not change it.
A finding tells the user what was seen and what to do; it never stops an analysis.
"""

from dataclasses import replace

import cv2
import numpy as np

from core.images.quality_findings import QUALITY_THRESHOLDS, QualityReport, QualityThresholds, find_faults

# Long side of the working copy, on which the thresholds were set.
WORKING_SIDE_PX = 200

# Glare: near-white spots this much brighter than the median of their surroundings (luminance in [0, 1]).
GLARE_LUMINANCE = 0.80
GLARE_EXCESS = 0.10
GLARE_SURROUNDINGS_PX = 21  # a tenth of the image: wider than a reflex, narrower than a pale patch
# Dark corners: a connected area darker than this; lesions seldom are, and seldom fill two corners.
CORNER_LUMINANCE = 0.20
MIN_DARK_CORNERS = 2
# More than this is not a rim but a dark image: a round view in a 16:9 frame leaves 56 % dark.
MAX_RIM_SHARE = 0.60
# 8-bit luminance counted as clipped: a few levels of room for JPEG noise.
BLACK_LEVEL, WHITE_LEVEL = 5, 250
# The range of skin and lesions under a dermatoscope: "pixels" in thresholds.json, P0.5 and P99.5 in CIE
# L*a*b*, rounded outwards. Below MIN_L (P0.5) is black: shadow or frame, left out of the count.
MIN_L = 11.0
A_RANGE = (1.5, 50.0)
B_RANGE = (-17.0, 32.0)
# Mean luminance step per pixel around a pixel: above it lie text, foliage and noise. P99.5 of the same
# pixels.
MAX_DETAIL = 0.072
# Fine detail that rounding to 8 bits makes of nothing: a mean of a quarter level (0.25 / 255), less what
# the filter keeps of it. Unless taken out, a strongly blurred image looks sharp (5 px: 47 % recognised).
ROUNDING_DETAIL = 0.0009
# Coarser detail below an eighth of a level is none: the sharpness of a flat image is undefined.
MIN_COARSE_DETAIL = 0.0005


def assess_quality(
    image: np.ndarray,
    lesion_mask: np.ndarray | None = None,
    thresholds: QualityThresholds = QUALITY_THRESHOLDS,
) -> QualityReport:
    """Measure an image's quality and say what to do about its faults.

    Args:
        image: (H, W, 3) uint8 RGB.
        lesion_mask: (H, W) bool, True on the lesion; an empty one counts as none.
        thresholds: where measures turn into findings.

    Raises:
        ValueError: an argument has another shape or dtype.
    """
    _check_arguments(image, lesion_mask)
    report = _measure(image, lesion_mask)
    return replace(report, findings=find_faults(report, thresholds))


def _check_arguments(image: np.ndarray, lesion_mask: np.ndarray | None) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"`image` must be (H, W, 3) uint8; got {image.shape} {image.dtype}. Load it with read_image."
        )
    if lesion_mask is not None and (lesion_mask.dtype != bool or lesion_mask.shape != image.shape[:2]):
        raise ValueError(
            f"`lesion_mask` must be {image.shape[:2]} bool like the image; got {lesion_mask.shape} "
            f"{lesion_mask.dtype}. Resize it, and threshold it with > 0.5."
        )


def _measure(image: np.ndarray, lesion_mask: np.ndarray | None) -> QualityReport:
    """The report without its findings."""
    working = _to_working_size(image)
    grey = cv2.cvtColor(working, cv2.COLOR_RGB2GRAY)
    luminance = grey.astype(np.float32) / 255
    corners = _dark_corners(luminance)
    lit = grey[~corners]
    lightness, likeness, (redness, yellowness) = _measure_colour(working)
    return QualityReport(
        sharpness=_sharpness(luminance),
        mean_luminance=float(lit.mean()) / 255,
        black_share=float((lit <= BLACK_LEVEL).mean()),
        white_share=float((lit >= WHITE_LEVEL).mean()),
        glare_share=_glare_share(luminance),
        dark_corner_share=float(corners.mean()),
        border_contact_share=None if lesion_mask is None else _border_contact_share(lesion_mask),
        dermoscopy_likeness=likeness,
        contrast=float(lightness.std()),
        shorter_side_px=min(image.shape[:2]),
        redness=redness,
        yellowness=yellowness,
    )


def pixel_features(working: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lightness, a* and b* (CIE L*a*b*) and detail, each (H, W) float32, of an (H, W, 3) uint8 image.

    Detail is the mean luminance step per pixel in a neighbourhood (Gaussian, 2 px).
    """
    scaled = working.astype(np.float32) / 255
    lightness, a, b = cv2.split(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB))
    grey = cv2.cvtColor(scaled, cv2.COLOR_RGB2GRAY)
    dx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8)
    dy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)
    return lightness, a, b, cv2.GaussianBlur(cv2.magnitude(dx, dy), (0, 0), 2)


def _to_working_size(array: np.ndarray) -> np.ndarray:
    height, width = array.shape[:2]
    scale = WORKING_SIDE_PX / max(height, width)
    if scale == 1:
        return array
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _sharpness(luminance: np.ndarray) -> float:
    """Mean detail finer than 1 px over mean detail of 1 to 3 px (Gaussian scales, absolute values).

    A ratio, because a pale lesion on smooth skin is sharp with little contrast. At a false alarm in a
    hundred it recognised a blur of 1 px in 98 % of HAM10000 images; the variance of the Laplacian did
    in 86 %, the blur metric of Crete et al. (2007), doi:10.1117/12.702790, in 49 %.
    """
    fine, coarse = (cv2.GaussianBlur(luminance, (0, 0), sigma) for sigma in (1, 3))
    coarser = float(np.abs(fine - coarse).mean())
    if coarser < MIN_COARSE_DETAIL:
        return float("nan")
    finest = float(np.abs(luminance - fine).mean())
    return max(finest**2 - ROUNDING_DETAIL**2, 0.0) ** 0.5 / coarser


def _dark_corners(luminance: np.ndarray) -> np.ndarray:
    """(H, W) bool: dark areas connected to a corner, if two or more corners are and they look like a rim."""
    dark = (luminance < CORNER_LUMINANCE).astype(np.uint8)
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    corners = labels[[0, 0, -1, -1], [0, -1, 0, -1]]
    if np.count_nonzero(corners) < MIN_DARK_CORNERS:
        return np.zeros(luminance.shape, dtype=bool)
    rim = np.isin(labels, corners[corners > 0])
    return rim if rim.mean() <= MAX_RIM_SHARE else np.zeros_like(rim)


def _glare_share(luminance: np.ndarray) -> float:
    levels = np.rint(luminance * 255).astype(np.uint8)
    surroundings = cv2.medianBlur(levels, GLARE_SURROUNDINGS_PX).astype(np.float32) / 255
    return float(((luminance > GLARE_LUMINANCE) & (luminance - surroundings > GLARE_EXCESS)).mean())


def _measure_colour(working: np.ndarray) -> tuple[np.ndarray, float, tuple[float, float]]:
    """(lightness, likeness to dermoscopy, mean a* and b*); the last two of the pixels that are not black."""
    lightness, a, b, detail = pixel_features(working)
    lit = lightness >= MIN_L
    if not lit.any():
        return lightness, 0.0, (float("nan"), float("nan"))
    skin_coloured = (a >= A_RANGE[0]) & (a <= A_RANGE[1]) & (b >= B_RANGE[0]) & (b <= B_RANGE[1])
    likeness = float((skin_coloured & (detail <= MAX_DETAIL))[lit].mean())
    return lightness, likeness, (float(a[lit].mean()), float(b[lit].mean()))


def _border_contact_share(lesion_mask: np.ndarray) -> float | None:
    mask = (_to_working_size(lesion_mask.astype(np.float32)) >= 0.5).astype(np.uint8)
    if not mask.any():
        return None
    # Outside the image counts as background, so that a cut edge belongs to the outline.
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    outline = (mask > inside).astype(bool)
    on_edge = outline.copy()
    on_edge[1:-1, 1:-1] = False
    return float(on_edge.sum() / outline.sum())
