"""What `core.analyzer.Analyzer` found in one image."""

from dataclasses import dataclass

import numpy as np

from core.diagnosis.classification import Classification
from core.diagnosis.conformal import prediction_set
from core.diagnosis.decision import decide
from core.images.preprocessing import OUTLINE_SIDE_PX, limit_shape, resize_mask
from core.images.quality_findings import QualityReport
from core.images.reading import LoadedImage
from core.lesion.band import plausible_masks, read_band
from core.lesion.morphology import Morphology, measure_lesion
from core.lesion.refinement import RefinedMask
from core.lesion.segmentation import stretch_map
from core.settings import AnalysisSettings
from models.manifest import Manifest


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """The result for one image.

    Attributes:
        image: what was read; `image.pixels` is (H, W, 3) uint8 RGB.
        preprocessed: (h, w, 3) uint8, what the classifier saw: the image at the resolution that the networks
            were trained at, with the chosen filters. The segmenter saw it without them.
        quality: warnings about the image.
        mask_map: (h, w) float32 in [0, 1], `mask_probability` at `OUTLINE_SIDE_PX` at most: nothing finer is
            known, and a map of 24 megapixels takes 96 MB.
        lesion: (H, W) mask and contour; `lesion.found` says whether there is one.
        morphology: ABCD measurements; None without a lesion.
        classification: calibrated class probabilities.
        saliency_map: (h, w) float32 in [0, 1] for the prediction, as `mask_map`; None if not requested.
        settings: what the caller chose.
        manifest: of the bundle that was used.
        stage_ms: milliseconds by stage; in a batch, the batch's time divided by its size.
        structures: probability of each dermoscopic structure that the bundle reports, see
            `core.diagnosis.structures`; None if it has no probe.
        novelty: out-of-distribution score, see `core.diagnosis.novelty`; None if the bundle has no model for it.
    """

    image: LoadedImage
    preprocessed: np.ndarray
    quality: QualityReport
    mask_map: np.ndarray
    lesion: RefinedMask
    morphology: Morphology | None
    classification: Classification
    saliency_map: np.ndarray | None
    settings: AnalysisSettings
    manifest: Manifest
    stage_ms: dict[str, float]
    novelty: float | None = None
    structures: dict[str, float] | None = None

    def __post_init__(self) -> None:
        _check_image("image.pixels", self.image.pixels)
        _check_image("preprocessed", self.preprocessed)
        small = limit_shape(self.shape, OUTLINE_SIDE_PX)
        maps = {
            "mask_map": (self.mask_map, small),
            "lesion.lesion_mask": (self.lesion.lesion_mask, self.shape),
        }
        if self.saliency_map is not None:
            maps["saliency_map"] = self.saliency_map, small
        for name, (found, shape) in maps.items():
            if found.shape != shape:
                raise ValueError(f"`{name}` must be {shape} for this image; got {found.shape}.")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the image."""
        return self.image.pixels.shape[:2]

    @property
    def mask_probability(self) -> np.ndarray:
        """(H, W) float32 in [0, 1]."""
        return stretch_map(self.mask_map, self.shape)

    @property
    def saliency(self) -> np.ndarray | None:
        """(H, W) float32 in [0, 1] for the prediction; None if not requested."""
        return None if self.saliency_map is None else stretch_map(self.saliency_map, self.shape)

    @property
    def suspicious(self) -> bool:
        """Whether the probability of malignancy reaches the bundle's decision threshold."""
        return self.classification.suspicious_probability >= self.manifest.suspicious_threshold

    @property
    def unknown(self) -> bool:
        """Whether the image is out of distribution for the bundle; False if the bundle cannot tell."""
        return self.novelty is not None and self.novelty > self.manifest.novelty.threshold

    @property
    def conformal_set(self) -> tuple[str, ...] | None:
        """The prediction set: codes that include the true class at the bundle's confidence level.

        Most probable first; may be empty. None if the bundle states no quantiles.
        """
        if self.manifest.conformal is None:
            return None
        answer = self.classification
        members = prediction_set(answer.probabilities, self.manifest.conformal.class_quantiles)
        inside = {code for code, member in zip(answer.classes, members, strict=True) if member}
        return tuple(code for code, _, _ in answer.ranked() if code in inside)

    @property
    def balanced_prediction(self) -> str | None:
        """The class that the rule for balanced accuracy picks; None if the bundle states no rule."""
        if self.manifest.decision_offsets is None:
            return None
        answer = self.classification
        return answer.classes[int(decide(answer.probabilities, self.manifest.decision_offsets))]

    @property
    def lesion_area_fraction(self) -> float:
        """Share of the image that is lesion; 0 if none was found."""
        return float(self.lesion.lesion_mask.mean())

    @property
    def plausible_masks(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The tightest and the widest plausible mask, (h, w) bool in the shape of `mask_map`.

        None without a lesion, or where the bundle does not say how far experts differ.
        """
        band = read_band(self.manifest)
        return (
            plausible_masks(self.mask_map, self.lesion.lesion_mask, band)
            if band and self.lesion.found
            else None
        )

    def measure_plausible(self) -> tuple[Morphology, ...]:
        """`morphology` and that of the tightest and of the widest plausible outline; () where there are none."""
        if self.morphology is None or (masks := self.plausible_masks) is None:
            return ()
        pixels, spacing_mm = self.image.pixels, self.image.pixel_spacing_mm
        ends = (measure_lesion(pixels, resize_mask(mask, self.shape), spacing_mm) for mask in masks)
        return (self.morphology, *(end for end in ends if end is not None))

    @property
    def total_ms(self) -> float:
        return sum(self.stage_ms.values())


def _check_image(name: str, image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"`{name}` must be (H, W, 3) uint8; got {image.shape} {image.dtype}.")
