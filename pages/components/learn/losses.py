"""The losses as interactive curves."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.datasets.splits import SPLIT_FILE, read_splits
from core.systems.ablations import is_ablation
from core.systems.evaluations import RUNS_DIR, WORK_DIR
from core.systems.training_runs import TrainingRun, read_runs
from core.taxonomy import HAM10000_CLASSES, get_diagnosis
from pages.components.shared.figures import AMBER, BLUE, savable
from pages.components.shared.notices import escape
from training.fit.loss_curves import focal_loss_of, shifted_disc_losses, weights_of_counts

CONFIG = savable("training_losses")
GAMMAS = (0.0, 1.0, 2.0, 3.0)
SIZE_PX = 192
_HEIGHT_PX = 320


def draw_losses() -> None:
    """Focal loss and class weights of the classifier, cross-entropy with Dice of the segmenter."""
    runs = [run for run in read_runs(RUNS_DIR, WORK_DIR) if run.config and not is_ablation(run.name)]
    for draw in (_draw_focal, _draw_weights, _draw_disc):
        with st.container(border=True):
            draw(runs)


def _draw_focal(runs: list[TrainingRun]) -> None:
    left, right = _halves("Cross-entropy and focal loss")
    with left:
        st.markdown(
            "Cross-entropy is −log of the probability given to the true class. Focal loss multiplies it by "
            "(1 − p) to the power γ, so that easy images count little and hard images dominate "
            " (Lin et al. 2017, [arXiv:1708.02002](https://arxiv.org/abs/1708.02002)). γ = 0 is plain "
            "cross-entropy."
        )
        easy = st.slider("Probability of the true class", 0.05, 0.95, 0.9, step=0.05, key="loss_probability")
        values = {gamma: float(focal_loss_of(easy, gamma)) for gamma in GAMMAS}
        st.table(
            {"γ": [f"{g:g}" for g in values], f"Loss at {easy:.2f}": [f"{v:.4f}" for v in values.values()]},
            border="horizontal",
            hide_index=True,
        )
        _draw_settings(runs, "focal_gamma", "γ")
    probabilities = np.linspace(0.02, 1.0, 99)
    figure = go.Figure()
    for gamma, colour in zip(GAMMAS, st.get_option("theme.chartCategoricalColors"), strict=False):
        name = f"γ = {gamma:g}" + (", cross-entropy" if gamma == 0 else "")
        hover = f"γ = {gamma:g}<br>probability %{{x:.2f}}: loss %{{y:.3f}}<extra></extra>"
        figure.add_scatter(
            x=probabilities,
            y=focal_loss_of(probabilities, gamma),
            name=name,
            line_color=colour,
            hovertemplate=hover,
        )
    figure.add_vline(x=easy, line={"color": AMBER, "width": 1, "dash": "dash"})
    _style(figure, "Probability of the true class", "Loss (nats)")
    at = "; ".join(f"{value:.4f} for γ = {gamma:g}" for gamma, value in values.items())
    right.plotly_chart(
        figure, key="loss_focal", config=CONFIG, alt=f"Focal loss by probability. At {easy:.2f} it is {at}."
    )


def _draw_weights(runs: list[TrainingRun]) -> None:
    left, right = _halves("Class weights")
    counts = _count_classes(SPLIT_FILE.stat().st_mtime_ns)
    with left:
        st.markdown(
            "Most images of HAM10000 are nevi; a network that minimises the mean loss alone could always predict "
            "“nevus”. Therefore the loss of an image is weighted by its class: count to the power −w, with mean 1 over "
            "the images. w = 0 leaves the loss alone, w = 1 lets every class weigh the same in total."
        )
        power = st.slider(
            "w", 0.0, 1.0, _first_share(runs, "class_weight_power", 0.25), step=0.05, key="loss_power"
        )
        _draw_settings(runs, "class_weight_power", "w")
        st.caption(f"Counts of the train part: from `training/splits/{SPLIT_FILE.name}`.")
    weights = weights_of_counts(counts.to_numpy(), power)
    names = [get_diagnosis(code).name for code in counts.index]
    figure = go.Figure(
        go.Bar(
            x=weights,
            y=names,
            orientation="h",
            marker_color=[get_diagnosis(code).colour for code in counts.index],
            text=[f"{weight:.2f}" for weight in weights],
            textposition="outside",
            cliponaxis=False,
            customdata=counts,
            hovertemplate="%{y}: weight %{x:.3f}, %{customdata:,} images<extra></extra>",
        )
    )
    _style(figure, "Weight of one image", None)
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6)
    figure.update_xaxes(range=[0, 1.15 * weights.max()])
    words = "; ".join(f"{name} {weight:.2f}" for name, weight in zip(names, weights, strict=True))
    right.plotly_chart(
        figure, key="loss_weights", config=CONFIG, alt=f"Weight of one image by class: {words}."
    )


def _draw_disc(_: list[TrainingRun]) -> None:
    left, right = _halves("Binary cross-entropy and Dice")
    with left:
        st.markdown(
            "The segmenter minimises the sum of two terms. Cross-entropy scores every pixel alone, so missing a small "
            "lesion completely costs little; 1 − Dice scores the overlap, whatever the size. Here "
            f"a disc is predicted beside its true place, on {SIZE_PX} × {SIZE_PX} pixels."
        )
        radius = st.slider("Radius (px)", 5, 80, 20, key="loss_radius")
        confidence = st.slider(
            "Probability inside the predicted disc", 0.55, 0.99, 0.99, step=0.01, key="loss_confidence"
        )
        st.caption("Outside it the prediction is 1 minus that. Computed by `training/fit/loss_curves.py`.")
    shifts = np.linspace(0, min(2.5 * radius, SIZE_PX / 2), 41)
    cross_entropy, dice_loss = shifted_disc_losses(radius, shifts, confidence, SIZE_PX)
    figure = go.Figure()
    parts = {"Cross-entropy": (cross_entropy, BLUE, "dot"), "1 − Dice": (dice_loss, AMBER, "dash")}
    parts["Sum"] = (cross_entropy + dice_loss, "#7A8CA3", "solid")
    for name, (values, colour, dash) in parts.items():
        hover = f"{name}<br>shift %{{x:.0f}} px: %{{y:.3f}}<extra></extra>"
        figure.add_scatter(
            x=shifts, y=values, name=name, line={"color": colour, "dash": dash}, hovertemplate=hover
        )
    _style(figure, "Shift of the predicted disc (px)", "Loss")
    figure.update_yaxes(rangemode="tozero")
    words = "; ".join(
        f"{name} from {values[0]:.3f} to {values[-1]:.3f}" for name, (values, *_) in parts.items()
    )
    alt = f"Loss of a disc of radius {radius} px shifted by 0 to {shifts[-1]:.0f} px: {words}."
    right.plotly_chart(figure, key="loss_disc", config=CONFIG, alt=alt)


def _halves(title: str):
    st.subheader(title, anchor=False)
    return st.columns([1, 1.4], gap="large")


def _style(figure: go.Figure, x_title: str, y_title: str | None) -> None:
    figure.update_xaxes(title=x_title, fixedrange=True)
    figure.update_yaxes(title=y_title, fixedrange=True)
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 0, "r": 12, "t": 8, "b": 0},
        dragmode=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


def _draw_settings(runs: list[TrainingRun], name: str, symbol: str) -> None:
    """What the runs used."""
    used = [f"{escape(run.title)} {run.config[name]:g}" for run in runs if name in run.config]
    if used:
        st.caption(f"{symbol} in the runs: {', '.join(used)}; from `training/runs/<run>/config.json`.")


def _first_share(runs: list[TrainingRun], name: str, otherwise: float) -> float:
    return next((min(1.0, float(run.config[name])) for run in runs if name in run.config), otherwise)


@st.cache_data(show_spinner=False)
def _count_classes(changed_ns: int) -> pd.Series:
    split = read_splits()
    counts = split.loc[split["split"] == "train", "dx"].value_counts()
    return counts.reindex(HAM10000_CLASSES, fill_value=0)
