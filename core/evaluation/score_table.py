"""The scores of an evaluation with their 95 % intervals over lesions, all from one set of draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation import confusion, metrics
from core.evaluation.bootstrap import Interval, Resamples, draw_lesions
from core.evaluation.calibration import error_draws
from core.evaluation.predictions import Predictions
from core.evaluation.ranking_draws import ranking_draws
from core.taxonomy import suspicious_flags

MICRO, MACRO, SUSPICIOUS = "micro", "macro", "suspicious"
FAILED_JACCARD = 0.65
_N_BINS = 15


@dataclass(frozen=True)
class ScoreTable:
    """Scores of a classifier.

    Attributes:
        headline: score name -> interval, in the order a page shows them.
        per_class: code -> score name -> interval.
        roc_auc: interval of each class, `MICRO`, `MACRO` and, where both outcomes exist, `SUSPICIOUS`.
        average_precision: the same for precision and recall.
        support: code -> number of images whose true class it is.
        n_images, n_lesions, n_draws: size of the sample, number of bootstrap draws.
    """

    headline: dict[str, Interval]
    per_class: dict[str, dict[str, Interval]]
    roc_auc: dict[str, Interval]
    average_precision: dict[str, Interval]
    support: dict[str, int]
    n_images: int
    n_lesions: int
    n_draws: int


def score_classes(predictions: Predictions, n_resamples: int, seed: int = 0) -> ScoreTable:
    """Every score of the labelled predictions.

    Raises:
        ValueError: no prediction is labelled.
    """
    known = predictions.take(predictions.labelled)
    if not len(known):
        raise ValueError("`predictions` must hold at least one row with a known class.")
    resamples = draw_lesions(known.lesions, n_resamples, seed)
    matrices = confusion_draws(known, resamples)
    areas, precisions = _ranking_draws(known, resamples)
    headline = {
        "balanced_accuracy": confusion.balanced_accuracy(matrices),
        "accuracy": confusion.accuracy(matrices),
        "macro_roc_auc": areas[MACRO],
        "macro_f1": confusion.macro_f1(matrices),
        "cohen_kappa": confusion.cohen_kappa(matrices),
        "log_loss": resamples.means(metrics.image_log_losses(known.labels, known.probabilities)),
        "expected_calibration_error": calibration_draws(known, resamples),
    }
    return ScoreTable(
        headline=_intervals(resamples, headline),
        per_class=_per_class(known.classes, resamples, matrices, areas),
        roc_auc=_intervals(resamples, areas),
        average_precision=_intervals(resamples, precisions),
        support=dict(zip(known.classes, matrices[0].sum(axis=1).astype(int).tolist(), strict=True)),
        n_images=len(known),
        n_lesions=resamples.counts.shape[1],
        n_draws=n_resamples,
    )


def score_masks(frame: pd.DataFrame, n_resamples: int, seed: int = 0) -> dict[str, Interval]:
    """Scores of the masks where the table has `dice` and `jaccard`, else {}; empty cells are left out."""
    values = mask_values(frame)
    if not values:
        return {}
    resamples = draw_lesions(frame["lesion_id"].to_numpy(object).astype(str), n_resamples, seed)
    return _intervals(resamples, {name: resamples.means(column) for name, column in values.items()})


def mask_values(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Score of each image's mask, (N,) with NaN for undefined; {} without `dice` and `jaccard`."""
    if not {"dice", "jaccard"} <= set(frame.columns):
        return {}
    names = ("dice", "jaccard", "mask_accuracy", "mask_sensitivity", "mask_specificity")
    columns = {
        name: pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
        for name in names
        if name in frame
    }
    jaccard = columns["jaccard"]
    if np.isnan(jaccard).all():
        return {}
    # A comparison with NaN is False: an undefined Jaccard stays undefined and is not called failed.
    failed = np.where(np.isnan(jaccard), np.nan, jaccard < FAILED_JACCARD)
    thresholded = np.where(jaccard < FAILED_JACCARD, 0.0, jaccard)
    first = {"dice": columns.pop("dice"), "jaccard": columns.pop("jaccard")}
    return first | {"thresholded_jaccard": thresholded, "share_failed": failed} | columns


def binary_outcomes(predictions: Predictions, target: str) -> tuple[np.ndarray, np.ndarray]:
    """(N,) bool truth and (N,) score of a class code or `SUSPICIOUS` against the rest.

    Args:
        predictions: labelled rows.
        target: a class of the predictions, or `SUSPICIOUS`.
    """
    if target == SUSPICIOUS:
        return suspicious_flags(predictions.classes)[predictions.labels], predictions.malignancy_probability
    k = predictions.classes.index(target)
    return predictions.labels == k, predictions.probabilities[:, k]


def binary_targets(classes: Sequence[str]) -> list[str]:
    """The possible targets: malignancy where both outcomes exist, then each class."""
    flags = suspicious_flags(classes)
    return [SUSPICIOUS, *classes] if flags.any() and not flags.all() else list(classes)


def confusion_draws(known: Predictions, resamples: Resamples) -> np.ndarray:
    """(B + 1, K, K) confusion matrix of the sample and of each draw."""
    k = len(known.classes)
    cells = np.eye(k * k)[known.labels * k + known.predicted]
    return resamples.sums(cells).reshape(-1, k, k)


def _ranking_draws(known: Predictions, resamples: Resamples) -> tuple[dict, dict]:
    """ROC AUC and average precision of each target, each (B + 1,)."""
    targets = binary_targets(known.classes)
    outcomes = [binary_outcomes(known, target) for target in targets]
    draws = ranking_draws([*outcomes, _all_pairs(known)], resamples)
    results = []
    for values in zip(*draws, strict=True):
        found = dict(zip([*targets, MICRO], values, strict=True))
        by_class = np.stack([found[code] for code in known.classes], axis=-1)
        results.append(found | {MACRO: confusion.mean_of_defined(by_class)})
    return results[0], results[1]


def _all_pairs(known: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Every image with every class as one binary decision, for the micro average."""
    is_true = np.eye(len(known.classes), dtype=bool)[known.labels]
    return is_true.ravel(), known.probabilities.ravel()


def calibration_draws(known: Predictions, resamples: Resamples) -> np.ndarray:
    """(B + 1,) expected calibration error, as `core.evaluation.metrics` defines it."""
    confidence = known.probabilities.max(axis=1)
    return error_draws(confidence, known.predicted == known.labels, _N_BINS, resamples)


def _per_class(
    classes: Sequence[str], resamples: Resamples, matrices: np.ndarray, areas: dict[str, np.ndarray]
) -> dict[str, dict[str, Interval]]:
    scores = (confusion.precision, confusion.recall, confusion.f1, confusion.specificity)
    draws = {score.__name__: score(matrices) for score in scores}
    return {
        code: _intervals(
            resamples, {name: values[:, k] for name, values in draws.items()} | {"roc_auc": areas[code]}
        )
        for k, code in enumerate(classes)
    }


def _intervals(resamples: Resamples, draws: dict[str, np.ndarray]) -> dict[str, Interval]:
    return {name: resamples.interval(values) for name, values in draws.items()}
