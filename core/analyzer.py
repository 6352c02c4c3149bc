"""The one door: `Analyzer.analyze(image) -> Analysis`.

Stateless and safe to share between threads: an image goes through reading, quality, preprocessing,
segmentation, refinement, morphology, classification and explanation, one line a stage below. The same
bytes and settings always give the same answer.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.classification import Classification, ClassifierInput, classify
from core.config import AnalysisSettings
from core.explanation import compute_saliency
from core.image_io import LoadedImage, read_image
from core.morphology import Morphology, measure_lesion
from core.preprocessing import preprocess
from core.quality import QualityReport, assess_quality
from core.refinement import RefinedMask, refine_mask
from core.segmentation import predict_masks
from core.symmetry import N_SYMMETRIES
from models.loading import Bundle, load_bundle
from models.manifest import Manifest

ImageSource = LoadedImage | bytes | str | Path | np.ndarray


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything one image was found to be.

    Attributes:
        image: what was read; `image.pixels` is (H, W, 3) uint8 RGB.
        preprocessed: (H, W, 3) uint8, what the networks saw.
        quality: warnings about the image.
        mask_probability: (H, W) float32 in [0, 1].
        lesion: (H, W) mask and contour; `lesion.found` says whether there is one.
        morphology: ABCD measurements; None without a lesion.
        classification: calibrated class probabilities.
        saliency: (H, W) float32 in [0, 1] for the prediction; None if not asked for.
        settings: what the caller chose.
        manifest: of the bundle that answered.
        stage_ms: milliseconds by stage; in a batch, the batch's time divided by its size.
    """

    image: LoadedImage
    preprocessed: np.ndarray
    quality: QualityReport
    mask_probability: np.ndarray
    lesion: RefinedMask
    morphology: Morphology | None
    classification: Classification
    saliency: np.ndarray | None
    settings: AnalysisSettings
    manifest: Manifest
    stage_ms: dict[str, float]

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the image."""
        return self.image.pixels.shape[:2]

    @property
    def suspicious(self) -> bool:
        """Whether the suspicious share reaches the bundle's threshold."""
        return self.classification.suspicious_probability >= self.manifest.suspicious_threshold

    @property
    def lesion_area_fraction(self) -> float:
        """Share of the image that is lesion; 0 if none was found."""
        return float(self.lesion.lesion_mask.mean())

    @property
    def total_ms(self) -> float:
        return sum(self.stage_ms.values())


class _Stopwatch:
    """Collects the time of each stage."""

    def __init__(self) -> None:
        self.stage_ms: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + (time.perf_counter() - started) * 1000


class Analyzer:
    """Runs a bundle's networks on images. Create once, share freely."""

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        manifest = bundle.manifest
        self._seen = ClassifierInput(
            classes=manifest.classes,
            input_size_px=manifest.classifier.input_size_px,
            long_side_px=manifest.classifier.long_side_px,
            windows=manifest.views,
            crop_margin=manifest.crop_margin,
            temperature=manifest.temperature,
        )

    @classmethod
    def load(cls, folder: str | Path | None = None) -> "Analyzer":
        """The analyser of a bundle's folder; the shipped one, or `DERMALENS_WEIGHTS`, if None.

        Raises:
            BundleError: the bundle is missing or damaged.
        """
        return cls(load_bundle(folder))

    @property
    def default_settings(self) -> AnalysisSettings:
        """What the bundle states works best on its validation split."""
        return AnalysisSettings(preprocessing=self.bundle.manifest.preprocessing)

    def analyze(self, source: ImageSource, settings: AnalysisSettings | None = None) -> Analysis:
        """Inspect one image.

        Args:
            source: bytes, a path, an (H, W, 3) uint8 array, or what `read_image` returned.
            settings: the bundle's defaults if None.

        Raises:
            ImageError: the image is refused; the message says why and what to do.
        """
        [analysis] = self.analyze_batch([source], settings)
        started = time.perf_counter()
        saliency = self.explain(analysis, analysis.classification.prediction)
        elapsed = (time.perf_counter() - started) * 1000
        return replace(analysis, saliency=saliency, stage_ms=analysis.stage_ms | {"explanation": elapsed})

    def analyze_batch(
        self, sources: Sequence[ImageSource], settings: AnalysisSettings | None = None
    ) -> list[Analysis]:
        """Inspect several images, without saliency; they go through the networks together."""
        settings = settings or self.default_settings
        n_views = N_SYMMETRIES if settings.test_time_augmentation else 1
        bundle, segmenter, watch = self.bundle, self.bundle.manifest.segmenter, _Stopwatch()
        with watch.time("reading"):
            loaded = [s if isinstance(s, LoadedImage) else read_image(s) for s in sources]
            images = [image.pixels for image in loaded]
        with watch.time("preprocessing"):
            cleaned = [preprocess(image, settings.preprocessing) for image in images]
        with watch.time("segmentation"):
            sizes = {"input_size_px": segmenter.input_size_px, "long_side_px": segmenter.long_side_px}
            maps = predict_masks(bundle.segmenter, cleaned, **sizes, n_views=n_views)
        with watch.time("refinement"):
            lesions = [refine_mask(mask_probability) for mask_probability in maps]
            masks = [lesion.lesion_mask for lesion in lesions]
        with watch.time("classification"):
            networks = bundle.feature_network, bundle.head_network
            answers = classify(*networks, cleaned, masks, self._seen, n_views)
        with watch.time("quality"):
            quality = [assess_quality(image, mask) for image, mask in zip(images, masks, strict=True)]
        with watch.time("morphology"):
            shapes = [
                measure_lesion(one.pixels, mask, one.pixel_spacing_mm)
                for one, mask in zip(loaded, masks, strict=True)
            ]
        stage_ms = {stage: ms / len(loaded) for stage, ms in watch.stage_ms.items()}
        return [
            Analysis(*parts, saliency=None, settings=settings, manifest=bundle.manifest, stage_ms=stage_ms)
            for parts in zip(loaded, cleaned, quality, maps, lesions, shapes, answers, strict=True)
        ]

    def explain(self, analysis: Analysis, code: str, method: str = "gradcam") -> np.ndarray:
        """(H, W) saliency in [0, 1] of any class, from the features that the analysis kept.

        Raises:
            ValueError: the code or the method is unknown.
        """
        return compute_saliency(self.bundle.head_model, analysis.classification, code, analysis.shape, method)
