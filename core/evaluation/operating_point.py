"""An operating point: the 2x2 table at a decision threshold, and predictive values at another prevalence."""

from dataclasses import dataclass

import numpy as np

from core.evaluation.bootstrap import Interval, Resamples
from core.evaluation.metrics import ratio


@dataclass(frozen=True)
class OperatingPoint:
    """Counts at one threshold; positive means score >= threshold."""

    threshold: float
    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @property
    def sensitivity(self) -> float:
        return ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        return ratio(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def prevalence(self) -> float:
        """Share of positives in this sample."""
        positives = self.true_positives + self.false_negatives
        return ratio(positives, positives + self.false_positives + self.true_negatives)

    def positive_predictive_value(self, prevalence: float) -> float:
        """Positive predictive value at a `prevalence` (Bayes' rule)."""
        hits, alarms = prevalence * self.sensitivity, (1 - prevalence) * (1 - self.specificity)
        return ratio(hits, hits + alarms)

    def negative_predictive_value(self, prevalence: float) -> float:
        """Negative predictive value at a `prevalence`."""
        passes, misses = (1 - prevalence) * self.specificity, prevalence * (1 - self.sensitivity)
        return ratio(passes, passes + misses)

    def missed_per_1000(self, prevalence: float) -> float:
        """False negatives among 1,000 patients."""
        return 1000 * prevalence * (1 - self.sensitivity)

    def false_alarms_per_1000(self, prevalence: float) -> float:
        """False positives among 1,000 patients."""
        return 1000 * (1 - prevalence) * (1 - self.specificity)


def operate(positive: np.ndarray, score: np.ndarray, threshold: float) -> OperatingPoint:
    """The 2x2 counts of (N,) bool truth and (N,) scores at a threshold.

    >>> operate(np.array([True, True, False]), np.array([0.9, 0.2, 0.2]), 0.5).sensitivity
    0.5
    """
    counts = _outcomes(positive, score, threshold).sum(axis=0)
    return OperatingPoint(threshold, *(int(count) for count in counts))


def operating_intervals(
    positive: np.ndarray, score: np.ndarray, threshold: float, resamples: Resamples
) -> dict[str, Interval]:
    """Sensitivity and specificity at a threshold with their intervals over lesions."""
    found, missed, alarms, passed = resamples.sums(_outcomes(positive, score, threshold)).T
    with np.errstate(invalid="ignore"):  # 0/0 is NaN: a draw without positives has no sensitivity
        rates = {"sensitivity": found / (found + missed), "specificity": passed / (passed + alarms)}
    return {name: resamples.interval(values) for name, values in rates.items()}


def _outcomes(positive: np.ndarray, score: np.ndarray, threshold: float) -> np.ndarray:
    """(N, 4) bool: true positive, false negative, false positive, true negative."""
    called = score >= threshold
    return np.column_stack([positive & called, positive & ~called, ~positive & called, ~positive & ~called])
