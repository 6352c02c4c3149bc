"""Coverage of prediction sets: how often they include the true class, with intervals over lesions."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from core.diagnosis.conformal import prediction_set
from core.evaluation.bootstrap import grouped_bootstrap


def coverage(
    probabilities: np.ndarray, labels: np.ndarray, quantiles: np.ndarray | float, lesions: np.ndarray
) -> dict[str, Any]:
    """Coverage of the sets, and their size.

    Args:
        probabilities: (N, K).
        labels: (N,) int class numbers, all known.
        quantiles: see `prediction_set`.
        lesions: (N,) lesion of each image, for the intervals.

    Returns:
        `overall` and `by_class` (a list of K): share covered with a 95 % bootstrap interval over lesions
        (NaN for a class without images) and `n_images`; `mean_size`, `share_single`, `share_empty`.
    """
    sets = prediction_set(probabilities, quantiles)
    covered = sets[np.arange(len(labels)), labels].astype(np.float64)
    sizes = sets.sum(axis=1)
    by_class = [_covered(covered[labels == k], lesions[labels == k]) for k in range(sets.shape[1])]
    return {
        "overall": _covered(covered, lesions),
        "by_class": by_class,
        "mean_size": float(sizes.mean()),
        "share_single": float((sizes == 1).mean()),
        "share_empty": float((sizes == 0).mean()),
    }


def _covered(covered: np.ndarray, lesions: np.ndarray) -> dict[str, float]:
    if not len(covered):
        return {"estimate": math.nan, "low": math.nan, "high": math.nan, "n_images": 0}
    return asdict(grouped_bootstrap(np.mean, lesions, covered)) | {"n_images": len(covered)}
