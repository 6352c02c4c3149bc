"""How far an estimate can be trusted: confidence intervals that resample lesions, not images.

Images of one lesion are not independent; an interval that forgets this is too narrow.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NAN = math.nan


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
    if not 0 < confidence < 1:
        raise ValueError(f"`confidence` must be in (0, 1); got {confidence}.")
    estimate, draws = grouped_draws(statistic, groups, *arrays, n_resamples=n_resamples, seed=seed)
    return percentile_interval(estimate, draws, confidence)


def grouped_draws(
    statistic: Callable[..., float],
    groups: np.ndarray,
    *arrays: np.ndarray,
    n_resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, np.ndarray]:
    """The estimate and the (B,) draws behind `grouped_bootstrap`; no draws with fewer than two groups.

    Raises:
        ValueError: lengths differ, no array or no draw.
    """
    groups = np.asarray(groups)
    arrays = tuple(np.asarray(array) for array in arrays)
    if not arrays or any(len(array) != len(groups) for array in arrays):
        raise ValueError(
            f"`arrays` must each have {len(groups)} rows like `groups`; got {[len(a) for a in arrays]}."
        )
    if n_resamples < 1:
        raise ValueError(f"`n_resamples` must be positive; got {n_resamples}.")
    estimate = float(statistic(*arrays))
    _, numbers = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
    if len(members) < 2:
        return estimate, np.empty(0)
    rng = np.random.default_rng(seed)
    values = np.empty(n_resamples)
    for i in range(n_resamples):
        rows = np.concatenate([members[g] for g in rng.integers(len(members), size=len(members))])
        values[i] = statistic(*(array[rows] for array in arrays))
    return estimate, values


def percentile_interval(estimate: float, draws: np.ndarray, confidence: float = 0.95) -> Interval:
    """The limits between which the middle `confidence` of the (B,) draws lies.

    Undefined (NaN) draws are left out; the limits are NaN when fewer than half of the draws are defined.
    """
    defined = draws[~np.isnan(draws)]
    if not len(defined) or 2 * len(defined) < len(draws):
        return Interval(estimate, NAN, NAN)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(estimate, float(low), float(high))
