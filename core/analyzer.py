"""The facade of the engine: `Analyzer.analyze(image) -> Analysis`.

Stateless and safe to share between threads: an image goes through reading, quality, preprocessing,
segmentation, refinement, morphology, classification and explanation, one line a stage below. The same
bytes and settings always give the same answer.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.analysis import Analysis
from core.diagnosis.classification import Classification, ClassifierInput, classify, classify_copies
from core.diagnosis.explanation import compute_evidence, compute_saliency
from core.diagnosis.novelty import load_novelty, pool_features
from core.diagnosis.structures import load_structures
from core.images.preprocessing import OUTLINE_SIDE_PX, limit_long_side, limit_shape, preprocess
from core.images.quality import assess_quality
from core.images.reading import LoadedImage, read_image
from core.lesion.morphology import measure_lesion
from core.lesion.refinement import RefinedMask, refine_mask
from core.lesion.segmentation import predict_masks, stretch_map
from core.settings import AnalysisSettings, default_settings
from core.taxonomy import get_diagnosis
from models.loading import Bundle, import_runtime, load_bundle
from models.manifest import BundleError, Manifest

Result = TypeVar("Result")
ImageSource = LoadedImage | bytes | str | Path | np.ndarray


class _Stopwatch:
    """Runs stages and keeps how long each took; a stage may have several parts."""

    def __init__(self) -> None:
        self.stage_ms: dict[str, float] = {}

    def __call__(self, stage: str, function: Callable[..., Result], *arguments) -> Result:
        started = time.perf_counter()
        result = function(*arguments)
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + (time.perf_counter() - started) * 1000
        return result


class Analyzer:
    """Runs a bundle's networks on images. Create once, share freely."""

    def __init__(self, bundle: Bundle):
        """An analyser with these networks.

        Raises:
            BundleError: a class or a filter that the engine does not know, or a damaged novelty model.
        """
        _check_classes(bundle.manifest)
        self.bundle = bundle
        self.manifest = bundle.manifest
        # What the bundle states works best on its validation split.
        self.default_settings = default_settings(bundle.manifest)
        self._seen = classifier_input(self.manifest)
        self._novelty = load_novelty(self.manifest)
        self._structures = load_structures(self.manifest)

    @classmethod
    def load(cls, folder: str | Path | None = None) -> "Analyzer":
        """The analyser of a bundle's folder; the shipped one, or `DERMALENS_WEIGHTS`, if None.

        Raises:
            BundleError: the bundle is missing or damaged.
        """
        with ThreadPoolExecutor(1) as pool:
            pool.submit(warm_up)
            return cls(load_bundle(folder))

    def analyze(self, source: ImageSource, settings: AnalysisSettings | None = None) -> Analysis:
        """Inspect one image.

        Args:
            source: bytes, a path, an (H, W, 3) uint8 array, or what `read_image` returned.
            settings: the bundle's defaults if None.

        Raises:
            ImageError: the image is refused; the message says why and what to do.
            ValueError: the image has no spot of the number that the settings ask for.
        """
        [analysis] = self.analyze_batch([source], settings)
        watch = _Stopwatch()
        saliency = watch("explanation", self._explain, analysis, analysis.classification.prediction)
        return replace(analysis, saliency_map=saliency, stage_ms=analysis.stage_ms | watch.stage_ms)

    def analyze_batch(
        self, sources: Sequence[ImageSource], settings: AnalysisSettings | None = None
    ) -> list[Analysis]:
        """Inspect several images, without saliency; they go through the networks together."""
        if not sources:
            return []
        settings = settings or self.default_settings
        watch = _Stopwatch()
        loaded = watch("reading", _each, _read, sources)
        images = [image.pixels for image in loaded]
        small = watch("preprocessing", _each, self._shrink, images)
        filtered = watch("preprocessing", _each, preprocess, small, [settings.preprocessing] * len(images))
        maps = watch("segmentation", self._segment, small, images, settings)
        lesions = watch("refinement", _each, _refine(settings.spot), maps, images)
        masks = [lesion.lesion_mask for lesion in lesions]
        answers = watch("classification", self._classify, filtered, masks, settings)
        quality = watch("quality", _each, assess_quality, images, masks)
        found = [(*image.findings, *lesion.findings) for image, lesion in zip(loaded, lesions, strict=True)]
        quality = [report.with_findings(more) for report, more in zip(quality, found, strict=True)]
        spacings = [image.pixel_spacing_mm for image in loaded]
        shapes = watch("morphology", _each, measure_lesion, images, masks, spacings)
        novelty = _each(self._score_novelty, answers)
        structures = _each(self._find_structures, answers)
        stage_ms = {stage: ms / len(loaded) for stage, ms in watch.stage_ms.items()}
        columns = {
            "image": loaded,
            "preprocessed": filtered,
            "quality": quality,
            "mask_map": maps,
            "lesion": lesions,
            "morphology": shapes,
            "classification": answers,
            "novelty": novelty,
            "structures": structures,
        }
        shared = {"saliency_map": None, "settings": settings, "manifest": self.manifest, "stage_ms": stage_ms}
        rows = zip(*columns.values(), strict=True)
        return [Analysis(**dict(zip(columns, row, strict=True)), **shared) for row in rows]

    def _shrink(self, image: np.ndarray) -> np.ndarray:
        return limit_long_side(image, self.manifest.working_side_px)

    def _segment(self, small, images, settings: AnalysisSettings) -> list[np.ndarray]:
        entry = self.manifest.segmenter
        shapes = [limit_shape(image.shape[:2], OUTLINE_SIDE_PX) for image in images]
        sizes = {"input_size_px": entry.input_size_px, "long_side_px": entry.long_side_px}
        return predict_masks(self.bundle.segmenter, small, shapes, **sizes, n_views=settings.n_views)

    def _classify(self, filtered, masks, settings: AnalysisSettings) -> list[Classification]:
        networks = self.bundle.feature_network, self.bundle.head_network
        return classify(*networks, filtered, masks, self._seen, settings.n_views)

    def _score_novelty(self, answer: Classification) -> float | None:
        """From the features at hand: the first view of the first window is the whole image as it is."""
        return (
            None if self._novelty is None else float(self._novelty.score(pool_features(answer.features[0])))
        )

    def _find_structures(self, answer: Classification) -> dict[str, float] | None:
        if self._structures is None:
            return None
        found = self._structures.predict(pool_features(answer.features[0]))
        return dict(zip(self._structures.names, map(float, found), strict=True))

    def explain(self, analysis: Analysis, code: str, method: str = "gradcam") -> np.ndarray:
        """(H, W) saliency in [0, 1] of any class, from the features that the analysis kept.

        Raises:
            ValueError: the code or the method is unknown.
        """
        return stretch_map(self._explain(analysis, code, method), analysis.shape)

    def classify_copies(self, analysis: Analysis, copies: Sequence[np.ndarray]) -> np.ndarray:
        """(N, K) probabilities of changed copies of `analysis.preprocessed`, in one view of the same windows."""
        networks = self.bundle.feature_network, self.bundle.head_network
        return classify_copies(*networks, copies, analysis.classification.boxes, analysis.shape, self._seen)

    def _explain(self, analysis: Analysis, code: str, method: str = "gradcam") -> np.ndarray:
        """(h, w) at `OUTLINE_SIDE_PX` at most."""
        shape = limit_shape(analysis.shape, OUTLINE_SIDE_PX)
        return compute_saliency(self.bundle.head, analysis.classification, code, shape, method)

    def explain_structure(self, analysis: Analysis, name: str) -> np.ndarray:
        """(H, W) float32 in [0, 1]: where a dermoscopic structure was found, see `compute_evidence`.

        Raises:
            ValueError: the bundle reports no such structure.
        """
        if self._structures is None:
            raise ValueError(f"{self.manifest.name} has no probe of dermoscopic structures.")
        return compute_evidence(self._structures, analysis.classification, name, analysis.shape)

    def classify_with(self, analysis: Analysis, lesion_mask: np.ndarray) -> Classification:
        """The answer to the same picture if another outline were the lesion's, (H, W) bool."""
        [answer] = self._classify([analysis.preprocessed], [lesion_mask], analysis.settings)
        return answer


def warm_up() -> None:
    """Do beforehand what delays the first analysis and needs no networks: about 30 MB."""
    import_runtime()
    # The first colour conversion fills OpenCV's tables, which lasts a tenth of a second.
    assess_quality(np.zeros((8, 8, 3), np.uint8))


def classifier_input(manifest: Manifest) -> ClassifierInput:
    """What a bundle's classifier sees, as its manifest states it."""
    return ClassifierInput(
        classes=manifest.classes,
        input_size_px=manifest.classifier.input_size_px,
        long_side_px=manifest.classifier.long_side_px,
        windows=manifest.views,
        crop_margin=manifest.crop_margin,
        temperature=manifest.temperature,
    )


def _read(source: ImageSource) -> LoadedImage:
    return source if isinstance(source, LoadedImage) else read_image(source)


def _refine(spot: int) -> Callable[[np.ndarray, np.ndarray], RefinedMask]:
    return lambda found, image: refine_mask(found, spot=spot, shape=image.shape[:2])


def _each(function: Callable[..., Result], *columns: Sequence) -> list[Result]:
    return [function(*row) for row in zip(*columns, strict=True)]


def _check_classes(manifest: Manifest) -> None:
    for code in manifest.classes:
        try:
            get_diagnosis(code)
        except ValueError as error:
            raise BundleError(f"{manifest.folder} does not fit this engine: {error}") from error
