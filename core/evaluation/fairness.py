"""How a system does in groups of people: what is missed, false alarms, calibration and coverage, worst group first.

A difference between groups is a finding only where its interval leaves out zero: groups are small, and each is
drawn anew, lesion by lesion, for its interval and for that of the gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.diagnosis.conformal import prediction_set
from core.evaluation.bootstrap import Interval, Resamples, draw_lesions, percentile_interval
from core.evaluation.predictions import Predictions
from core.evaluation.score_table import SUSPICIOUS, binary_outcomes, calibration_draws
from core.evaluation.slices import FEW_LESIONS, cross_rows, slice_rows

SENSITIVITY, FALSE_ALARMS, CALIBRATION, COVERAGE = (
    "sensitivity",
    "false_alarms",
    "calibration_error",
    "coverage",
)
LOWER_IS_BETTER = (FALSE_ALARMS, CALIBRATION)


@dataclass(frozen=True, eq=False)
class Group:
    """The scores of one group.

    Attributes:
        name: the value that its images share.
        n_images, n_lesions, n_malignant: labelled images, their lesions, and malignant images among them.
        intervals: score -> estimate with its 95 % interval over lesions; NaN where it is undefined.
        draws: score -> (B,) bootstrap draws behind the interval.
        support: score -> lesions that it is about: malignant ones for sensitivity, benign ones for false alarms.
    """

    name: str
    n_images: int
    n_lesions: int
    n_malignant: int
    intervals: Mapping[str, Interval]
    draws: Mapping[str, np.ndarray]
    support: Mapping[str, int]

    def few(self, score: str) -> bool:
        """Whether too few lesions stand behind a score for a conclusion."""
        return self.support[score] < FEW_LESIONS

    @property
    def too_small(self) -> bool:
        """Whether nothing can be concluded about the group at all."""
        return self.n_lesions < FEW_LESIONS


@dataclass(frozen=True)
class Gap:
    """The best group's score minus the worst one's, so that 0 is no gap and more is worse."""

    score: str
    worst: str
    best: str
    interval: Interval


def score_groups(
    predictions: Predictions,
    by: str,
    threshold: float,
    quantiles: np.ndarray | None = None,
    n_resamples: int = 1000,
    second: str | None = None,
) -> list[Group]:
    """Score the groups of one fact, the one whose malignant lesions are missed most first, those with few of them last.

    With a second fact, the groups are the intersections of both, without images that lack one of them.

    Args:
        predictions: labelled or not; only labelled rows count. Malignant and benign classes must both be there.
        by: of `core.evaluation.slices.SLICE_COLUMNS`.
        threshold: decision threshold on the probability of malignancy.
        quantiles: (K,) of the conformal sets, for the coverage; without them there is none.
        n_resamples: draws of each group.
        second: like `by`.
    """
    known = predictions.take(predictions.labelled)
    parts = slice_rows(known, by) if second is None else cross_rows(known, by, second)
    groups = [
        _score_group(name, known.take(rows), threshold, quantiles, n_resamples, seed)
        for seed, (name, rows) in enumerate(parts.items())
    ]
    return sorted(groups, key=_rank)


def _rank(group: Group) -> tuple[bool, float]:
    return group.few(SENSITIVITY), np.nan_to_num(group.intervals[SENSITIVITY].estimate, nan=2.0)


def find_gaps(groups: Sequence[Group]) -> list[Gap]:
    """The gap between best and worst group in each score, among groups with enough lesions; [] with fewer than two."""
    scores = list(groups[0].intervals) if groups else []
    return [gap for score in scores if (gap := _find_gap(groups, score))]


def _find_gap(groups: Sequence[Group], score: str) -> Gap | None:
    usable = [one for one in groups if not one.few(score) and not np.isnan(one.intervals[score].estimate)]
    if len(usable) < 2:
        return None
    sign = -1 if score in LOWER_IS_BETTER else 1
    usable.sort(key=lambda group: sign * group.intervals[score].estimate)
    worst, best = usable[0], usable[-1]
    estimate = sign * (best.intervals[score].estimate - worst.intervals[score].estimate)
    draws = sign * (best.draws[score] - worst.draws[score])
    return Gap(score, worst.name, best.name, percentile_interval(estimate, draws))


def _score_group(
    name: str, part: Predictions, threshold: float, quantiles: np.ndarray | None, n_resamples: int, seed: int
) -> Group:
    # Each group has draws of its own: those of two groups must not move together.
    resamples = draw_lesions(part.lesions, n_resamples, seed)
    malignant, probability = binary_outcomes(part, SUSPICIOUS)
    values = _draw_scores(part, malignant, probability >= threshold, quantiles, resamples)
    return Group(
        name,
        len(part),
        resamples.n_lesions,
        int(malignant.sum()),
        {score: resamples.interval(found) for score, found in values.items()},
        {score: found[1:] for score, found in values.items()},
        dict.fromkeys(values, resamples.n_lesions)
        | {SENSITIVITY: len(np.unique(part.lesions[malignant]))}
        | {FALSE_ALARMS: len(np.unique(part.lesions[~malignant]))},
    )


def _draw_scores(
    part: Predictions,
    malignant: np.ndarray,
    called: np.ndarray,
    quantiles: np.ndarray | None,
    resamples: Resamples,
) -> dict[str, np.ndarray]:
    """Score -> (B + 1,) of the group and each draw."""
    found = {
        SENSITIVITY: resamples.means(np.where(malignant, called, np.nan)),
        FALSE_ALARMS: resamples.means(np.where(malignant, np.nan, called)),
        CALIBRATION: calibration_draws(part, resamples),
    }
    if quantiles is not None:
        sets = prediction_set(part.probabilities, quantiles)
        found[COVERAGE] = resamples.means(sets[np.arange(len(part)), part.labels].astype(float))
    return found
