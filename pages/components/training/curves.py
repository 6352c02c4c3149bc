"""Curves of several runs over their epochs: loss, one score, learning rate, and where layers were unfrozen."""

import html
import math
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from core.systems.training_runs import TrainingRun
from pages.components.shared.figures import savable
from pages.components.shared.notices import escape

CONFIG = savable("training_curves")
TRAINING, VALIDATION = "training", "validation"
_DASH = {TRAINING: "dot", VALIDATION: "solid"}
_HEIGHT_PX = 300
# Plotly's markers, and how the legend writes them: the next one each time that the colours come round.
_MARKERS = {"circle": "●", "diamond-open": "◇", "x": "✕"}
_NAMES = {
    "val_macro_auc": "Macro AUC",
    "val_loss": "Log loss",
    "val_failed_share": "Share with Jaccard < 0.65",
}


class RunStyle(NamedTuple):
    """How the lines of one run are told from those of others."""

    colour: str
    marker: str


def score_label(name: str) -> str:
    """A readable name for a column of history.csv.

    >>> score_label("val_balanced_accuracy_crop"), score_label("val_macro_auc")
    ('Balanced accuracy crop', 'Macro AUC')
    """
    return _NAMES.get(name, name.removeprefix("val_").replace("_", " ").capitalize())


def draw_curves(all_runs: list[TrainingRun], chosen: list[TrainingRun], score: str) -> None:
    """Loss, a score and the learning rate side by side; a run keeps its style whichever are chosen."""
    if not any(run.epochs for run in chosen):
        st.info("No epoch has ended yet; curves begin with the first.", icon=":material/hourglass_empty:")
        return
    styles = run_styles([run.name for run in all_runs])
    _draw_legend(chosen, styles)
    left, middle, right = st.columns(3, gap="medium")
    with left:
        st.markdown("**Loss**")
        _draw(build_chart(chosen, styles, {TRAINING: "loss", VALIDATION: "val_loss"}), chosen, "loss", "Loss")
    with middle:
        st.markdown(f"**{score_label(score)}** :gray[validation]")
        _draw(build_chart(chosen, styles, {VALIDATION: score}), chosen, score, score_label(score))
    with right:
        st.markdown("**Learning rate** :gray[at the end of each epoch]")
        chart = build_chart(chosen, styles, {TRAINING: "learning_rate"}, name_stages=True)
        chart.update_yaxes(type="log", tickformat=".0e", dtick=1)
        _draw(chart, chosen, "learning_rate", "Learning rate")
    _draw_notes(chosen)


def score_names(runs: list[TrainingRun]) -> list[str]:
    """Scores that any of these runs of one task records, the one that chooses the best epoch first."""
    monitor = runs[0].monitor
    names = [name for run in runs for name in run.score_names if name not in ("loss", "val_loss")]
    return list(dict.fromkeys([monitor, *names]))


def run_styles(names: list[str]) -> dict[str, RunStyle]:
    """A style of its own for each run: the theme's chart colours, each time round with another marker."""
    palette, markers = st.get_option("theme.chartCategoricalColors"), list(_MARKERS)
    return {
        name: RunStyle(palette[i % len(palette)], markers[i // len(palette) % len(markers)])
        for i, name in enumerate(names)
    }


def build_chart(
    runs: list[TrainingRun], styles: dict[str, RunStyle], columns: dict[str, str], name_stages: bool = False
) -> go.Figure:
    """Lines of one or two columns of the history, by epoch counted from 1.

    Args:
        runs: to overlay.
        styles: of each run, by name.
        columns: of the history, by `TRAINING` or `VALIDATION`; runs without a column have no line.
        name_stages: write the name of each stage beside its beginning.
    """
    figure = go.Figure()
    for run in runs:
        for part, column in columns.items():
            if column in run.history:
                figure.add_scatter(
                    x=(run.history["epoch"] + 1).tolist(),
                    y=run.history[column].tolist(),
                    mode="lines+markers",
                    line={
                        "color": styles[run.name].colour,
                        "dash": _DASH[part] if len(columns) > 1 else "solid",
                    },
                    marker={"size": 5, "symbol": styles[run.name].marker},
                    hovertemplate=f"{html.escape(run.title)}, {part}<br>epoch %{{x}}: %{{y:.4g}}<extra></extra>",
                )
        _mark_stages(figure, run, styles[run.name].colour, name_stages)
    longest = max((run.epochs for run in runs), default=0)
    figure.update_xaxes(title="Epoch", fixedrange=True, tick0=1, dtick=math.ceil(max(longest, 1) / 12))
    figure.update_yaxes(fixedrange=True)
    figure.update_layout(
        height=_HEIGHT_PX, margin={"l": 0, "r": 8, "t": 8, "b": 0}, showlegend=False, dragmode=False
    )
    return figure


def describe_curves(runs: list[TrainingRun], column: str, label: str) -> str:
    """Alternative text of a chart: first and last value of each run."""
    parts = [
        f"{run.title} from {run.history[column].iloc[0]:.3g} to {run.history[column].iloc[-1]:.3g} "
        f"over {run.epochs} epoch{'s' * (run.epochs > 1)}"
        for run in runs
        if column in run.history and run.epochs
    ]
    return f"{label} by epoch: {'; '.join(parts) or 'no run records it'}."


def _draw(figure: go.Figure, runs: list[TrainingRun], column: str, label: str) -> None:
    st.plotly_chart(figure, key=f"curve_{column}", config=CONFIG, alt=describe_curves(runs, column, label))


def _draw_legend(runs: list[TrainingRun], styles: dict[str, RunStyle]) -> None:
    entries = "".join(
        f'<span style="white-space:nowrap"><span aria-hidden="true" style="color:{styles[run.name].colour}">'
        f"━{_MARKERS[styles[run.name].marker]}━</span> {html.escape(run.title)}</span>"
        for run in runs
    )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:0.2rem 1.4rem;font-size:0.9rem">{entries}</div>')


def _mark_stages(figure: go.Figure, run: TrainingRun, colour: str, name_stages: bool) -> None:
    """Vertical lines between epochs where another set of layers begins to train."""
    for start, name, _ in run.stages():
        if 0 < start < run.epochs:
            figure.add_vline(x=start + 0.5, line={"color": colour, "width": 1, "dash": "dash"})
            if name_stages:
                figure.add_annotation(
                    x=start + 0.5,
                    y=1,
                    yref="paper",
                    text=html.escape(name),
                    textangle=-90,
                    xanchor="left",
                    yanchor="top",
                    showarrow=False,
                    font_size=11,
                )


def _draw_notes(runs: list[TrainingRun]) -> None:
    """The legend's caption: line styles, losses, and which layers trained when."""
    known = [run for run in runs if run.config]
    staged = [run for run in known if any(until for _, _, until in run.stages())]
    lines = [f"**{escape(run.title)}:** {_describe_stages(run)}" for run in staged]
    if len(staged) < len(known):
        lines.append(f"**{'All others' if staged else 'All'}:** every layer from the first epoch on")
    st.markdown("Layers that train, also dashed in the charts:  \n" + "  \n".join(lines))
    st.caption(
        "Solid: validation; dotted: training. The two losses are not the same quantity: training's is the loss "
        "with its weights on augmented images, validation's the plain log loss on images as they are; "
        "segmentation runs record no validation loss. From `training/runs/<run>/history.csv`."
    )


def _describe_stages(run: TrainingRun) -> str:
    return "; ".join(
        f"from epoch {start + 1} "
        + (f"“{escape(name)}”, from layer {escape(until)} on" if until else "all layers")
        for start, name, until in run.stages()
    )
