"""Scores in subgroups: by age, sex, body site, skin tone, way of confirmation, image quality, dataset, structures.

HAM10000 does not record skin tone, so scores by skin tone are not possible for it; MILK10k does.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import Interval, draw_lesions
from core.evaluation.predictions import Predictions
from core.evaluation.scores import Score
from core.tables.columns import STRUCTURES

NAN = float("nan")
# Below this an interval over lesions is too rough to compare slices by.
FEW_LESIONS = 30
ALL, UNKNOWN_VALUE, NO_WARNING = "all", "unknown", "none"
CROSS = " × "
AGE_BANDS = ((0, 30), (30, 45), (45, 60), (60, 75), (75, None))
# What to slice by -> the column it needs.
SLICE_COLUMNS = {
    "age": "age",
    "sex": "sex",
    "site": "localization",
    "confirmation": "dx_type",
    "quality": "warnings",
    "skin_tone": "skin_tone_class",
    "dataset": "dataset",
}
# What a bundle's probe found, as a probability, and what experts saw, as 0 and 1.
FOUND_STRUCTURES = {f"structure_{name}": name for name in STRUCTURES}
SLICE_COLUMNS |= {column: column for column in (*FOUND_STRUCTURES, *STRUCTURES)}
LIKELY, UNLIKELY, PRESENT, ABSENT = "likely", "unlikely", "present", "absent"
# MILK10k's classes, made to avoid confusion with Fitzpatrick types.
SKIN_TONES = {"0": "very dark", "1": "dark", "2": "brown", "3": "medium", "4": "light", "5": "very light"}


@dataclass(frozen=True)
class SliceScore:
    """A score in one slice.

    Attributes:
        name: value that its images share.
        n_images, n_lesions: how many the score is about, e.g. malignant ones for sensitivity.
        interval: 95 % interval over lesions.
    """

    name: str
    n_images: int
    n_lesions: int
    interval: Interval

    @property
    def few(self) -> bool:
        """Whether the slice has too few lesions for a conclusion."""
        return self.n_lesions < FEW_LESIONS


def slice_rows(predictions: Predictions, by: str) -> dict[str, np.ndarray]:
    """The slices as (N,) bool rows, in the order a page shows them.

    Slices by quality overlap: an image with two warnings is in two.

    Args:
        predictions: N rows with the column that `SLICE_COLUMNS` names.
        by: of `SLICE_COLUMNS`.
    """
    column = predictions.frame[SLICE_COLUMNS[by]]
    if by == "age":
        return _drop_empty(_age_rows(column))
    if by == "quality":
        return _drop_empty(_warning_rows(column))
    if by == "skin_tone":
        return _drop_empty(_tone_rows(column))
    if by in FOUND_STRUCTURES:
        return _drop_empty(_halves(column, LIKELY, UNLIKELY))
    if by in STRUCTURES:
        return _drop_empty(_halves(column, PRESENT, ABSENT))
    values = column.fillna(UNKNOWN_VALUE).to_numpy(object).astype(str)
    names, counts = np.unique(values, return_counts=True)
    ordered = sorted(
        zip(names.tolist(), counts, strict=True), key=lambda pair: (pair[0] == UNKNOWN_VALUE, -pair[1])
    )
    return {name: values == name for name, _ in ordered}


def cross_rows(predictions: Predictions, by: str, second: str) -> dict[str, np.ndarray]:
    """The intersections of the slices of two facts, where both are known, as (N,) bool rows; empty ones are left out.

    Args:
        predictions: N rows with the columns of both facts.
        by: of `SLICE_COLUMNS`.
        second: like `by`.
    """
    others = _known(slice_rows(predictions, second))
    return _drop_empty(
        {
            f"{name}{CROSS}{other}": rows & more
            for name, rows in _known(slice_rows(predictions, by)).items()
            for other, more in others.items()
        }
    )


def _known(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: mask for name, mask in rows.items() if name != UNKNOWN_VALUE}


def score_slices(
    predictions: Predictions, by: str, score: Score, threshold: float, n_resamples: int = 1000
) -> list[SliceScore]:
    """The score of all images and of each slice; lesions are drawn within a slice."""
    rows = {ALL: np.ones(len(predictions), bool)} | slice_rows(predictions, by)
    return [
        score_slice(name, predictions.take(mask), score, threshold, n_resamples)
        for name, mask in rows.items()
    ]


def score_slice(
    name: str, part: Predictions, score: Score, threshold: float, n_resamples: int = 1000
) -> SliceScore:
    """The score of these predictions with its interval; NaN where it is about no image."""
    about = score.about(part)
    counts = int(about.sum()), len(np.unique(part.lesions[about]))
    if not about.any():
        return SliceScore(name, *counts, Interval(NAN, NAN, NAN))
    usable = part.take(score.usable(part))
    resamples = draw_lesions(usable.lesions, n_resamples)
    return SliceScore(name, *counts, resamples.interval(score.draws(usable, threshold, resamples)))


def _age_rows(column: pd.Series) -> dict[str, np.ndarray]:
    ages = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    rows = {
        f"{low}–{high - 1}" if high else f"{low} and over": (ages >= low) & (ages < (high or np.inf))
        for low, high in AGE_BANDS
    }
    return rows | {UNKNOWN_VALUE: ~(ages >= 0)}


def _tone_rows(column: pd.Series) -> dict[str, np.ndarray]:
    """From dark to light."""
    tones = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    rows = {f"{tone} ({name})": tones == float(tone) for tone, name in SKIN_TONES.items()}
    return rows | {UNKNOWN_VALUE: ~np.logical_or.reduce(list(rows.values()))}


def _halves(column: pd.Series, above: str, below: str) -> dict[str, np.ndarray]:
    """Values of at least one half, and below; neither counts where there is none."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    return {above: values >= 0.5, below: values < 0.5, UNKNOWN_VALUE: np.isnan(values)}


def _warning_rows(column: pd.Series) -> dict[str, np.ndarray]:
    codes = column.fillna("").astype(str).str.split(";")
    sets = [{code.strip() for code in row if code.strip()} for row in codes]
    names = sorted(set().union(*sets), key=lambda name: (-sum(name in row for row in sets), name))
    rows = {NO_WARNING: np.array([not row for row in sets], dtype=bool)}
    return rows | {name: np.array([name in row for row in sets], dtype=bool) for name in names}


def _drop_empty(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: mask for name, mask in rows.items() if mask.any()}
