"""Scores that follow from a confusion matrix alone.

Every function takes (..., K, K) counts, rows true and columns predicted, so that one matrix and the
thousand of a bootstrap are handled alike. Undefined is NaN; means leave undefined classes out.
"""

import numpy as np


def recall(matrix: np.ndarray) -> np.ndarray:
    """(..., K) recall: share of each true class that is predicted as such; NaN where the class does not occur."""
    return _divide(_diagonal(matrix), matrix.sum(axis=-1))


def precision(matrix: np.ndarray) -> np.ndarray:
    """(..., K) precision: share of each predicted class that is right; NaN where it is never predicted."""
    return _divide(_diagonal(matrix), matrix.sum(axis=-2))


def f1(matrix: np.ndarray) -> np.ndarray:
    """(..., K) harmonic mean of precision and recall; NaN where a class neither occurs nor is predicted."""
    return _divide(2 * _diagonal(matrix), matrix.sum(axis=-1) + matrix.sum(axis=-2))


def specificity(matrix: np.ndarray) -> np.ndarray:
    """(..., K) specificity: share of the images of all other classes that are not predicted as this one."""
    others = matrix.sum(axis=(-2, -1))[..., None] - matrix.sum(axis=-1)
    false_positives = matrix.sum(axis=-2) - _diagonal(matrix)
    return _divide(others - false_positives, others)


def accuracy(matrix: np.ndarray) -> np.ndarray:
    """(...) share of images on the diagonal."""
    return _divide(_diagonal(matrix).sum(axis=-1), matrix.sum(axis=(-2, -1)))


def balanced_accuracy(matrix: np.ndarray) -> np.ndarray:
    """(...) mean recall over the classes that occur."""
    return mean_of_defined(recall(matrix))


def macro_f1(matrix: np.ndarray) -> np.ndarray:
    """(...) mean F1 over the classes that occur or are predicted."""
    return mean_of_defined(f1(matrix))


def cohen_kappa(matrix: np.ndarray) -> np.ndarray:
    """(...) agreement beyond chance: 1 is perfect, 0 is what the margins alone would give.

    NaN where chance alone agrees always (one class in truth and prediction alike).

    Reference:
        Cohen (1960), doi:10.1177/001316446002000104.
    """
    total = matrix.sum(axis=(-2, -1))
    chance = _divide((matrix.sum(axis=-1) * matrix.sum(axis=-2)).sum(axis=-1), total * total)
    return _divide(accuracy(matrix) - chance, 1 - chance)


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis, NaN left out; NaN over nothing.

    >>> float(mean_of_defined(np.array([1.0, np.nan, 0.0])))
    0.5
    """
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _diagonal(matrix: np.ndarray) -> np.ndarray:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    numerator, denominator = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator != 0)
