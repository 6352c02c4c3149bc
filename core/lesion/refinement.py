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

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np

from core.images.preprocessing import OUTLINE_SIDE_PX, disc, limit_long_side, resize_mask

ThresholdMethod = Literal["adaptive", "otsu", "fixed"]

# Probabilities are quantised to this many steps, so that histograms and box sums are sums of whole
# numbers: exact in float64, hence the same whichever way round the image lies.
_LEVELS = 1023


@dataclass(frozen=True)
class RefinementSettings:
    """How a probability map is binarised. Shares of the short side scale with the image.

    `method`: "adaptive" (Otsu + local term + hysteresis), "otsu" (Otsu + hysteresis) or "fixed" (one
    plain threshold). Cleaning is the same for all three, so a comparison measures the threshold alone.
    """

    method: ThresholdMethod = "adaptive"
    # The usual cut of a sigmoid output; the baseline the other methods are compared with.
    fixed_threshold: float = 0.5
    # Otsu and the local term may move the cut within this range. The lower end is a convention: further
    # down a network trained with BCE + Dice describes its own uncertainty, not the border. The upper end
    # and the weight below did best on the validation split, by little: training/runs/ham10000/
    # validation_choices.json compares the methods.
    threshold_min: float = 0.35
    threshold_max: float = 0.5
    # Weight of the neighbourhood mean against Otsu's global cut, and the neighbourhood's half width. The
    # mean lies near 0.5 on a sharp border, so the term acts only where the map is locally faint or dense.
    local_weight: float = 0.1
    local_radius_share: float = 0.10
    # A region needs one pixel this likely, i.e. that the network itself calls lesion.
    seed_probability: float = 0.5
    # Radii of the cleaning discs: 4 and 3 px at 450 rows, about the width of a hair, which closing bridges.
    # The narrowest of 500 HAM10000 reference masks has an inscribed radius of 13 px; on those masks,
    # softened to a 256x192 network's resolution, cleaning and smoothing keep a mean Jaccard of 0.994.
    closing_radius_share: float = 0.009
    opening_radius_share: float = 0.007
    # Smoothing of the outline: 2.7 px at 450 rows. The reference masks were drawn with smooth outlines.
    smoothing_sigma_share: float = 0.006
    # How much a region loses at the far corner against one in the middle; lesions are photographed
    # centred, but a convincing region off centre must still win over a speck in the middle.
    centrality_weight: float = 0.3
    # The smallest of 1,500 HAM10000 reference masks covers 0.6 % of its image; a sixth of that is a speck.
    min_area_share: float = 0.001

    def __post_init__(self) -> None:
        if self.method not in get_args(ThresholdMethod):
            raise ValueError(f"`method` must be one of {get_args(ThresholdMethod)}; got {self.method!r}.")
        if not 0 < self.threshold_min <= self.threshold_max < 1:
            raise ValueError(
                "`threshold_min` and `threshold_max` must satisfy 0 < min <= max < 1; "
                f"got {self.threshold_min} and {self.threshold_max}."
            )
        for name in ("fixed_threshold", "seed_probability"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"`{name}` must lie in (0, 1); got {getattr(self, name)}.")
        for name in ("local_weight", "centrality_weight", "min_area_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must lie in [0, 1]; got {getattr(self, name)}.")


@dataclass(frozen=True)
class RefinedMask:
    """The lesion found in one probability map.

    Attributes:
        lesion_mask: (H, W) bool; all False when no lesion was found.
        contour: (N, 2) float32, outline through the centres of the outermost lesion pixels, as (x, y) in
            pixels; (0, 2) when no lesion was found.
        threshold: the global cut that was used, before the local term moved it.
    """

    lesion_mask: np.ndarray
    contour: np.ndarray
    threshold: float

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


def refine_mask(
    mask_probability: np.ndarray,
    settings: RefinementSettings = RefinementSettings(),
) -> RefinedMask:
    """Binarise, clean and outline the lesion in a probability map.

    Args:
        mask_probability: (H, W) float32 in [0, 1].
        settings: thresholds and sizes.

    Returns:
        The lesion as one region without holes; an empty `RefinedMask` when no pixel reaches
        `seed_probability` (`fixed_threshold` for "fixed") or the region is smaller than `min_area_share`.

    Raises:
        ValueError: `mask_probability` is not a finite 2-D floating-point map in [0, 1].
    """
    _check_probability(mask_probability)
    mask, threshold = _refine(limit_long_side(mask_probability, OUTLINE_SIDE_PX), settings)
    mask = resize_mask(mask, mask_probability.shape)
    contour = _trace(mask.astype(np.uint8)) if mask.any() else np.zeros((0, 2), np.float32)
    return RefinedMask(mask, contour, threshold)


def _refine(mask_probability: np.ndarray, settings: RefinementSettings) -> tuple[np.ndarray, float]:
    """(H, W) bool mask, empty without a lesion, and the global cut."""
    levels = np.rint(mask_probability.astype(np.float32, copy=False) * _LEVELS)
    threshold = settings.fixed_threshold if settings.method == "fixed" else _clipped_otsu(levels, settings)
    mask = _threshold_map(levels, threshold, settings)
    if mask.any():
        mask = _clean(mask, settings)
        mask = _fill_holes(_main_region(mask, levels, settings))
        mask = _smooth(mask, settings)
        mask = _fill_holes(_main_region(mask, levels, settings))  # smoothing can cut a thin neck
    if mask.sum() < max(1.0, settings.min_area_share * mask.size):
        mask = np.zeros_like(mask)
    return mask.astype(bool), threshold


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


def _main_region(mask: np.ndarray, levels: np.ndarray, settings: RefinementSettings) -> np.ndarray:
    """(H, W) uint8: the region with the largest probability mass, weighted mildly towards the middle."""
    n_labels, labels, _, centroids = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if n_labels <= 2:
        return mask
    mass = np.bincount(labels.ravel(), weights=levels.ravel(), minlength=n_labels)
    middle = (np.array(mask.shape[::-1]) - 1) / 2
    offset_squared = ((centroids - middle) ** 2).sum(axis=1) / max((middle**2).sum(), 1.0)
    scores = mass * (1 - settings.centrality_weight * offset_squared)
    return (labels == 1 + np.argmax(scores[1:])).astype(np.uint8)


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
