"""Turn a lesion probability map into one clean lesion mask and its contour.

Five steps, in the order of the code: an adaptive threshold, hysteresis, morphological cleaning with hole
filling, the choice of one region, and a smoothed outline. Every step treats left, right, up and down
alike, so refining a flipped or quarter-turned map gives the flipped or quarter-turned mask.

"No lesion" is a result here and not an error: see `RefinedMask.found`.

References:
    Otsu (1979), IEEE Trans Syst Man Cybern 9:62, doi:10.1109/TSMC.1979.4310076; clipped, because on a
    map without a lesion the split it finds lies in the noise.
    Canny (1986), doi:10.1109/TPAMI.1986.4767851, for hysteresis; here on regions instead of edges.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.images.preprocessing import OUTLINE_SIDE_PX, disc, limit_long_side, resize_mask
from core.images.quality_findings import QualityFinding
from core.lesion.refinement_settings import REFINEMENT_SETTINGS, RefinementSettings

# Probabilities are quantised to this many steps, so that histograms and box sums are sums of whole
# numbers: exact in float64, hence the same whichever way round the image lies.
_LEVELS = 1023
# Of a fragmented map only the first regions are considered: an eleventh cannot be large.
_MAX_REGIONS = 16


@dataclass(frozen=True)
class RefinedMask:
    """The lesion found in one probability map.

    Attributes:
        lesion_mask: (H, W) bool; all False when no lesion was found.
        contour: (N, 2) float32, outline through the centres of the outermost lesion pixels, as (x, y) in
            pixels; (0, 2) when no lesion was found.
        threshold: the global cut that was used, before the local term moved it.
        other_spots: outlines like `contour` of spots that were left out although each has at least
            `other_spot_share` of the main spot's area; the likeliest first.
    """

    lesion_mask: np.ndarray
    contour: np.ndarray
    threshold: float
    other_spots: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        if self.lesion_mask.ndim != 2 or self.lesion_mask.dtype != np.bool_:
            raise ValueError(
                f"`lesion_mask` must be (H, W) bool; got {self.lesion_mask.shape} {self.lesion_mask.dtype}."
            )
        if self.contour.ndim != 2 or self.contour.shape[1] != 2 or self.contour.dtype != np.float32:
            raise ValueError(
                f"`contour` must be (N, 2) float32; got {self.contour.shape} {self.contour.dtype}."
            )

    @property
    def found(self) -> bool:
        """True when there is a lesion."""
        return len(self.contour) > 0

    @property
    def findings(self) -> tuple[QualityFinding, ...]:
        """What to know about the outline: spots that were left out."""
        if not self.other_spots:
            return ()
        n = len(self.other_spots)
        left_out = "Another spot was left out" if n == 1 else f"{n} other spots were left out"
        text = f"{left_out}: one lesion is analysed at a time, and what is said is about the outlined one."
        return (QualityFinding("other_spots", text, "note"),)


def refine_mask(
    mask_probability: np.ndarray,
    settings: RefinementSettings = REFINEMENT_SETTINGS,
    spot: int = 0,
    shape: tuple[int, int] | None = None,
) -> RefinedMask:
    """Binarise, clean and outline the lesion in a probability map.

    Args:
        mask_probability: (H, W) float32 in [0, 1].
        settings: thresholds and sizes.
        spot: which spot to take for the lesion where there are several: 0 the main one, 1 the first of
            its `other_spots`, and so on.
        shape: (H, W) of the answer where the map is a smaller copy; the map's own if None.

    Returns:
        The lesion as one region without holes; an empty `RefinedMask` when no pixel reaches
        `seed_probability` (`fixed_threshold` for "fixed") or the region is smaller than `min_area_share`.

    Raises:
        ValueError: `mask_probability` is not a finite 2-D floating-point map in [0, 1], or there is no
            such spot.
    """
    _check_probability(mask_probability)
    shape = shape or mask_probability.shape
    spots, threshold = _find_spots(limit_long_side(mask_probability, OUTLINE_SIDE_PX), settings)
    if not 0 <= spot < max(len(spots), 1):
        raise ValueError(f"`spot` must be 0 to {max(len(spots) - 1, 0)} on this image; got {spot}.")
    if not spots:
        empty = np.zeros(shape, bool)
        return RefinedMask(empty, np.zeros((0, 2), np.float32), threshold)
    masks = [resize_mask(found, shape) for found in [spots.pop(spot), *spots]]
    contour, *others = (_trace(mask.astype(np.uint8)) for mask in masks if mask.any())
    return RefinedMask(masks[0], contour, threshold, tuple(others))


def _find_spots(mask_probability: np.ndarray, settings: RefinementSettings) -> tuple[list[np.ndarray], float]:
    """(H, W) bool masks of the lesion and of other spots large enough to be one, and the global cut."""
    levels = np.rint(mask_probability.astype(np.float32, copy=False) * _LEVELS)
    threshold = settings.fixed_threshold if settings.method == "fixed" else _clipped_otsu(levels, settings)
    mask = _threshold_map(levels, threshold, settings)
    spots: list[np.ndarray] = []
    if not mask.any():
        return spots, threshold
    smallest = max(1.0, settings.min_area_share * mask.size)
    for region in _rank_regions(_clean(mask, settings), levels, settings):
        found = _smooth(_fill_holes(region), settings)
        found = _fill_holes(_main_region(found, levels, settings)).astype(bool)  # smoothing can cut a neck
        if found.sum() < smallest:
            if not spots:
                break
        elif not any((found & other).any() for other in spots):
            spots.append(found)
            smallest = max(smallest, settings.other_spot_share * spots[0].sum())
    return spots, threshold


def _check_probability(mask_probability: np.ndarray) -> None:
    if (
        not isinstance(mask_probability, np.ndarray)
        or mask_probability.ndim != 2
        or not mask_probability.size
    ):
        raise ValueError(
            f"`mask_probability` must be a non-empty (H, W) array; got {np.shape(mask_probability)}. "
            "Drop the batch and channel axes first."
        )
    if not np.issubdtype(mask_probability.dtype, np.floating):
        raise ValueError(
            f"`mask_probability` must be floating point in [0, 1]; got {mask_probability.dtype}. "
            "Divide an 8-bit map by 255 first."
        )
    low, high = float(mask_probability.min()), float(mask_probability.max())  # NaN passes through both
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"`mask_probability` must be finite and in [0, 1]; got values from {low} to {high}. "
            "Apply the sigmoid to logits first."
        )


def _clipped_otsu(levels: np.ndarray, settings: RefinementSettings) -> float:
    """Otsu's cut of the quantised map as a probability, within the settings' range.

    Between two separated heaps every cut is equally good; the middle of that plateau is taken.
    """
    counts = np.bincount(levels.astype(np.int32).ravel(), minlength=_LEVELS + 1).astype(np.float64)
    below = np.cumsum(counts)
    total = below[-1]
    mass = np.cumsum(counts * np.arange(_LEVELS + 1))
    spread = (mass[-1] * below - mass * total) ** 2
    weight = below * (total - below)
    between = np.divide(spread, weight, out=np.zeros_like(spread), where=weight > 0)
    if between.max() <= 0:  # a constant map has nothing to split
        return settings.fixed_threshold
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    cut = (best[0] + best[-1] + 1) / 2 / _LEVELS
    return float(np.clip(cut, settings.threshold_min, settings.threshold_max))


def _threshold_map(levels: np.ndarray, threshold: float, settings: RefinementSettings) -> np.ndarray:
    """(H, W) uint8: pixels above the cut in regions that hold at least one seed.

    The local cut is (1 - w) * threshold + w * neighbourhood mean, clipped to the settings' range.
    """
    if settings.method == "fixed":
        return (levels >= threshold * _LEVELS).astype(np.uint8)
    cut: np.ndarray | float = threshold * _LEVELS
    if settings.method == "adaptive":
        side = 2 * _radius(levels.shape, settings.local_radius_share) + 1
        sums = cv2.boxFilter(levels, cv2.CV_64F, (side, side), normalize=False, borderType=cv2.BORDER_REFLECT)
        sums *= settings.local_weight / (side * side)
        sums += (1 - settings.local_weight) * threshold * _LEVELS
        cut = np.clip(sums, settings.threshold_min * _LEVELS, settings.threshold_max * _LEVELS, out=sums)
    weak = (levels >= cut).astype(np.uint8)
    n_labels, labels = cv2.connectedComponents(weak, connectivity=8)
    seeded = np.zeros(n_labels, np.uint8)
    seeded[labels[levels >= settings.seed_probability * _LEVELS]] = 1
    seeded[0] = 0  # background: a local cut may lie above `seed_probability`
    return seeded[labels]


def _clean(mask: np.ndarray, settings: RefinementSettings) -> np.ndarray:
    """Close hair-wide gaps, then drop specks and thin spurs; a lesion thinner than a spur is kept."""
    closing = disc(_radius(mask.shape, settings.closing_radius_share))
    opening = disc(_radius(mask.shape, settings.opening_radius_share))
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, closing)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, opening)
    return opened if opened.any() else closed


def _rank_regions(mask: np.ndarray, levels: np.ndarray, settings: RefinementSettings) -> Iterator[np.ndarray]:
    """(H, W) uint8 regions, most probability mass first, weighted mildly towards the middle."""
    n_labels, labels, _, centroids = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if n_labels <= 2:
        yield mask
        return
    mass = np.bincount(labels.ravel(), weights=levels.ravel(), minlength=n_labels)
    middle = (np.array(mask.shape[::-1]) - 1) / 2
    offset_squared = ((centroids - middle) ** 2).sum(axis=1) / max((middle**2).sum(), 1.0)
    scores = (mass * (1 - settings.centrality_weight * offset_squared))[1:]
    for label in 1 + np.argsort(-scores, kind="stable")[:_MAX_REGIONS]:
        yield (labels == label).astype(np.uint8)


def _main_region(mask: np.ndarray, levels: np.ndarray, settings: RefinementSettings) -> np.ndarray:
    return next(_rank_regions(mask, levels, settings))


def _fill_holes(mask: np.ndarray) -> np.ndarray:
    """Fill background that the region encloses; a bay open to the picture's edge is no hole."""
    n_labels, labels = cv2.connectedComponents(1 - mask, connectivity=4)
    outside = np.zeros(n_labels, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    filled = ~outside
    filled[0] = True  # label 0 is the region itself, which may touch the edge
    return filled[labels].astype(np.uint8)


def _smooth(mask: np.ndarray, settings: RefinementSettings) -> np.ndarray:
    """Blur the binary mask and cut it at one half, which rounds steps and leaves straight edges alone."""
    sigma = settings.smoothing_sigma_share * min(mask.shape)
    if sigma < 0.5:  # narrower than a pixel: nothing to smooth
        return mask
    blurred = cv2.GaussianBlur(mask * np.uint8(255), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return (blurred >= 128).astype(np.uint8)


def _trace(mask: np.ndarray) -> np.ndarray:
    """(N, 2) float32 outline as (x, y); the mask holds a single region."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(contours, key=len).reshape(-1, 2).astype(np.float32)


def _radius(shape: tuple[int, ...], share: float) -> int:
    return max(1, round(share * min(shape)))
