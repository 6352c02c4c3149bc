"""What an operating point means: the 2x2 table, and 1,000 patients of a chosen prevalence."""

import streamlit as st

from core.evaluation.bootstrap import Interval
from core.evaluation.operating_point import OperatingPoint
from pages.components.evaluate import scores

PREVALENCE = "prevalence"


def draw(point: OperatingPoint, intervals: dict[str, Interval], name: str) -> None:
    """Counts on the left, patients on the right."""
    left, right = st.columns([1, 1.4], gap="medium")
    with left.container(border=True, height="stretch"):
        draw_counts(point, name)
    with right.container(border=True, height="stretch"):
        draw_patients(point, intervals, name)


def draw_counts(point: OperatingPoint, name: str) -> None:
    """The 2x2 table of this data."""
    st.subheader(f"{name} at a threshold of {point.threshold:.3f}", anchor=False)
    st.table(count_table(point, name), hide_index=True, border="horizontal")
    st.caption("Images of this data. Predicted positive: at or above the decision threshold.")


def count_table(point: OperatingPoint, name: str) -> dict[str, list[str]]:
    """Columns of the 2x2 table with its sums."""
    found, missed = point.true_positives, point.false_negatives
    alarms, passed = point.false_positives, point.true_negatives
    columns = {
        "": [f"{name}", "Not", "All"],
        "Predicted positive": [found, alarms, found + alarms],
        "Predicted negative": [missed, passed, missed + passed],
        "All": [found + missed, alarms + passed, found + missed + alarms + passed],
    }
    return {
        title: [cell if isinstance(cell, str) else f"{cell:,}" for cell in cells]
        for title, cells in columns.items()
    }


def draw_patients(point: OperatingPoint, intervals: dict[str, Interval], name: str) -> None:
    """Rates, predictive values and errors per 1,000 at a prevalence that can be set."""
    st.subheader("Among 1,000 patients", anchor=False)
    per_cent = st.slider(
        "Prevalence",
        *(0.1, 100.0, _default_per_cent(point), 0.1),
        format="%.1f %%",
        key=PREVALENCE,
        bind="query-params",
        persist_state="session",
        help="How many of 100 patients have it. A dataset holds many more than a practice sees; at first, "
        "the share in this data.",
    )
    with st.grid(3, min_column_width=140, key="patients"):
        for name_, interval in intervals.items():
            limits = scores.limits_text(interval)
            st.metric(
                name_.capitalize(),
                scores.number_text(interval.estimate),
                limits,
                delta_color="off",
                delta_arrow="off",
            )
        _draw_predictive(point, per_cent / 100)
    st.caption(
        "As if each image were a patient and the prevalence alone changed; other clinics, cameras and skins differ in more."
    )


def _draw_predictive(point: OperatingPoint, prevalence: float) -> None:
    """Four metrics that depend on the prevalence, in [0, 1]."""
    per_1000 = "Of 1,000 patients."
    st.metric(
        "PPV",
        scores.number_text(point.positive_predictive_value(prevalence)),
        help="Positive predictive value: share of the predicted positives who have it.",
    )
    st.metric(
        "NPV",
        scores.number_text(point.negative_predictive_value(prevalence)),
        help="Negative predictive value: share of the predicted negatives who do not have it.",
    )
    st.metric("Missed", scores.number_text(point.missed_per_1000(prevalence), 1), help=per_1000)
    st.metric("False alarms", scores.number_text(point.false_alarms_per_1000(prevalence), 1), help=per_1000)


def _default_per_cent(point: OperatingPoint) -> float:
    """The share in the data, within the slider."""
    share = point.prevalence
    return min(max(round(100 * share, 1), 0.1), 100.0) if share == share else 0.1
