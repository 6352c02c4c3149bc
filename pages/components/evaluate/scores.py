"""Scores of a context, computed once for all sessions, and how they are written."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd
import streamlit as st

from core.evaluation.bootstrap import Interval, Resamples, affordable_resamples, draw_lesions
from core.evaluation.predictions import Predictions
from core.evaluation.score_table import ScoreTable, score_classes, score_masks
from core.tables.writing import harmless
from pages.components.evaluate.context import Context


def class_scores(context: Context) -> ScoreTable:
    """Scores of the classifier with intervals."""
    return _class_scores(context.key, context.predictions)


def mask_scores(context: Context) -> dict[str, Interval]:
    """Scores of the masks with intervals; {} where the table has none."""
    return _mask_scores(context.key, context.predictions)


def lesion_draws(context: Context) -> Resamples:
    """Draws of the lesions of the labelled rows, to be shared and not changed."""
    return _lesion_draws(context.key, context.predictions)


# The key stands for the predictions, which Streamlit would otherwise hash from samples.
@st.cache_data(show_spinner="Computing scores and their intervals …", max_entries=16)
def _class_scores(key: str, _predictions: Predictions) -> ScoreTable:
    return score_classes(_predictions, affordable_resamples(len(_predictions)))


@st.cache_data(show_spinner="Computing the masks' scores …", max_entries=16)
def _mask_scores(key: str, _predictions: Predictions) -> dict[str, Interval]:
    return score_masks(_predictions.frame, affordable_resamples(len(_predictions)))


@st.cache_resource(show_spinner="Drawing lesions …", max_entries=4)
def _lesion_draws(key: str, _predictions: Predictions) -> Resamples:
    known = _predictions.take(_predictions.labelled)
    return draw_lesions(known.lesions, affordable_resamples(len(_predictions)))


def number_text(value: float, digits: int = 3) -> str:
    """A number for a table; a dash where it is undefined.

    >>> number_text(0.25), number_text(float("nan"))
    ('0.250', '–')
    """
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def limits_text(interval: Interval, digits: int = 3) -> str:
    """The limits alone; a dash where they are undefined."""
    if math.isnan(interval.low):
        return "–"
    return f"{number_text(interval.low, digits)} to {number_text(interval.high, digits)}"


def interval_text(interval: Interval, digits: int = 2) -> str:
    """An estimate with its limits.

    >>> interval_text(Interval(0.5, 0.4, 0.625)), interval_text(Interval(0.5, math.nan, math.nan))
    ('0.50 (0.40 to 0.62)', '0.50')
    """
    estimate = number_text(interval.estimate, digits)
    return estimate if math.isnan(interval.low) else f"{estimate} ({limits_text(interval, digits)})"


def interval_cells(name: str, interval: Interval) -> dict[str, float]:
    """Three cells of an exported row."""
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def to_csv(rows: Iterable[dict[str, Any]]) -> str:
    """Rows as CSV; undefined numbers are empty, text that a spreadsheet would run is made harmless."""
    safe = [{name: harmless(value) for name, value in row.items()} for row in rows]
    return pd.DataFrame(safe).to_csv(index=False)


def draw_csv(label: str, rows: Iterable[dict[str, Any]], file_name: str, key: str) -> None:
    """A button that downloads rows as CSV."""
    st.download_button(
        label,
        lambda: to_csv(rows),
        file_name=file_name,
        mime="text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
    )
