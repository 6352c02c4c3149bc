"""The tightest and the widest plausible outline: the band of the mask's probability in which experts differ.

Experts draw the border of a lesion differently: some at the first pigment, some where it is dense. Two thresholds of
the mask's probability, fitted on experts' outlines by `dermalens evaluate outlines`, span what they drew.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.images.preprocessing import disc, resize_mask
from core.lesion.morphology import Morphology
from models.manifest import BundleError, Manifest

# About the width of a hair, as `RefinementSettings.closing_radius_share`.
SPUR_RADIUS_SHARE = 0.009


@dataclass(frozen=True)
class OutlineBand:
    """Thresholds on the mask's probability.

    Attributes:
        low: the widest plausible outline holds what is at least this likely and connected to the lesion.
        high: the tightest one holds what of the lesion is at least this likely.
        share: of the experts' outlines that lie between the two, as aimed at.
        origin: the images that it was fitted on, as text.
    """

    low: float
    high: float
    share: float
    origin: str

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high < 1:
            raise ValueError(
                f"`low` and `high` must satisfy 0 < low <= high < 1; got {self.low}, {self.high}."
            )


def read_band(manifest: Manifest) -> OutlineBand | None:
    """The band that a bundle states; None if it states none.

    Raises:
        BundleError: the entry is damaged.
    """
    entry = manifest.segmenter.record.get("outline_band")
    if entry is None:
        return None
    try:
        return OutlineBand(
            float(entry["low"]), float(entry["high"]), float(entry["share"]), str(entry["origin"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"`outline_band` of {manifest.folder} is damaged: {error}") from error


def plausible_masks(
    mask_probability: np.ndarray, lesion_mask: np.ndarray, band: OutlineBand
) -> tuple[np.ndarray, np.ndarray]:
    """The tightest and the widest plausible mask, the first inside the lesion and the second around it.

    Args:
        mask_probability: (h, w) float32 in [0, 1].
        lesion_mask: (H, W) bool, the lesion that was found; in the proportions of the map.
        band: where experts differ.

    Returns:
        Two (h, w) bool masks without holes; the first is empty where nothing of the lesion is likely enough, both are
        where no lesion was found.
    """
    lesion = resize_mask(lesion_mask, mask_probability.shape)
    tight = lesion & (mask_probability >= band.high)
    wide = _without_spurs(lesion | (mask_probability >= band.low)) | lesion
    return _fill(_largest(tight)), _fill(_touching(wide, lesion))


def value_range(measured: Sequence[Morphology], name: str) -> tuple[float, float] | None:
    """Lowest and highest value of a measurement among outlines of one lesion; None where it is undefined in all."""
    values = [value for one in measured if not math.isnan(value := getattr(one, name))]
    return (min(values), max(values)) if values else None


def _without_spurs(mask: np.ndarray) -> np.ndarray:
    """Low probabilities run along hairs and ink: what is as thin as they are is no border."""
    radius = max(1, round(SPUR_RADIUS_SHARE * min(mask.shape)))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(radius)) > 0


def _largest(mask: np.ndarray) -> np.ndarray:
    """Its largest connected region."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if len(stats) < 2:
        return mask
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _touching(mask: np.ndarray, lesion: np.ndarray) -> np.ndarray:
    """The regions of a mask that hold a pixel of the lesion."""
    n_labels, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    kept = np.zeros(n_labels, bool)
    kept[labels[lesion]] = True
    return kept[labels]


def _fill(mask: np.ndarray) -> np.ndarray:
    """The mask with what its outer outlines enclose."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), contours, -1, 1, cv2.FILLED) > 0
