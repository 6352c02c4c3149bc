"""Two evaluations of the same images: paired differences and McNemar's test."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.errors import DermalensError
from core.evaluation.bootstrap import Interval, Resamples, draw_lesions
from core.evaluation.predictions import UNKNOWN, Predictions
from core.evaluation.scores import Score, list_scores

NAN = float("nan")
# Discordant pairs from which the chi-squared approximation is used, as is customary.
MANY_DISCORDANT = 25


class ComparisonError(DermalensError):
    """Two evaluations cannot be compared; the message says why."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The images that two evaluations share, in one order.

    Attributes:
        first, second: predictions of the same N images with the same classes in the same order.
        n_contradictory: shared images left out because the two files name different true classes.
        left_out: classes that only one of them knows; their probability is shared out among the others.
    """

    first: Predictions
    second: Predictions
    n_contradictory: int
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.first)

    @property
    def same_answers(self) -> bool:
        """Whether both hold the same probabilities."""
        return bool((self.first.probabilities == self.second.probabilities).all())


@dataclass(frozen=True)
class Difference:
    """A score of both and second minus first, with its paired interval over lesions."""

    name: str
    first: float
    second: float
    difference: Interval
    lower_is_better: bool


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two classifiers on the same images.

    Attributes:
        only_first, only_second: images that only one of them gets right.
        p_value: of no difference in accuracy; NaN when they never disagree.
        exact: from the binomial distribution, otherwise from chi-squared.
    """

    only_first: int
    only_second: int
    p_value: float
    exact: bool


def pair_predictions(first: Predictions, second: Predictions) -> Pair:
    """Bring the images that both have into one order, that of `first`.

    An image that a file names twice counts with its first row. A true class that only one file knows
    holds for both. Both are restricted to the classes that both know.

    Raises:
        ComparisonError: no image in common, or less than two classes.
    """
    common = [code for code in first.classes if code in second.classes]
    if len(common) < 2:
        raise ComparisonError(
            "The two evaluations have different classes: "
            f"{', '.join(first.classes)} against {', '.join(second.classes)}."
        )
    left_out = tuple(code for code in (*first.classes, *second.classes) if code not in common)
    if left_out:
        first, second = first.restrict(common), second.restrict(common)
    found = pd.Index(_names(second)).get_indexer(_names(first))
    if not (found >= 0).any():
        raise ComparisonError("The two evaluations have no image in common.")
    first = first.take(found >= 0)
    second = _reorder_classes(second.take(found[found >= 0]), first.classes)
    labels = np.where(first.labelled, first.labels, second.labels)
    agree = ~second.labelled | (second.labels == labels)
    first, second = (_set_truth(part, labels, first.lesions) for part in (first, second))
    return Pair(first.take(agree), second.take(agree), int((~agree).sum()), left_out)


def score_differences(
    pair: Pair, thresholds: tuple[float, float], n_resamples: int = 1000
) -> dict[str, Difference]:
    """Every score that both have, with the difference second minus first.

    Both are scored on the same draws of lesions, so that the difficulty of an image cancels out.

    Args:
        pair: the two evaluations.
        thresholds: decision threshold of the first and of the second: each system is evaluated at its own.
        n_resamples: draws of lesions.
    """
    first, second = list_scores(pair.first), list_scores(pair.second)
    differences, samples = {}, {}
    for name, score in first.items():
        if name not in second:
            continue
        usable = score.usable(pair.first) & score.usable(pair.second)
        key = usable.tobytes()
        if key not in samples:  # most scores use the same images: they share the draws
            parts = [part.take(usable) for part in (pair.first, pair.second)]
            samples[key] = parts, draw_lesions(parts[0].lesions, n_resamples) if usable.any() else None
        differences[name] = _difference(score, *samples[key], thresholds)
    return differences


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> McNemar:
    """Test whether two classifiers are right equally often.

    Exact (binomial, two-sided) below 25 discordant pairs, chi-squared with continuity correction from
    there on. It takes images as independent; several images of one lesion make its p-value too small.

    Args:
        first_right: (N,) bool.
        second_right: (N,) bool, for the same images.

    Reference:
        McNemar (1947), doi:10.1007/BF02295996; the correction is Edwards' (1948).
    """
    only_first = int(np.count_nonzero(first_right & ~second_right))
    only_second = int(np.count_nonzero(~first_right & second_right))
    discordant = only_first + only_second
    if not discordant:
        return McNemar(0, 0, NAN, True)
    from scipy.stats import binomtest, chi2  # half a second to import: not for pages that only open

    if discordant < MANY_DISCORDANT:
        return McNemar(only_first, only_second, float(binomtest(only_first, discordant).pvalue), True)
    statistic = max(abs(only_first - only_second) - 1, 0) ** 2 / discordant
    return McNemar(only_first, only_second, float(chi2.sf(statistic, df=1)), False)


def _difference(
    score: Score, parts: list[Predictions], resamples: Resamples | None, thresholds: tuple[float, float]
) -> Difference:
    if resamples is None:
        return Difference(score.name, NAN, NAN, Interval(NAN, NAN, NAN), score.lower_is_better)
    before, after = (
        score.draws(part, threshold, resamples) for part, threshold in zip(parts, thresholds, strict=True)
    )
    interval = resamples.interval(after - before)
    return Difference(score.name, float(before[0]), float(after[0]), interval, score.lower_is_better)


def _names(predictions: Predictions) -> np.ndarray:
    return predictions.frame["image_id"].to_numpy(object)


def _reorder_classes(predictions: Predictions, classes: tuple[str, ...]) -> Predictions:
    order = [predictions.classes.index(code) for code in classes]
    new_number = np.array([*np.argsort(order), UNKNOWN])  # the last entry keeps UNKNOWN (-1) as it is
    columns = {
        name: None if values is None else values[:, order]
        for name, values in (("one_view", predictions.one_view), ("uncalibrated", predictions.uncalibrated))
    }
    return replace(
        predictions,
        classes=classes,
        probabilities=predictions.probabilities[:, order],
        labels=new_number[predictions.labels],
        **columns,
    )


def _set_truth(predictions: Predictions, labels: np.ndarray, lesions: np.ndarray) -> Predictions:
    return replace(predictions, labels=labels, frame=predictions.frame.assign(lesion_id=lesions))
