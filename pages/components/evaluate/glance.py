"""Four small pictures at the head of the overview, each a door to its view; and published scores beside these."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.evaluation.calibration import Reliability, measure_reliability
from core.evaluation.curves import Curve
from core.evaluation.metrics import confusion_matrix
from core.evaluation.predictions import Predictions
from core.evaluation.score_table import SUSPICIOUS, ScoreTable
from core.evaluation.scores import TOP, calibration_question
from core.systems.references import read_references
from core.taxonomy import get_diagnosis
from pages.components.evaluate import curves, scores
from pages.components.evaluate.context import Context
from pages.components.evaluate.curve_chart import colour
from pages.components.evaluate.matrix_chart import SCALE, describe_matrix
from pages.components.shared.figures import AMBER, BLUE
from pages.components.shared.tables import draw_frame

VIEW_KEY = "show"  # of the page's view switch
HAM10000_CLASSES = {"akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"}
_HEIGHT_PX = 220
_GREY = "rgba(128, 145, 165, 0.9)"


def draw(context: Context, table: ScoreTable) -> None:
    """Confusion, ROC, calibration, classes."""
    known = context.predictions.take(context.predictions.labelled)
    counts = confusion_matrix(known.labels, known.predicted, len(known.classes))
    names = tuple(get_diagnosis(code).name for code in known.classes)
    reliability = measure_reliability(*calibration_question(known, TOP), 15)
    with st.grid(4, min_column_width=236, key="glance"):
        _draw_door(
            "Confusion",
            "Which class is taken for which",
            build_matrix(known, counts),
            describe_matrix(counts, names),
        )
        _draw_roc(context, known, table)
        _draw_door(
            "Calibration",
            "Does 70 % mean seven times out of ten?",
            build_calibration(reliability),
            f"Calibration: observed frequency over predicted probability, error {reliability.error:.3f}.",
        )
        worst = min(
            table.per_class, key=lambda code: np.nan_to_num(table.per_class[code]["recall"].estimate, nan=2)
        )
        _draw_door(
            "Errors first",
            "Share of each class that is found",
            build_ranking(table),
            f"Recall of each class with 95 % intervals; the lowest is that of {get_diagnosis(worst).name}.",
        )


def _draw_roc(context: Context, known: Predictions, table: ScoreTable) -> None:
    found = curves.trace_all(context.key, known, SUSPICIOUS, True)
    if SUSPICIOUS in found:
        area = scores.interval_text(table.roc_auc[SUSPICIOUS], 3)
        words = f"ROC curves; malignant against benign in amber, AUC {area}."
        _draw_door(
            "Curves",
            f"Malignant against benign: AUC {scores.number_text(table.roc_auc[SUSPICIOUS].estimate)}",
            build_roc(found),
            words,
        )


def _draw_door(view: str, title: str, figure: go.Figure, words: str) -> None:
    """A framed picture under its question, with the button that opens the view."""
    with st.container(border=True, gap="xsmall"):
        st.caption(title)
        config = {"displayModeBar": False, "responsive": True, "staticPlot": True}
        st.plotly_chart(figure, key=f"glance_{view}", config=config, alt=words)
        st.button(
            view,
            key=f"door_{view}",
            icon=":material/arrow_forward:",
            icon_position="right",
            type="tertiary",
            width="stretch",
            on_click=lambda: st.session_state.update({VIEW_KEY: view}),
        )


def build_matrix(known: Predictions, counts: np.ndarray) -> go.Figure:
    """Row percentages as shades; true from top to bottom, predicted from left to right."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    codes = list(known.classes)
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=codes, y=codes, zmin=0, zmax=1, colorscale=SCALE, showscale=False, xgap=1, ygap=1
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, title=None)
    figure.update_xaxes(showgrid=False, title=None, tickangle=-45)
    return _small(figure)


def build_roc(found: dict[str, Curve]) -> go.Figure:
    """Sensitivity over false-positive rate; malignant against benign on top."""
    figure = go.Figure()
    for target, curve in sorted(found.items(), key=lambda pair: pair[0] == SUSPICIOUS):
        main = target == SUSPICIOUS
        figure.add_scatter(
            x=np.append(0, curve.false_positive_rate),
            y=np.append(0, curve.sensitivity),
            mode="lines",
            line={"color": colour(target), "width": 3 if main else 1},
            opacity=1 if main else 0.6,
        )
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(range=[-0.02, 1.02], tickformat=".0%", dtick=0.5, zeroline=False)
    figure.update_xaxes(title={"text": "false-positive rate", "font": {"size": 11}})
    return _small(figure)


def build_calibration(reliability: Reliability) -> go.Figure:
    """Observed frequency over predicted probability of the most probable class."""
    filled = reliability.counts > 0
    figure = go.Figure(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dash", "width": 1.2, "color": _GREY})
    )
    figure.add_scatter(
        x=reliability.predicted[filled],
        y=reliability.observed[filled],
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
    )
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(range=[-0.02, 1.04], tickformat=".0%", dtick=0.5, zeroline=False)
    figure.update_xaxes(title={"text": "predicted", "font": {"size": 11}})
    return _small(figure)


def build_ranking(table: ScoreTable) -> go.Figure:
    """Recall of each class, lowest on top, with its interval."""
    codes = [code for code in table.per_class if not np.isnan(table.per_class[code]["recall"].estimate)]
    codes.sort(key=lambda code: -table.per_class[code]["recall"].estimate)
    recalls = [table.per_class[code]["recall"] for code in codes]
    figure = go.Figure(
        go.Bar(
            x=[one.estimate for one in recalls],
            y=codes,
            orientation="h",
            marker_color=[AMBER if code == codes[-1] else BLUE for code in codes],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [one.high - one.estimate for one in recalls],
                "arrayminus": [one.estimate - one.low for one in recalls],
                "color": _GREY,
                "thickness": 1.4,
                "width": 3,
            },
        )
    )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", dtick=0.5, zeroline=False)
    figure.update_yaxes(showgrid=False)
    return _small(figure)


def _small(figure: go.Figure) -> go.Figure:
    figure.update_layout(height=_HEIGHT_PX, margin={"l": 0, "r": 8, "t": 4, "b": 0}, showlegend=False)
    return figure


# --- published scores -------------------------------------------------------------------------------
def draw_references(context: Context, table: ScoreTable) -> None:
    """These scores beside published ones on the same seven classes, and what makes them comparable or not."""
    if set(context.predictions.classes) != HAM10000_CLASSES:
        return
    st.subheader("Beside published scores", anchor=False)
    draw_frame(
        _reference_rows(table),
        key="references",
        hide_index=True,
        height="content",
        row_height=62,
        column_config={
            "Source": st.column_config.LinkColumn(display_text="DOI", width="small"),
            "Who": st.column_config.TextColumn(width="medium"),
            "Measured on": st.column_config.TextColumn(width="large"),
            "Comparable?": st.column_config.TextColumn(width="medium"),
        },
        placeholder="–",
        alt="Published scores with how they were measured.",
    )
    st.caption(
        "Two scores compare where the images, the labels and the rule that keeps lesions apart are the same. None of "
        "these was measured on this split: read them as the range that the task allows. A split by image, not by "
        "lesion, shows the network other pictures of lesions that it has learned, and its score is too high."
    )


def _reference_rows(table: ScoreTable) -> list[dict]:
    """These scores first, then the published ones."""
    balanced, accuracy = (
        scores.interval_text(table.headline[name]) for name in ("balanced_accuracy", "accuracy")
    )
    own = {
        "Who": "These predictions",
        "Score": f"{balanced} balanced accuracy · {accuracy} accuracy",
        "Measured on": f"{table.n_images:,} images of {table.n_lesions:,} lesions",
        "Comparable?": "",
        "Source": None,
    }
    rows = [
        {
            "Who": one.who,
            "Score": one.shown,
            "Measured on": one.protocol,
            "Comparable?": one.comparable,
            "Source": one.url,
        }
        for one in read_references()
    ]
    return [own, *rows]
