"""Calibration: predicted probability against observed frequency, in bins.

Reference:
    Guo et al. (2017), arXiv:1706.04599; for single classes Nixon et al. (2019), arXiv:1904.01685.
"""

from dataclasses import dataclass

import numpy as np

from core.evaluation.bootstrap import Interval, Resamples
from core.evaluation.metrics import confidence_bins, ratio

INTERVAL_NOTE = (
    "Resampling adds noise to the calibration error, so its interval can lie entirely above the estimate."
)


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability diagram: bins (lo, hi] of equal width over predicted probability.

    Attributes:
        counts: (n_bins,) images in each bin.
        predicted: (n_bins,) mean predicted probability; NaN in an empty bin.
        observed: (n_bins,) observed frequency of the event; NaN in an empty bin.
    """

    counts: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """(n_bins + 1,) limits of the bins."""
        return np.linspace(0, 1, len(self.counts) + 1)

    @property
    def error(self) -> float:
        """Mean gap between predicted and observed, weighted by images: the expected calibration error."""
        filled = self.counts > 0
        gaps = np.abs(self.predicted - self.observed)[filled] * self.counts[filled]
        return ratio(gaps.sum(), self.counts.sum())


def measure_reliability(probability: np.ndarray, event: np.ndarray, n_bins: int = 15) -> Reliability:
    """Bin predicted probabilities and compare them with the observed frequency.

    Args:
        probability: (N,) in [0, 1].
        event: (N,) bool, whether it occurred.
        n_bins: number of equally wide bins.

    Raises:
        ValueError: lengths differ or there is no bin.
    """
    probability, event = np.asarray(probability, np.float64), np.asarray(event)
    if probability.ndim != 1 or event.shape != probability.shape or event.dtype != np.bool_:
        raise ValueError(
            "`probability` must be (N,) and `event` (N,) bool; "
            f"got {probability.shape} and {event.shape} {event.dtype}."
        )
    if n_bins < 1:
        raise ValueError(f"`n_bins` must be at least 1; got {n_bins}.")
    bins = confidence_bins(probability, n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    means = [
        np.divide(
            np.bincount(bins, weights=values, minlength=n_bins),
            counts,
            out=np.full(n_bins, np.nan),
            where=counts > 0,
        )
        for values in (probability, event)
    ]
    return Reliability(counts, *means)


def error_draws(probability: np.ndarray, event: np.ndarray, n_bins: int, resamples: Resamples) -> np.ndarray:
    """(B + 1,) `Reliability.error` of the sample and of each draw of lesions."""
    gaps = probability - event
    bins = np.eye(n_bins)[confidence_bins(probability, n_bins)]
    sums = resamples.sums(np.column_stack([bins * gaps[:, None], np.ones(len(gaps))]))
    return np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1]


def observed_intervals(
    probability: np.ndarray, event: np.ndarray, n_bins: int, resamples: Resamples
) -> list[Interval]:
    """Observed frequency in each bin, with its interval over lesions; NaN in an empty bin."""
    bins = np.eye(n_bins)[confidence_bins(probability, n_bins)]
    events, images = np.split(resamples.sums(np.hstack([bins * event[:, None], bins])), 2, axis=1)
    shares = np.divide(events, images, out=np.full(images.shape, np.nan), where=images > 0)
    return [resamples.interval(draws) for draws in shares.T]
