"""Measurements on the validation split that a bundle's choices are based on: arrays in, numbers out.

Every stage is the engine's own (`predict_masks`, `refine_mask`, `classify`), so the measurements hold for
an analysis.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from tqdm import tqdm

from core.datasets.ham10000 import load_pixels, read_mask
from core.diagnosis.classification import Classification, ClassifierInput, classify
from core.evaluation.mask_metrics import dice, jaccard, segmentation_scores
from core.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    expected_calibration_error,
    log_loss,
    macro_roc_auc,
)
from core.images.preprocessing import PreprocessingSettings, preprocess, resize_mask
from core.lesion.refinement import RefinementSettings, refine_mask
from core.lesion.segmentation import predict_masks
from core.taxonomy import codes_among
from models.loading import Bundle
from models.manifest import BundleError, Manifest
from training.data.sets import read_split

CHUNK = 16
# The other sets have too few images for validation to decide anything by them.
VALIDATED_SETS = ("ham10000", "milk10k")


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """A split in memory, and the bundle to measure on it.

    Attributes:
        rows: N rows of the dataset.
        images: each (H, W, 3) uint8.
        masks: each (H, W) bool, the experts'; None where no expert drew one.
        labels: (N,) class numbers.
        bundle: not trained on any of the images.
    """

    rows: pd.DataFrame
    images: list[np.ndarray]
    masks: list[np.ndarray | None]
    labels: np.ndarray
    bundle: Bundle

    @classmethod
    def read(cls, data, bundle: Bundle, limit: int | None = None, every: int = 1) -> "LabelledImages":
        """The first `limit` images of the validation split of `validated_sets`, or all; or every so many of them.

        Images of other classes are left out.
        """
        rows = read_split(data, "validation", validated_sets(bundle.manifest))
        rows = rows.assign(dx=codes_among(rows["dx"], bundle.manifest.classes))
        rows = rows[rows["dx"] != ""][::every].reset_index(drop=True)[:limit]
        images = load_pixels(rows, long_side_px=10_000)
        masks = [
            read_expert_mask(path, i.shape[:2]) for path, i in zip(rows["mask_path"], images, strict=True)
        ]
        place = {code: k for k, code in enumerate(bundle.manifest.classes)}
        return cls(rows, images, masks, rows["dx"].map(place).to_numpy(np.int64), bundle)

    @property
    def sets(self) -> np.ndarray:
        """(N,) name of each image's set."""
        return self.rows["dataset"].to_numpy(object)

    def every(self, stride: int) -> "LabelledImages":
        """Every `stride`-th image."""
        part = slice(None, None, stride)
        return LabelledImages(
            self.rows[part], self.images[part], self.masks[part], self.labels[part], self.bundle
        )

    def filtered(self, settings: PreprocessingSettings) -> "LabelledImages":
        """The same images as the classifier sees them behind these filters."""
        return replace(self, images=[preprocess(image, settings) for image in self.images])

    def chunks(self, what: str) -> Iterator[slice]:
        """A few images at a time."""
        for start in tqdm(range(0, len(self.images), CHUNK), desc=what, leave=False):
            yield slice(start, start + CHUNK)


def read_expert_mask(path: str, shape: tuple[int, int]) -> np.ndarray | None:
    """An expert's mask, (H, W) bool in that shape; None where there is no file."""
    return resize_mask(read_mask(path), shape) if path else None


def validated_sets(manifest: Manifest) -> tuple[str, ...]:
    """Those of `VALIDATED_SETS` that a bundle's classifier was trained on: its decisions are made on them."""
    return tuple(name for name in VALIDATED_SETS if name in manifest.training_sets)


def require_unseen(manifest: Manifest, split: str) -> None:
    """Refuse to evaluate a bundle on a split that it was trained on.

    Raises:
        BundleError: it was; its scores there would be too high.
    """
    if split in manifest.training_splits:
        raise BundleError(
            f"{manifest.name} version {manifest.version} was trained on the {split} split: "
            "its scores there would be too high. Train on other images, or evaluate the test split."
        )


def predict_all_masks(split: LabelledImages, n_views: int) -> list[np.ndarray]:
    """Probability maps of all images, chunk by chunk."""
    maps: list[np.ndarray] = []
    entry = split.bundle.manifest.segmenter
    sizes = {"input_size_px": entry.input_size_px, "long_side_px": entry.long_side_px}
    for part in split.chunks("masks"):
        maps += predict_masks(split.bundle.segmenter, split.images[part], **sizes, n_views=n_views)
    return maps


def classify_all(
    split: LabelledImages, lesion_masks: Sequence[np.ndarray], seen: ClassifierInput, n_views: int
) -> list[Classification]:
    """Classifications of all images, chunk by chunk, without keeping their features."""
    answers: list[Classification] = []
    networks = split.bundle.feature_network, split.bundle.head_network
    for part in split.chunks("classes"):
        for answer in classify(*networks, split.images[part], lesion_masks[part], seen, n_views):
            answers.append(replace(answer, features=np.empty(0)))
    return answers


def score_masks(masks, truths) -> dict[str, float]:
    """Segmentation scores of predicted against expert masks, where there are any."""
    pairs = [(mask, truth) for mask, truth in zip(masks, truths, strict=True) if truth is not None]
    return segmentation_scores(
        np.array([dice(a, b) for a, b in pairs]), np.array([jaccard(a, b) for a, b in pairs])
    )


def compare_refinements(probabilities, truths) -> dict[str, dict[str, float]]:
    """Segmentation scores of each way to threshold the same probability maps.

    "plain" is p > 0.5 and nothing else; the other three share the cleaning and smoothing.
    """
    return {"plain": score_masks([p > 0.5 for p in probabilities], truths)} | {
        method: score_masks(
            [refine_mask(p, RefinementSettings(method=method)).lesion_mask for p in probabilities], truths
        )
        for method in ("adaptive", "otsu", "fixed")
    }


def compare_filters(
    split: LabelledImages, masks: Sequence[np.ndarray], seen: ClassifierInput
) -> dict[str, dict]:
    """Class scores with no filter and with each filter alone, one view, for lesion masks found without filters."""
    variants = {
        "none": PreprocessingSettings(),
        "hair_removal": PreprocessingSettings(hair_removal=True),
        "colour_constancy": PreprocessingSettings(colour_constancy=True),
        "edge_enhancement": PreprocessingSettings(edge_enhancement=True),
    }
    results = {}
    for name, settings in variants.items():
        answers = classify_all(split.filtered(settings), masks, seen, n_views=1)
        probabilities = np.stack([answer.probabilities for answer in answers])
        scores = view_scores(split.labels, probabilities, split.sets)
        results[name] = {key: scores[key] for key in ("balanced_accuracy", "macro_roc_auc")}
        print(name, results[name], flush=True)
    return results


def filters_that_help(results: dict[str, dict]) -> PreprocessingSettings:
    """A filter is on by default only if it raises macro AUC."""
    base = results["none"]["macro_roc_auc"]
    return PreprocessingSettings(
        **{name: scores["macro_roc_auc"] > base for name, scores in results.items() if name != "none"}
    )


def mean_over_sets(metric: Callable, labels: np.ndarray, probabilities: np.ndarray, sets: np.ndarray | None):
    """A metric of each set's images, averaged, so that neither population is given up for the larger one.

    Args:
        metric: of labels and probabilities.
        labels: (N,) class numbers.
        probabilities: (N, K).
        sets: (N,) name of each image's set; None if there is one.
    """
    if sets is None:
        return metric(labels, probabilities)
    parts = [sets == name for name in dict.fromkeys(sets)]
    return float(np.mean([metric(labels[part], probabilities[part]) for part in parts]))


def view_scores(
    labels: np.ndarray, probabilities: np.ndarray, sets: np.ndarray | None = None
) -> dict[str, float]:
    """The scores by which windows and temperature are chosen; for `sets` see `mean_over_sets`."""
    return {
        "accuracy": accuracy(labels, probabilities),
        "balanced_accuracy": mean_over_sets(balanced_accuracy, labels, probabilities, sets),
        "macro_roc_auc": mean_over_sets(macro_roc_auc, labels, probabilities, sets),
        "log_loss": log_loss(labels, probabilities),
        "expected_calibration_error": expected_calibration_error(labels, probabilities),
    }


def apply_temperature(view_probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """(N, K) mean over views of softmax(logits / T), from (N, V, K) views taken at T = 1."""
    logs = np.log(np.clip(view_probabilities, 1e-12, 1.0))
    return softmax(logs / temperature, axis=-1).mean(axis=1)


def fit_temperature(view_probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest log-loss of the averaged views.

    Args:
        view_probabilities: (N, V, K), each view's softmax at temperature 1.
        labels: (N,) class numbers.

    Reference:
        Guo et al. (2017), On calibration of modern neural networks, arXiv:1706.04599.
    """
    fitted = minimize_scalar(
        lambda log_t: log_loss(labels, apply_temperature(view_probabilities, float(np.exp(log_t)))),
        bounds=(np.log(0.1), np.log(10.0)),
        method="bounded",
    )
    return float(np.exp(fitted.x))
