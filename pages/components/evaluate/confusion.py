"""Confusion matrix: which classes are taken for which, and the images behind each cell."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.evaluation.metrics import confusion_matrix
from core.evaluation.predictions import Predictions
from core.taxonomy import get_diagnosis, suspicious_flags
from pages.components.cases import cards as cases
from pages.components.evaluate.context import Context
from pages.components.evaluate.matrix_chart import build_matrix, describe_matrix
from pages.components.shared.chart_clicks import chart_key, take_click
from pages.components.shared.figures import savable

CLASSES, TWO_BY_TWO = "All classes", "Malignant or benign"
COUNTS, SHARES = "Counts", "Row percentages"
CHART, TRUE, PREDICTED, MATRIX, THRESHOLD = (
    *("confusion_chart", "true", "predicted"),
    *("matrix", "suspicious_from"),
)


@dataclass(frozen=True, eq=False)
class Table:
    """What is counted: names of the K outcomes, short ones for the axes, and each image's two numbers."""

    names: tuple[str, ...]
    ticks: tuple[str, ...]
    true: np.ndarray
    predicted: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """(K, K), rows true."""
        return confusion_matrix(self.true, self.predicted, len(self.names))


def draw(context: Context) -> None:
    """The matrix beside what it means; the images of the chosen cell below."""
    known = context.predictions.take(context.predictions.labelled)
    clicked = take_click(CHART)
    if clicked is not None:
        st.session_state[TRUE], st.session_state[PREDICTED] = clicked
    table, shares = draw_switches(context, known)
    left, right = st.columns([1.6, 1], gap="medium")
    with right:
        true, predicted = choose_cell(table)
    text_colour = st.get_option(f"theme.{st.context.theme.type or 'light'}.textColor")
    with left:
        st.plotly_chart(
            build_matrix(table.counts, table.names, table.ticks, shares, (true, predicted), text_colour),
            key=chart_key(CHART),
            on_select="rerun",
            selection_mode="points",
            config=savable("confusion"),
            alt=describe_matrix(table.counts, table.names),
        )
    draw_cases(context, known, table, true, predicted)


def draw_switches(context: Context, known: Predictions) -> tuple[Table, bool]:
    """Which matrix, in which unit; returns the table and whether to show row percentages."""
    flags = suspicious_flags(known.classes)
    kept = {
        "required": True,
        "bind": "query-params",
        "persist_state": "session",
        "label_visibility": "collapsed",
    }
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = st.segmented_control(
            "Matrix", [CLASSES, TWO_BY_TWO], default=CLASSES, key=MATRIX, on_change=clear_cell, **kept
        )
        unit = st.segmented_control("Unit", [COUNTS, SHARES], default=COUNTS, key="unit", **kept)
        if kind == CLASSES:
            names = tuple(get_diagnosis(code).name for code in known.classes)
            return Table(names, known.classes, known.labels, known.predicted), unit == SHARES
        threshold = st.slider(
            "Decision threshold",
            *(0.0, 1.0, context.threshold, 0.001),
            format="%.3f",
            key=THRESHOLD,
            bind="query-params",
            persist_state="session",
            width=320,
            help="Decision threshold on the probability of malignancy.",
        )
    called = known.malignancy_probability >= threshold
    names = ("malignant", "benign")
    return Table(names, names, _benign(flags[known.labels]), _benign(called)), unit == SHARES


def choose_cell(table: Table) -> tuple[str | None, str | None]:
    """Two boxes that do what a click does, and without a mouse; either may stay open."""
    for key in (TRUE, PREDICTED):
        if st.session_state.get(key) not in (None, *table.names):
            st.session_state[key] = None
    st.markdown("**Click a cell**, or choose here, to see its images.")
    true, predicted = (
        st.selectbox(
            label,
            table.names,
            index=None,
            key=key,
            placeholder="any",
            bind="query-params",
            persist_state="session",
        )
        for label, key in (("True class", TRUE), ("Predicted class", PREDICTED))
    )
    counts = table.counts
    right = np.trace(counts)
    st.markdown(f"{right:,} of {counts.sum():,} images lie on the diagonal ({right / counts.sum():.1%}).")
    if table.ticks != table.names:
        short = (f"**{tick}** {name}" for tick, name in zip(table.ticks, table.names, strict=True))
        st.caption(" · ".join(short))
    return true, predicted


def draw_cases(
    context: Context, known: Predictions, table: Table, true: str | None, predicted: str | None
) -> None:
    """A chip that says what is selected, and the images, most confident first."""
    if true is None and predicted is None:
        return
    chosen = np.ones(len(known), bool)
    if true is not None:
        chosen &= table.true == table.names.index(true)
    if predicted is not None:
        chosen &= table.predicted == table.names.index(predicted)
    rows = np.flatnonzero(chosen)
    noun = "image" if len(rows) == 1 else "images"
    st.button(
        f"true {true or 'any'} → predicted {predicted or 'any'}, {len(rows):,} {noun} :material/close:",
        key="clear_cell",
        on_click=clear_cell,
        help="Remove the selection",
    )
    confidence = known.probabilities[rows].max(axis=1)
    rows = rows[np.argsort(-confidence, kind="stable")]
    cases.draw_cards(known, rows, "confusion_cases", context.source)


def clear_cell() -> None:
    """Select nothing."""
    st.session_state[TRUE] = st.session_state[PREDICTED] = None


def _benign(suspicious: np.ndarray) -> np.ndarray:
    """0 for malignant, which comes first, 1 for benign."""
    return (~suspicious).astype(np.int64)
