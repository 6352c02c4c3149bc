"""ROC and precision-recall curves as charts whose points can be clicked."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.evaluation.curves import Curve, average_precision_recall, average_roc
from core.evaluation.operating_point import OperatingPoint
from core.evaluation.score_table import MACRO, MICRO, SUSPICIOUS
from core.taxonomy import get_diagnosis
from pages.components.shared.figures import AMBER

NEUTRAL = "#8091A5"
_DASHES = {SUSPICIOUS: "dash", MICRO: "dot", MACRO: "dashdot"}


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart; points with a threshold can be clicked."""

    target: str
    label: str
    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray | None = None


def roc_lines(curves: dict[str, Curve], labels: dict[str, str]) -> list[Line]:
    """Sensitivity over false-positive rate of every target, and the macro average of the classes."""
    lines = [
        Line(
            target,
            labels[target],
            np.append(0, curve.false_positive_rate),
            np.append(0, curve.sensitivity),
            None if target == MICRO else np.append(np.nan, curve.thresholds),
        )
        for target, curve in curves.items()
    ]
    return [*lines, *_macro(average_roc, curves, labels)]


def precision_recall_lines(curves: dict[str, Curve], labels: dict[str, str]) -> list[Line]:
    """Precision over recall of every target, and the macro average of the classes."""
    lines = [
        Line(
            target,
            labels[target],
            curve.sensitivity,
            curve.precision,
            None if target == MICRO else curve.thresholds,
        )
        for target, curve in curves.items()
    ]
    return [*lines, *_macro(average_precision_recall, curves, labels)]


def build_curves(
    lines: list[Line], target: str, point: tuple[float, float], titles: tuple[str, str]
) -> go.Figure:
    """All lines, `target` thick and last, with a ring at its operating point.

    Args:
        lines: to draw; customdata of a point that can be clicked is (target, threshold).
        target: whose operating point is set.
        point: (x, y) of the ring; NaN for none.
        titles: of the two axes.
    """
    figure = go.Figure()
    for line in sorted(lines, key=lambda line: line.target == target):
        _add_line(figure, line, line.target == target)
    figure.add_scatter(
        x=[point[0]],
        y=[point[1]],
        mode="markers",
        marker={"size": 17, "symbol": "circle-open", "color": colour(target), "line": {"width": 4}},
        hoverinfo="skip",
        showlegend=False,
    )
    axis = {"range": [-0.01, 1.01], "fixedrange": True, "zeroline": False, "dtick": 0.2}
    figure.update_xaxes(**axis, title=titles[0])
    figure.update_yaxes(**axis, title=titles[1])
    figure.update_layout(
        height=430, margin={"l": 0, "r": 8, "t": 8, "b": 0}, hovermode="closest", dragmode=False
    )
    return figure


def add_legend(figure: go.Figure, corner: str) -> go.Figure:
    """Names and areas in the empty corner of the chart: "right" or "left", at the bottom."""
    x = 0.99 if corner == "right" else 0.01
    figure.update_layout(
        showlegend=True,
        legend={
            "x": x,
            "y": 0.02,
            "xanchor": corner,
            "yanchor": "bottom",
            "font": {"size": 11},
            "bgcolor": "rgba(0,0,0,0)",
            "traceorder": "reversed",
            "tracegroupgap": 0,
        },
    )
    return figure


def colour(target: str) -> str:
    """Colour of a target everywhere."""
    if target in (MICRO, MACRO):
        return NEUTRAL
    return AMBER if target == SUSPICIOUS else get_diagnosis(target).colour


def ring(point: OperatingPoint) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an operating point lies in the ROC chart and in the precision-recall chart."""
    precision = point.positive_predictive_value(point.prevalence)
    return (1 - point.specificity, point.sensitivity), (point.sensitivity, precision)


def _macro(average, curves: dict[str, Curve], labels: dict[str, str]) -> list[Line]:
    by_class = [curve for target, curve in curves.items() if target not in (MICRO, SUSPICIOUS)]
    return [Line(MACRO, labels[MACRO], *average(by_class))] if by_class and MACRO in labels else []


def _add_line(figure: go.Figure, line: Line, main: bool) -> None:
    clickable = line.thresholds is not None
    figure.add_scatter(
        x=line.x,
        y=line.y,
        name=line.label,
        mode="lines+markers" if clickable else "lines",
        line={
            "color": colour(line.target),
            "width": 3.5 if main else 1.4,
            "dash": _DASHES.get(line.target, "solid"),
        },
        opacity=1 if main else 0.75,
        marker={"size": 4 if main else 2},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=[
            (line.target, None if np.isnan(threshold) else float(threshold)) for threshold in line.thresholds
        ]
        if clickable
        else None,
        hovertemplate=f"<b>{line.label}</b><br>%{{x:.3f}}, %{{y:.3f}}"
        + ("<br>from %{customdata[1]:.3f}" if clickable else "")
        + "<extra></extra>",
    )
