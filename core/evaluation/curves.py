"""Points of ROC and precision-recall curves, thinned so that a browser can draw and click them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_POINTS = 400
_GRID = np.linspace(0, 1, 201)


@dataclass(frozen=True, eq=False)
class Curve:
    """Rates as the decision threshold falls.

    Attributes:
        thresholds: (M,) falling scores; predicted positive means score >= threshold.
        sensitivity: (M,) share of the positives that are predicted positive; also called recall.
        false_positive_rate: (M,) share of the negatives that are predicted positive.
        precision: (M,) share of the predicted positives that are positive.
    """

    thresholds: np.ndarray
    sensitivity: np.ndarray
    false_positive_rate: np.ndarray
    precision: np.ndarray


def trace_curve(positive: np.ndarray, score: np.ndarray, max_points: int = MAX_POINTS) -> Curve | None:
    """Trace one curve; None unless both outcomes occur.

    Args:
        positive: (N,) bool truth.
        score: (N,), higher for positive.
        max_points: more distinct scores than that are thinned, evenly along the ROC curve and, for the
            steep beginning of precision, evenly in the logarithm of the number of predicted positives.
    """
    order = np.argsort(-score, kind="stable")
    hits, scores = positive[order], score[order]
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.array([], int)
    found = np.cumsum(hits)[last]
    if not len(found) or not 0 < found[-1] < len(hits):
        return None
    called = last + 1
    sensitivity, false_alarms = found / found[-1], (called - found) / (len(hits) - found[-1])
    keep = _thin(sensitivity + false_alarms, called, max_points)
    return Curve(scores[last][keep], sensitivity[keep], false_alarms[keep], (found / called)[keep])


def average_roc(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Macro average: mean sensitivity of the curves at each false-positive rate; returns rates, means."""
    heights = [
        np.interp(_GRID, np.append(0, curve.false_positive_rate), np.append(0, curve.sensitivity))
        for curve in curves
    ]
    return _GRID, np.mean(heights, axis=0)


def average_precision_recall(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Macro average: mean precision where each curve first reaches a recall; returns recalls, means."""
    recalls = _GRID[1:]
    # The slack keeps 0.3 of a curve and 0.3 of the grid the same number.
    first = [np.searchsorted(curve.sensitivity, recalls - 1e-9) for curve in curves]
    heights = [curve.precision[rows] for curve, rows in zip(curves, first, strict=True)]
    return recalls, np.mean(heights, axis=0)


def _thin(path: np.ndarray, called: np.ndarray, max_points: int) -> np.ndarray:
    """Numbers of the points to keep, ends included."""
    n = len(path)
    if n <= max_points:
        return np.arange(n)
    evenly = np.searchsorted(path, np.linspace(path[0], path[-1], max_points // 2))
    early = np.searchsorted(called, np.geomspace(called[0], called[-1], max_points // 2))
    return np.unique(np.clip(np.concatenate([[0], evenly, early, [n - 1]]), 0, n - 1))
