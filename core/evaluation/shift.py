"""How far a set of images lies from a reference set: brightness, colour, sharpness, novelty, and what is predicted.

No labels are needed. Shipped figures hold for images like those that they were measured on; this says whether other
images are like them in what can be measured, which is less than all: a disease that is rarer elsewhere changes figures too.

Reference:
    Rabanser, Günnemann and Lipton (2019), Failing loudly: an empirical study of methods for detecting dataset shift,
    arXiv:1810.11953. We compare one measure at a time and permute whole lesions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.evaluation.predictions import Predictions
from core.evaluation.slices import FEW_LESIONS
from core.taxonomy import suspicious_flags

# Columns that `core.report.prediction_row` writes.
PICTURE_MEASURES = ("brightness", "redness", "yellowness", "sharpness", "novelty")
MALIGNANCY, CONFIDENCE = "malignancy", "confidence"
MEASURES = (*PICTURE_MEASURES, MALIGNANCY, CONFIDENCE)
# Convention: from here on a distance beyond chance is called large. Two normal distributions of one width have it when
# their means lie half a standard deviation apart.
LARGE = 0.20
N_PERMUTATIONS = 300
MAX_IMAGES = 10_000  # of each set; more change no distance by as much as a hundredth
_CHANCE = 0.95


class Verdict(StrEnum):
    """Whether shipped figures may be expected to hold."""

    TOO_FEW = "too few"
    LIKE = "like"
    MIX = "other mix"
    SHIFTED = "shifted"


@dataclass(frozen=True)
class Shift:
    """One measure in both sets.

    Attributes:
        name: of `MEASURES`, or "mix" for the shares of the predicted classes.
        distance: Kolmogorov-Smirnov distance, for the mix total variation: 0 the same, 1 nothing in common.
        by_chance: which distance 95 of 100 random divisions of both sets stay below.
        median, reference_median: NaN for the mix.
    """

    name: str
    distance: float
    by_chance: float
    median: float
    reference_median: float

    @property
    def beyond_chance(self) -> bool:
        return self.distance > self.by_chance

    @property
    def large(self) -> bool:
        return self.beyond_chance and self.distance >= LARGE


def read_measure(predictions: Predictions, name: str) -> np.ndarray | None:
    """(N,) float64 of a measure, NaN where it is not known; None where the table lacks it altogether."""
    if name == MALIGNANCY:
        return predictions.malignancy_probability if suspicious_flags(predictions.classes).any() else None
    if name == CONFIDENCE:
        return predictions.probabilities.max(axis=1)
    if name not in predictions.frame:
        return None
    values = np.asarray(predictions.frame[name], dtype=np.float64)
    return None if np.isnan(values).all() else values


def has_measures(predictions: Predictions) -> bool:
    """Whether a table says what its pictures look like."""
    return any(read_measure(predictions, name) is not None for name in PICTURE_MEASURES)


def compare_sets(predictions: Predictions, reference: Predictions, seed: int = 0) -> list[Shift]:
    """The shift of every measure that both tables have, the mix of predicted classes last; the farthest first.

    Args:
        predictions: of the images in question, labelled or not.
        reference: of images that shipped figures hold for.
        seed: of the permutations, and of the draw where there are more than `MAX_IMAGES`.
    """
    rng = np.random.default_rng(seed)
    sets = [_draw(one, rng) for one in _share_classes(predictions, reference)]
    lesions = [[f"{k}:{name}" for name in one.lesions] for k, one in enumerate(sets)]
    groups = _permute(lesions, rng)
    found = []
    for name in MEASURES:
        pair = [read_measure(one, name) for one in sets]
        if all(values is not None for values in pair):
            distances = _ks_distances(np.concatenate(pair), groups)
            medians = [float(np.nanmedian(values)) for values in pair]
            found.append(Shift(name, *_with_chance(distances), *medians))
    found.sort(key=lambda shift: -shift.distance)
    answers = np.concatenate([np.array(one.classes, object)[one.predicted] for one in sets])
    distances = _mix_distances(np.unique(answers.astype(str), return_inverse=True)[1], groups)
    return [*found, Shift("mix", *_with_chance(distances), np.nan, np.nan)]


def _share_classes(*sets: Predictions) -> list[Predictions]:
    """The same answers among the classes that all tables have, as a set may be scored without one of the bundle's."""
    common = [code for code in sets[0].classes if all(code in one.classes for one in sets)]
    if len(common) < 2:
        return list(sets)
    return [one if set(one.classes) == set(common) else one.restrict(common) for one in sets]


def judge(shifts: Sequence[Shift], n_lesions: int) -> Verdict:
    """What the shifts allow to say about figures of the reference set."""
    if n_lesions < FEW_LESIONS:
        return Verdict.TOO_FEW
    if any(shift.large for shift in shifts if shift.name in PICTURE_MEASURES):
        return Verdict.SHIFTED
    return Verdict.MIX if any(shift.large for shift in shifts) else Verdict.LIKE


def rank_farthest(predictions: Predictions, reference: Predictions, name: str) -> np.ndarray:
    """(M,) row numbers by falling distance from the reference's median of a measure; rows without it are left out."""
    values, known = read_measure(predictions, name), read_measure(reference, name)
    distance = np.abs(values - np.nanmedian(known))
    return np.argsort(-distance, kind="stable")[: int((~np.isnan(distance)).sum())]


def _draw(predictions: Predictions, rng: np.random.Generator) -> Predictions:
    if len(predictions) <= MAX_IMAGES:
        return predictions
    return predictions.take(np.sort(rng.choice(len(predictions), MAX_IMAGES, replace=False)))


def _permute(lesions: Sequence[Sequence[str]], rng: np.random.Generator) -> np.ndarray:
    """(1 + N_PERMUTATIONS, N) bool: which rows count as the first set, as it is and with lesions dealt out anew."""
    names, lesion_of_row = np.unique(np.concatenate(lesions), return_inverse=True)
    first = np.array([name.startswith("0:") for name in names])
    dealt = np.stack([first, *(rng.permutation(first) for _ in range(N_PERMUTATIONS))])
    return dealt[:, lesion_of_row]


def _ks_distances(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(B,) greatest gap between the empirical distributions of (N,) values in and outside each of (B, N) groups."""
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    ordered = values[known][order]
    last_of_ties = np.append(ordered[1:] != ordered[:-1], True)

    def distance(group: np.ndarray) -> float:
        inside = group[known][order]
        if inside.all() or not inside.any():
            return np.nan
        gap = np.cumsum(inside) / inside.sum() - np.cumsum(~inside) / (~inside).sum()
        return float(np.abs(gap[last_of_ties]).max())

    return np.array([distance(group) for group in groups])


def _mix_distances(answers: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(B,) half the summed difference of the shares of (N,) class numbers in and outside each of (B, N) groups."""
    members = np.eye(answers.max() + 1)[answers]
    inside = groups @ members / groups.sum(axis=1, keepdims=True)
    outside = ~groups @ members / (~groups).sum(axis=1, keepdims=True)
    return np.abs(inside - outside).sum(axis=1) / 2


def _with_chance(distances: np.ndarray) -> tuple[float, float]:
    """(the distance, what it stays below by chance)."""
    return float(distances[0]), float(np.nanquantile(distances[1:], _CHANCE))
