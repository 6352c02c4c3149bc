"""Conformal prediction sets: sets of classes that include the true one with a stated coverage.

A class is in the set when 1 - its probability stays within a quantile of the same number over images
with known labels (the calibration split). One quantile for all classes covers the stated share of all
images; one quantile a class (Mondrian) covers that share of each class, rare ones and melanoma too.

Reference:
    Sadinle, Lei, Wasserman (2019), Least ambiguous set-valued classifiers, doi:10.1080/01621459.2017.1395341;
    Vovk (2012), Conditional validity of inductive conformal predictors, arXiv:1209.2673.
"""

import math

import numpy as np

# Slack for a probability that equals its own quantile in floating point.
_TOLERANCE = 1e-8


def fit_quantile(scores: np.ndarray, confidence_level: float) -> float:
    """The ceil((n + 1) c)-th smallest of n scores: the finite-sample correction of split conformal.

    Args:
        scores: (n,) 1 - probability of the true class.
        confidence_level: c, the share to be covered, in (0, 1).

    Returns:
        The quantile; 1, which every class meets, when n is too small for the level (n < 9 for 0.9).

    >>> fit_quantile(np.array([0.3, 0.1, 0.2]), 0.5), fit_quantile(np.array([0.3]), 0.9)
    (0.2, 1.0)
    """
    if not 0 < confidence_level < 1:
        raise ValueError(f"`confidence_level` must lie in (0, 1); got {confidence_level}.")
    rank = math.ceil((len(scores) + 1) * confidence_level - _TOLERANCE)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else 1.0


def fit_class_quantiles(probabilities: np.ndarray, labels: np.ndarray, confidence_level: float) -> np.ndarray:
    """(K,) one quantile a class, from the calibration images of that class alone.

    Args:
        probabilities: (N, K) of the calibration images.
        labels: (N,) int class numbers.
        confidence_level: share of each class to be covered.
    """
    return np.array(
        [
            fit_quantile(1 - probabilities[labels == k, k], confidence_level)
            for k in range(probabilities.shape[1])
        ]
    )


def prediction_set(probabilities: np.ndarray, quantiles: np.ndarray | float) -> np.ndarray:
    """Which classes belong to the set; may be none, where no class is likely enough.

    Args:
        probabilities: (..., K) calibrated.
        quantiles: one for all classes, or (K,).

    Returns:
        (..., K) bool.

    >>> prediction_set(np.array([0.7, 0.2, 0.1]), 0.8).tolist()
    [True, True, False]
    """
    return 1 - np.asarray(probabilities, np.float64) <= np.asarray(quantiles) + _TOLERANCE
