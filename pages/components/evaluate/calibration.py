"""Calibration: predicted probability against observed frequency, before and after temperature."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from core.evaluation.bootstrap import Interval
from core.evaluation.calibration import (
    INTERVAL_NOTE,
    Reliability,
    error_draws,
    measure_reliability,
    observed_intervals,
)
from core.evaluation.predictions import Predictions
from core.evaluation.score_table import SUSPICIOUS, binary_targets
from core.evaluation.scores import TOP, calibration_question
from core.taxonomy import get_diagnosis
from pages.components.evaluate import scores
from pages.components.evaluate.context import Context
from pages.components.shared.figures import AMBER, BLUE, savable

AFTER, BEFORE = "after temperature", "before temperature"
COLOURS = {AFTER: BLUE, BEFORE: AMBER}
GREY = "rgba(128, 145, 165, 0.9)"


def draw(context: Context) -> None:
    """Reliability diagram, calibration error and table."""
    known = context.predictions.take(context.predictions.labelled)
    target, n_bins = _draw_controls(known)
    variants = {AFTER: known}
    if known.uncalibrated is not None:
        variants[BEFORE] = replace(known, probabilities=known.uncalibrated)
    found = {name: _measure(context, part, name, target, n_bins) for name, part in variants.items()}
    _draw_errors(found)
    reliabilities = {name: reliability for name, (reliability, _, _) in found.items()}
    intervals = found[AFTER][2]
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        st.plotly_chart(
            build_diagram(reliabilities, intervals),
            key="reliability",
            config=savable("calibration"),
            alt=describe(reliabilities, target),
        )
    with right:
        _draw_table(reliabilities, intervals)


def _draw_controls(known: Predictions) -> tuple[str, int]:
    """Whose probability, and in how many bins."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        target = st.selectbox(
            "Probability of",
            [TOP, *binary_targets(known.classes)],
            format_func=target_name,
            key="calibrated",
            bind="query-params",
            persist_state="session",
            width=320,
        )
        n_bins = st.slider(
            "Bins", 5, 30, 15, step=5, key="bins", bind="query-params", persist_state="session", width=220
        )
    return target, n_bins


def target_name(target: str) -> str:
    """A target in words."""
    if target == TOP:
        return "the most probable class"
    return "malignancy" if target == SUSPICIOUS else get_diagnosis(target).name


def _measure(
    context: Context, known: Predictions, variant: str, target: str, n_bins: int
) -> tuple[Reliability, Interval, list[Interval]]:
    """Diagram, calibration error with its interval, and the interval of each bin."""
    return _measure_cached((context.key, variant, target, n_bins), context, known)


@st.cache_data(show_spinner="Measuring calibration …", max_entries=64)
def _measure_cached(
    key: tuple[str, str, str, int], _context: Context, _known: Predictions
) -> tuple[Reliability, Interval, list[Interval]]:
    _, _, target, n_bins = key
    question = calibration_question(_known, target)
    draws = scores.lesion_draws(_context)
    error = draws.interval(error_draws(*question, n_bins, draws))
    return measure_reliability(*question, n_bins), error, observed_intervals(*question, n_bins, draws)


def _draw_errors(found: dict[str, tuple[Reliability, Interval, list[Interval]]]) -> None:
    with st.grid(4, min_column_width=200, key="calibration_errors"):
        for name in reversed(found):
            _, error, _ = found[name]
            st.metric(
                f"Calibration error, {name}",
                scores.number_text(error.estimate),
                scores.limits_text(error),
                delta_color="off",
                delta_arrow="off",
                border=True,
                help="Mean gap between predicted probability and the observed frequency, weighted by images; lower "
                f"is better. In grey: 95 % interval over lesions. {INTERVAL_NOTE}",
            )
    if BEFORE not in found:
        st.caption(
            ":material/info: This file has no probabilities before temperature (columns `raw_<code>`), so "
            "only the calibrated ones are shown."
        )


def build_diagram(reliabilities: dict[str, Reliability], intervals: list[Interval]) -> go.Figure:
    """Observed frequency against predicted probability, with the interval after temperature; below, how many images."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.06)
    diagonal = {"dash": "dash", "width": 1.2, "color": GREY}
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line=diagonal, hoverinfo="skip", name="perfect", row=1, col=1
    )
    for name in reversed(reliabilities):
        reliability = reliabilities[name]
        bars = _error_bars(reliability, intervals) if name == AFTER else None
        figure.add_trace(_points(name, reliability, bars), row=1, col=1)
        figure.add_trace(_counts(name, reliability), row=2, col=1)
    figure.update_xaxes(range=[-0.02, 1.02], fixedrange=True, tickformat=".0%", zeroline=False)
    figure.update_xaxes(title="predicted", row=2, col=1)
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", title="observed frequency", row=1, col=1)
    figure.update_yaxes(title="images", nticks=3, rangemode="tozero", row=2, col=1)
    figure.update_yaxes(fixedrange=True, zeroline=False)
    figure.update_layout(
        height=520,
        margin={"l": 0, "r": 8, "t": 8, "b": 40},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        bargap=0.15,
        dragmode=False,
    )
    return figure


def _points(name: str, reliability: Reliability, error_y: dict | None) -> go.Scatter:
    filled = reliability.counts > 0
    return go.Scatter(
        x=reliability.predicted[filled],
        y=reliability.observed[filled],
        error_y=error_y,
        customdata=reliability.counts[filled],
        mode="lines+markers",
        marker={"color": COLOURS[name], "size": 8},
        line={"color": COLOURS[name], "width": 2},
        name=name,
        hovertemplate="predicted %{x:.1%}, observed %{y:.1%}<br>%{customdata:,} images<extra></extra>",
    )


def _error_bars(reliability: Reliability, intervals: list[Interval]) -> dict:
    filled = np.flatnonzero(reliability.counts)
    up = [intervals[k].high - reliability.observed[k] for k in filled]
    down = [reliability.observed[k] - intervals[k].low for k in filled]
    style = {"color": BLUE, "thickness": 1.2, "width": 4}
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, **style}


def _counts(name: str, reliability: Reliability) -> go.Bar:
    edges = reliability.edges
    return go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=reliability.counts,
        marker_color=COLOURS[name],
        showlegend=False,
        hovertemplate="%{y:,} images<extra></extra>",
    )


def describe(reliabilities: dict[str, Reliability], target: str) -> str:
    """The diagram in words."""
    errors = ", ".join(f"{scores.number_text(r.error)} {name}" for name, r in reliabilities.items())
    return (
        f"Reliability diagram for the probability of {target_name(target)}: calibration error {errors}; "
        "below, the number of images in each bin."
    )


def _draw_table(reliabilities: dict[str, Reliability], intervals: list[Interval]) -> None:
    rows = table_rows(reliabilities, intervals)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("By bin", anchor=False, width="stretch")
        scores.draw_csv("CSV", rows, "calibration.csv", "download_calibration")
    after = reliabilities[AFTER]
    st.dataframe(
        [
            {
                "Predicted": _bin_name(after, k),
                "Images": f"{after.counts[k]:,}",
                "Mean": scores.number_text(after.predicted[k], 2),
                "Observed frequency": scores.interval_text(intervals[k]),
            }
            for k in np.flatnonzero(after.counts)
        ],
        key="calibration_table",
        hide_index=True,
        height="content",
        column_config={"Images": st.column_config.TextColumn(alignment="right", width="small")},
        alt="Mean predicted probability and observed frequency in each bin, after temperature.",
    )
    if not after.counts.all():
        st.caption("Bins without images are left out.")


def table_rows(reliabilities: dict[str, Reliability], intervals: list[Interval]) -> list[dict]:
    """One row a bin and variant, for the CSV."""
    rows = []
    for name, reliability in reliabilities.items():
        for k, count in enumerate(reliability.counts):
            row = {"variant": name, "from": reliability.edges[k], "to": reliability.edges[k + 1]}
            row |= {"images": int(count), "predicted": reliability.predicted[k]}
            row |= {"came_true": reliability.observed[k]}
            if name == AFTER:
                row |= {"came_true_low": intervals[k].low, "came_true_high": intervals[k].high}
            rows.append(row)
    return rows


def _bin_name(reliability: Reliability, k: int) -> str:
    return f"{reliability.edges[k]:.0%} to {reliability.edges[k + 1]:.0%}"
