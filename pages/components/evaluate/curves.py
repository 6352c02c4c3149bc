"""ROC and precision-recall curves, and the chosen operating point applied to patients."""

import numpy as np
import streamlit as st

from core.evaluation.bootstrap import Interval
from core.evaluation.curves import MAX_POINTS, Curve, trace_curve
from core.evaluation.operating_point import OperatingPoint, operate, operating_intervals
from core.evaluation.predictions import Predictions
from core.evaluation.score_table import MACRO, MICRO, SUSPICIOUS, ScoreTable, binary_outcomes, binary_targets
from core.taxonomy import get_diagnosis
from pages.components.evaluate import operating_panel, scores
from pages.components.evaluate.context import Context
from pages.components.evaluate.curve_chart import (
    add_legend,
    build_curves,
    precision_recall_lines,
    ring,
    roc_lines,
)
from pages.components.shared.chart_clicks import chart_key, take_click
from pages.components.shared.figures import savable

TARGET, THRESHOLD, ALL = "target", "threshold", "all_curves"
_THRESHOLD_OF = "threshold_of"  # which predictions the slider was set for
# The curves that are drawn for comparison need fewer points than the one that is worked on.
_FEW_POINTS = 120
NAMES = {SUSPICIOUS: "Malignant", MICRO: "Micro average", MACRO: "Macro average"}


def draw(context: Context) -> None:
    """Two charts, the operating point and the areas under the curves."""
    known = context.predictions.take(context.predictions.labelled)
    targets = binary_targets(known.classes)
    take_point(targets)
    table = scores.class_scores(context)
    panel = st.container()
    with panel, st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        target, threshold = choose_point(context, targets)
    positive, score = binary_outcomes(known, target)
    point = operate(positive, score, threshold)
    draw_charts(context, known, table, target, point)
    intervals = operating_intervals(positive, score, threshold, scores.lesion_draws(context))
    operating_panel.draw(point, intervals, title(target))
    draw_areas(table)


def take_point(targets: list[str]) -> None:
    """Let a click on a point of either chart set target and threshold."""
    for chart in ("roc", "precision_recall"):
        clicked = take_click(chart)
        if clicked is not None and clicked[0] in targets and clicked[1] is not None:
            st.session_state[TARGET] = title(clicked[0])
            st.session_state[THRESHOLD] = clicked[1]


def choose_point(context: Context, targets: list[str]) -> tuple[str, float]:
    """Positive class and decision threshold."""
    titles: dict[str, str] = {}
    # Where the classes are benign and malignant, two targets ask for malignancy: the first, with its threshold, counts.
    for target in targets:
        titles.setdefault(title(target), target)
    if st.session_state.get(TARGET) not in titles:
        st.session_state.pop(TARGET, None)

    def default(name: str) -> float:
        return context.threshold if titles[name] == SUSPICIOUS else 0.5

    def reset() -> None:
        st.session_state[THRESHOLD] = default(st.session_state[TARGET])

    name = st.selectbox(
        "Positive class",
        list(titles),
        key=TARGET,
        bind="query-params",
        persist_state="session",
        on_change=reset,
        width=300,
        help="Against all other images.",
    )
    if st.session_state.get(_THRESHOLD_OF, context.key) != context.key:
        st.session_state[THRESHOLD] = default(name)  # another system has its own threshold
    st.session_state[_THRESHOLD_OF] = context.key
    threshold = st.slider(
        "Decision threshold",
        *(0.0, 1.0, default(name), 0.001),
        format="%.3f",
        key=THRESHOLD,
        bind="query-params",
        persist_state="session",
        width=420,
    )
    st.toggle("All curves", True, key=ALL, bind="query-params", persist_state="session")
    return titles[name], threshold


def draw_charts(
    context: Context, known: Predictions, table: ScoreTable, target: str, point: OperatingPoint
) -> None:
    """ROC beside precision and recall; a click on a point sets the operating point."""
    curves = trace_all(context.key, known, target, st.session_state[ALL])
    if target not in curves:
        st.info(
            f"{title(target)}: a curve needs images with it and images without it, and one of the two is missing.",
            icon=":material/info:",
        )
        return
    at_roc, at_precision = ring(point)
    shown = [*curves, MACRO] if st.session_state[ALL] else list(curves)
    left, right = st.columns(2, gap="medium")
    with left:
        lines = roc_lines(curves, _labels(table.roc_auc, shown))
        figure = build_curves(lines, target, at_roc, ("1 − specificity", "Sensitivity"))
        _draw_chart(
            "roc", add_legend(figure, "right"), f"ROC curves. {_describe(target, 'AUC', table.roc_auc)}"
        )
    with right:
        lines = precision_recall_lines(curves, _labels(table.average_precision, shown))
        figure = build_curves(lines, target, at_precision, ("Recall (sensitivity)", "Precision"))
        words = _describe(target, "Average precision", table.average_precision)
        _draw_chart("precision_recall", add_legend(figure, "left"), f"Precision-recall curves. {words}")
    st.caption(
        "Click a point to operate there. In the legends: area under the ROC curve, average precision. Micro "
        "counts every image with every class as one question; macro is the mean of the classes; neither has "
        "an operating point."
    )


@st.cache_resource(show_spinner=False, max_entries=32)
def trace_all(key: str, _known: Predictions, target: str, all_curves: bool) -> dict[str, Curve]:
    """Curves of the targets that have both outcomes; micro average included where all are wanted."""
    wanted = binary_targets(_known.classes) if all_curves else [target]
    curves = {
        name: trace_curve(*binary_outcomes(_known, name), MAX_POINTS if name == target else _FEW_POINTS)
        for name in wanted
    }
    if all_curves:
        pairs = np.eye(len(_known.classes), dtype=bool)[_known.labels]
        curves[MICRO] = trace_curve(pairs.ravel(), _known.probabilities.ravel(), _FEW_POINTS)
    return {name: curve for name, curve in curves.items() if curve is not None}


def draw_areas(table: ScoreTable) -> None:
    """Areas under all curves with their intervals, and their CSV."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Areas under the curves", anchor=False, width="stretch")
        scores.draw_csv("CSV", area_rows(table), "areas_under_curves.csv", "download_areas")
    rows = [
        {
            "Positive class": title(target),
            "AUC": scores.interval_text(area, 3),
            "Average precision": scores.interval_text(table.average_precision[target], 3),
        }
        for target, area in table.roc_auc.items()
    ]
    st.dataframe(rows, key="areas", hide_index=True, height="content", alt="Areas under all curves.")
    st.caption(f"95 % intervals from {table.n_draws:,} bootstrap draws of {table.n_lesions:,} lesions.")


def area_rows(table: ScoreTable) -> list[dict]:
    """The areas for a file."""
    return [
        {"target": target}
        | scores.interval_cells("roc_auc", area)
        | scores.interval_cells("average_precision", table.average_precision[target])
        for target, area in table.roc_auc.items()
    ]


def title(target: str) -> str:
    """A target in words."""
    return NAMES.get(target) or get_diagnosis(target).name


def _draw_chart(name: str, figure, alt: str) -> None:
    st.plotly_chart(
        figure,
        key=chart_key(name),
        on_select="rerun",
        selection_mode="points",
        config=savable(name),
        alt=alt,
    )


def _labels(areas: dict[str, Interval], shown: list[str]) -> dict[str, str]:
    """Short names with their areas, for the legend."""
    short = {SUSPICIOUS: "malignant"}
    return {
        target: f"{short.get(target, target)} {scores.number_text(areas[target].estimate)}"
        for target in shown
    }


def _describe(target: str, name: str, areas: dict[str, Interval]) -> str:
    return f"{name} of {title(target)}: {scores.interval_text(areas[target], 3)}."
