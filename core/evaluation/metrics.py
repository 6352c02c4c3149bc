"""Metrics of classifiers; with core/evaluation/mask_metrics.py the one implementation for training, evaluation and pages.

Conventions:

* Undefined is NaN, never a number that looks like a score: AUC with one outcome, anything over no images.
* Class metrics average over the classes that can be scored and leave the others out.
* Images of one lesion are not independent: see core/evaluation/bootstrap.py for intervals.
"""

import math
from collections.abc import Sequence

import numpy as np

from core.evaluation import confusion
from core.evaluation.weighted_auc import rank
from core.taxonomy import suspicious_flags

NAN = math.nan
# Slack for comparing a rate such as 19/20 with a target such as 0.95 in floating point.
_TOLERANCE = 1e-9


# --- classification: y_true (N,) int class numbers, probabilities (N, K) with rows that sum to 1


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, n_classes: int) -> np.ndarray:
    """(K, K) int counts: rows are true classes, columns predicted ones."""
    y_true, y_pred = _class_numbers(y_true, n_classes, "y_true"), _class_numbers(y_pred, n_classes, "y_pred")
    if y_true.shape != y_pred.shape:
        raise ValueError(f"`y_true` and `y_pred` must be of one length; got {y_true.shape}, {y_pred.shape}.")
    counts = np.bincount(y_true * n_classes + y_pred, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def accuracy(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of images whose most probable class is the true one."""
    return float(confusion.accuracy(_confusion(y_true, probabilities)))


def balanced_accuracy(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean recall over the classes present in `y_true`."""
    return float(confusion.balanced_accuracy(_confusion(y_true, probabilities)))


def macro_f1(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean F1 over the classes that occur in `y_true` or are predicted."""
    return float(confusion.macro_f1(_confusion(y_true, probabilities)))


def cohen_kappa(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Agreement of the most probable with the true class beyond chance; see `core.evaluation.confusion`."""
    return float(confusion.cohen_kappa(_confusion(y_true, probabilities)))


def class_roc_auc(y_true: np.ndarray, probabilities: np.ndarray, k: int) -> float:
    """Area under the ROC curve of class `k` against the rest; NaN unless both occur."""
    y_true, probabilities = _check_scores(y_true, probabilities)
    return _roc_auc(y_true == k, probabilities[:, k])


def roc_auc(y_true: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve of (N,) bool truth and (N,) scores; NaN with one outcome."""
    return _roc_auc(*_check_binary(y_true, score))


def macro_roc_auc(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean one-against-rest AUC over the classes for which both outcomes occur."""
    y_true, probabilities = _check_scores(y_true, probabilities)
    aucs = np.array([_roc_auc(y_true == k, scores) for k, scores in enumerate(probabilities.T)])
    return mean(aucs[~np.isnan(aucs)])


def log_loss(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean negative log probability of the true class, in nats; probabilities clipped at 2.2e-16."""
    return mean(image_log_losses(y_true, probabilities))


def image_log_losses(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(N,) negative log probability of each image's true class; `log_loss` is their mean."""
    y_true, probabilities = _check_scores(y_true, probabilities)
    true_probability = probabilities[np.arange(len(y_true)), y_true]
    return -np.log(np.clip(true_probability, np.finfo(np.float64).eps, 1.0))


def expected_calibration_error(y_true: np.ndarray, probabilities: np.ndarray, n_bins: int = 15) -> float:
    """Mean gap between confidence (largest probability) and accuracy over equally wide bins (lo, hi].

    Reference:
        Guo et al. (2017), arXiv:1706.04599; 15 bins are theirs.
    """
    y_true, probabilities = _check_scores(y_true, probabilities)
    if n_bins < 1:
        raise ValueError(f"`n_bins` must be at least 1; got {n_bins}.")
    if not len(y_true):
        return NAN
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == y_true
    gaps = np.bincount(confidence_bins(confidence, n_bins), weights=confidence - correct, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(y_true))


def confidence_bins(confidence: np.ndarray, n_bins: int = 15) -> np.ndarray:
    """(N,) number of the bin (lo, hi] of equal width that each confidence in [0, 1] falls into; 0 into the first."""
    return np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)


def classification_scores(
    y_true: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """Every headline score of a classifier in one dict, in the order a table shows them.

    Args:
        y_true: (N,) int class numbers.
        probabilities: (N, K).
        classes: the K diagnosis codes.

    Returns:
        accuracy, balanced_accuracy, macro_roc_auc, macro_f1, log_loss, expected_calibration_error, then
        recall_<code> and roc_auc_<code> per class, roc_auc_suspicious and
        sensitivity_suspicious_at_90_specificity for malignant-or-in-situ against benign, and n_images.
    """
    y_true, probabilities = _check_scores(y_true, probabilities)
    if len(classes) != probabilities.shape[1]:
        raise ValueError(f"`classes` must name {probabilities.shape[1]} classes; got {len(classes)}.")
    scores = {
        metric.__name__: metric(y_true, probabilities)
        for metric in (
            accuracy,
            balanced_accuracy,
            macro_roc_auc,
            macro_f1,
            log_loss,
            expected_calibration_error,
        )
    }
    matrix = _confusion(y_true, probabilities)
    for k, code in enumerate(classes):
        scores[f"recall_{code}"] = ratio(matrix[k, k], matrix[k].sum())
    for k, code in enumerate(classes):
        scores[f"roc_auc_{code}"] = _roc_auc(y_true == k, probabilities[:, k])
    flags = suspicious_flags(classes)
    suspicious, score = flags[y_true], probabilities[:, flags].sum(axis=1)
    scores["roc_auc_suspicious"] = _roc_auc(suspicious, score)
    scores["sensitivity_suspicious_at_90_specificity"] = sensitivity_at_specificity(suspicious, score)
    scores["n_images"] = float(len(y_true))
    return scores


# --- binary: y_true (N,) bool, score (N,) higher for positive; positive means score >= threshold


def sensitivity_at_specificity(y_true: np.ndarray, score: np.ndarray, specificity: float = 0.90) -> float:
    """Best sensitivity of any threshold whose specificity is at least the target; NaN with one outcome."""
    y_true, score = _check_binary(y_true, score)
    _check_share(specificity, "specificity")
    if y_true.all() or not y_true.any():
        return NAN
    from sklearn.metrics import roc_curve  # half a second to import: not for pages that only open

    false_positive_rate, sensitivity, _ = roc_curve(y_true, score, drop_intermediate=False)
    return float(sensitivity[1 - false_positive_rate >= specificity - _TOLERANCE].max())


def threshold_for_sensitivity(y_true: np.ndarray, score: np.ndarray, sensitivity: float = 0.95) -> float:
    """Largest threshold whose sensitivity is at least the target; NaN without positives.

    >>> threshold_for_sensitivity(np.array([True, True, False]), np.array([0.9, 0.4, 0.6]), 0.5)
    0.9
    """
    y_true, score = _check_binary(y_true, score)
    _check_share(sensitivity, "sensitivity")
    positives = np.sort(score[y_true])[::-1]
    if not len(positives):
        return NAN
    return float(positives[math.ceil(sensitivity * len(positives) - _TOLERANCE) - 1])


# --- shared parts


def ratio(numerator: float, denominator: float) -> float:
    """The quotient; NaN over nothing."""
    return float(numerator / denominator) if denominator else NAN


def mean(values: np.ndarray | Sequence[float]) -> float:
    """The arithmetic mean; NaN over nothing."""
    return float(np.mean(values)) if len(values) else NAN


def _class_numbers(y: np.ndarray, n_classes: int, name: str) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim != 1 or (y.size and not np.issubdtype(y.dtype, np.integer)):
        raise ValueError(f"`{name}` must be (N,) integers; got {y.shape} {y.dtype}.")
    if y.size and not (y.min() >= 0 and y.max() < n_classes):
        raise ValueError(f"`{name}` must lie in 0..{n_classes - 1}; got {y.min()} to {y.max()}.")
    return y.astype(np.int64)


def _check_scores(y_true: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or len(probabilities) != len(y_true):
        raise ValueError(
            f"`probabilities` must be ({len(y_true)}, K) like `y_true`; got {probabilities.shape}."
        )
    sums = probabilities.sum(axis=1)
    if not ((probabilities >= 0).all() and np.allclose(sums, 1, atol=1e-3)):
        raise ValueError(
            "`probabilities` must be finite, not negative and sum to 1 in each row; "
            "apply the softmax to logits first."
        )
    return _class_numbers(y_true, probabilities.shape[1], "y_true"), probabilities


def _check_binary(y_true: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y_true, score = np.asarray(y_true), np.asarray(score, np.float64)
    if y_true.ndim != 1 or y_true.dtype != np.bool_ or score.shape != y_true.shape:
        raise ValueError(
            f"`y_true` must be (N,) bool and `score` (N,); got {y_true.shape} {y_true.dtype} and {score.shape}."
        )
    if np.isnan(score).any():
        raise ValueError("`score` must not hold NaN; drop or repair those rows first.")
    return y_true, score


def _check_share(target: float, name: str) -> None:
    if not 0 < target <= 1:
        raise ValueError(f"`{name}` must lie in (0, 1]; got {target}.")


def _confusion(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    y_true, probabilities = _check_scores(y_true, probabilities)
    return confusion_matrix(y_true, probabilities.argmax(axis=1), probabilities.shape[1])


def _roc_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Share of positive-negative pairs in the right order, ties counting half; NaN with one outcome."""
    area, _ = rank(positive, score).score(np.ones((len(score), 1), np.float32))
    return float(area[0])
