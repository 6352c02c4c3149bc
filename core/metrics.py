"""The one implementation of every metric: used by training, evaluation and pages alike.

Conventions:

* Undefined is NaN, never a number that looks like a score: Dice of two empty masks, AUC with one outcome,
  anything over no images.
* Class metrics average over the classes that can be scored and leave the others out.
* Images of one lesion are not independent: `grouped_bootstrap` resamples lesions.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

from core.taxonomy import suspicious_flags

NAN = math.nan
# Slack for comparing a rate such as 19/20 with a target such as 0.95 in floating point.
_TOLERANCE = 1e-9


# --- segmentation: two bool masks of one shape


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|); NaN when both masks are empty. Symmetric.

    >>> dice(np.array([True, True, False]), np.array([True, False, False])) == 2 / 3
    True
    """
    both, total = _overlap(a, b)
    return _ratio(2 * both, total)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """|A and B| / |A or B|; NaN when both masks are empty. Symmetric."""
    both, total = _overlap(a, b)
    return _ratio(both, total - both)


def thresholded_jaccard(a: np.ndarray, b: np.ndarray, threshold: float = 0.65) -> float:
    """Jaccard, or 0 below `threshold`: a mask that a reader would call failed earns nothing.

    Reference:
        ISIC 2018 challenge, task 1; Codella et al. (2019), arXiv:1902.03368. 0.65 is theirs.
    """
    return _threshold(jaccard(a, b), threshold)


def pixel_accuracy(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Share of pixels on which the masks agree; NaN for masks without pixels."""
    _check_masks(predicted, reference)
    return _ratio(np.count_nonzero(predicted == reference), reference.size)


def mask_sensitivity(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Share of the reference lesion that was found; NaN when the reference is empty."""
    _check_masks(predicted, reference)
    return _ratio(np.count_nonzero(predicted & reference), np.count_nonzero(reference))


def mask_specificity(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Share of the reference skin that was left alone; NaN when there is no skin in the reference."""
    _check_masks(predicted, reference)
    return _ratio(np.count_nonzero(~predicted & ~reference), np.count_nonzero(~reference))


def segmentation_scores(dices: np.ndarray, jaccards: np.ndarray, threshold: float = 0.65) -> dict[str, float]:
    """Means over images of per-image scores, leaving out images without a lesion in either mask.

    Args:
        dices: (N,) floats, one an image; NaN for undefined.
        jaccards: (N,) floats in the same order.
        threshold: Jaccard below which a mask counts as failed.

    Returns:
        dice, jaccard, thresholded_jaccard, share_failed, n_images (those scored); NaN means over none.
    """
    dices, jaccards = np.asarray(dices, np.float64), np.asarray(jaccards, np.float64)
    if dices.ndim != 1 or dices.shape != jaccards.shape:
        raise ValueError(f"`dices` and `jaccards` must be (N,); got {dices.shape} and {jaccards.shape}.")
    scored = ~(np.isnan(dices) | np.isnan(jaccards))
    dices, jaccards = dices[scored], jaccards[scored]
    return {
        "dice": _mean(dices),
        "jaccard": _mean(jaccards),
        "thresholded_jaccard": _mean([_threshold(value, threshold) for value in jaccards]),
        "share_failed": _mean(jaccards < threshold),
        "n_images": float(len(jaccards)),
    }


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
    matrix = _confusion(y_true, probabilities)
    return _ratio(np.trace(matrix), matrix.sum())


def balanced_accuracy(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean recall over the classes present in `y_true`."""
    matrix = _confusion(y_true, probabilities)
    present = matrix.sum(axis=1) > 0
    return _mean(np.diag(matrix)[present] / matrix.sum(axis=1)[present])


def macro_f1(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean F1 over the classes that occur in `y_true` or are predicted."""
    matrix = _confusion(y_true, probabilities)
    support = matrix.sum(axis=0) + matrix.sum(axis=1)
    return _mean(2 * np.diag(matrix)[support > 0] / support[support > 0])


def class_roc_auc(y_true: np.ndarray, probabilities: np.ndarray, k: int) -> float:
    """Area under the ROC curve of class `k` against the rest; NaN unless both occur."""
    y_true, probabilities = _check_scores(y_true, probabilities)
    return _roc_auc(y_true == k, probabilities[:, k])


def macro_roc_auc(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean one-against-rest AUC over the classes for which both outcomes occur."""
    y_true, probabilities = _check_scores(y_true, probabilities)
    aucs = np.array([_roc_auc(y_true == k, scores) for k, scores in enumerate(probabilities.T)])
    return _mean(aucs[~np.isnan(aucs)])


def log_loss(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean negative log probability of the true class, in nats; probabilities clipped at 2.2e-16."""
    y_true, probabilities = _check_scores(y_true, probabilities)
    true_probability = probabilities[np.arange(len(y_true)), y_true]
    return _mean(-np.log(np.clip(true_probability, np.finfo(np.float64).eps, 1.0)))


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
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    gaps = np.bincount(bins, weights=confidence - correct, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(y_true))


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
        scores[f"recall_{code}"] = _ratio(matrix[k, k], matrix[k].sum())
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
    y_true, score = _check_binary(y_true, score, specificity, "specificity")
    if y_true.all() or not y_true.any():
        return NAN
    false_positive_rate, sensitivity, _ = roc_curve(y_true, score, drop_intermediate=False)
    return float(sensitivity[1 - false_positive_rate >= specificity - _TOLERANCE].max())


def threshold_for_sensitivity(y_true: np.ndarray, score: np.ndarray, sensitivity: float = 0.95) -> float:
    """Largest threshold whose sensitivity is at least the target; NaN without positives.

    >>> threshold_for_sensitivity(np.array([True, True, False]), np.array([0.9, 0.4, 0.6]), 0.5)
    0.9
    """
    y_true, score = _check_binary(y_true, score, sensitivity, "sensitivity")
    positives = np.sort(score[y_true])[::-1]
    if not len(positives):
        return NAN
    return float(positives[math.ceil(sensitivity * len(positives) - _TOLERANCE) - 1])


# --- uncertainty


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits; NaN limits when they are undefined."""

    estimate: float
    low: float
    high: float


def grouped_bootstrap(
    statistic: Callable[..., float],
    groups: np.ndarray,
    *arrays: np.ndarray,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of `statistic(*arrays)`, drawing whole groups (lesions) with replacement.

    Args:
        statistic: takes `arrays`, rows resampled together, and returns a float or NaN.
        groups: (N,) lesion of each row.
        arrays: one or more arrays of N rows.
        n_resamples: number of draws.
        seed: of the draws; the same seed gives the same interval.
        confidence: share between the limits.

    Returns:
        The estimate on all rows with its limits. Draws on which the statistic is NaN are left out; the
        limits are NaN with fewer than two groups or when fewer than half of the draws are defined.

    Raises:
        ValueError: lengths differ, no array, no draw, or `confidence` outside (0, 1).

    Reference:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap; cluster resampling after Davison
        and Hinkley (1997), section 3.8.
    """
    groups = np.asarray(groups)
    arrays = tuple(np.asarray(array) for array in arrays)
    if not arrays or any(len(array) != len(groups) for array in arrays):
        raise ValueError(
            f"`arrays` must each have {len(groups)} rows like `groups`; got {[len(a) for a in arrays]}."
        )
    if n_resamples < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"`n_resamples` must be positive and `confidence` in (0, 1); got {n_resamples} and {confidence}."
        )
    estimate = float(statistic(*arrays))
    _, numbers = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
    if len(members) < 2:
        return Interval(estimate, NAN, NAN)
    rng = np.random.default_rng(seed)
    values = np.empty(n_resamples)
    for i in range(n_resamples):
        rows = np.concatenate([members[g] for g in rng.integers(len(members), size=len(members))])
        values[i] = statistic(*(array[rows] for array in arrays))
    values = values[~np.isnan(values)]
    if 2 * len(values) < n_resamples:
        return Interval(estimate, NAN, NAN)
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(estimate, float(low), float(high))


# --- shared parts


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else NAN


def _mean(values: np.ndarray | Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else NAN


def _threshold(value: float, threshold: float) -> float:
    return 0.0 if value < threshold else float(value)  # NaN stays NaN


def _check_masks(a: np.ndarray, b: np.ndarray) -> None:
    if a.dtype != np.bool_ or b.dtype != np.bool_ or a.shape != b.shape:
        raise ValueError(
            f"masks must be bool and of one shape; got {a.shape} {a.dtype} and {b.shape} {b.dtype}. "
            "Binarise with `mask > threshold` first."
        )


def _overlap(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Pixels in both masks, and the sum of the two areas."""
    _check_masks(a, b)
    return np.count_nonzero(a & b), np.count_nonzero(a) + np.count_nonzero(b)


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


def _check_binary(
    y_true: np.ndarray, score: np.ndarray, target: float, name: str
) -> tuple[np.ndarray, np.ndarray]:
    y_true, score = np.asarray(y_true), np.asarray(score, np.float64)
    if y_true.ndim != 1 or y_true.dtype != np.bool_ or score.shape != y_true.shape:
        raise ValueError(
            f"`y_true` must be (N,) bool and `score` (N,); got {y_true.shape} {y_true.dtype} and {score.shape}."
        )
    if np.isnan(score).any():
        raise ValueError("`score` must not hold NaN; drop or repair those rows first.")
    if not 0 < target <= 1:
        raise ValueError(f"`{name}` must lie in (0, 1]; got {target}.")
    return y_true, score


def _confusion(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    y_true, probabilities = _check_scores(y_true, probabilities)
    return confusion_matrix(y_true, probabilities.argmax(axis=1), probabilities.shape[1])


def _roc_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Share of positive-negative pairs in the right order, ties counting half (Mann-Whitney).

    By ranks: several times faster than tracing the curve, which the bootstrap feels.
    """
    n_positive = np.count_nonzero(positive)
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return NAN
    rank_sum = rankdata(score)[positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))
