"""Predictions without labels: their distribution, without any score."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.taxonomy import get_diagnosis
from pages.components.evaluate.context import Context
from pages.components.shared.figures import AMBER, BLUE, savable


def draw(context: Context) -> None:
    """Images by most probable class and by probability of malignancy."""
    predictions = context.predictions
    st.info(
        "These predictions have no labels, so what was predicted can be shown, but not whether it is right. "
        "A column `dx` with the true class opens the scores, the confusion matrix, the curves and the rest.",
        title="Labels are needed for scores",
        icon=":material/label_off:",
    )
    share = predictions.malignancy_probability
    called = int((share >= context.threshold).sum())
    st.markdown(
        f"**{len(predictions):,} images**, of which **{called:,}** reach the decision threshold of "
        f"{context.threshold:.1%}."
    )
    counts = np.bincount(predictions.predicted, minlength=len(predictions.classes))
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Most probable class", anchor=False)
        st.plotly_chart(
            build_classes(predictions.classes, counts),
            key="predicted_classes",
            config=savable("predicted_classes"),
            alt="Images by most probable class: "
            + "; ".join(f"{code} {n}" for code, n in zip(predictions.classes, counts, strict=True)),
        )
    with right:
        st.subheader("Probability of malignancy", anchor=False)
        st.plotly_chart(
            build_shares(share, context.threshold),
            key="predicted_shares",
            config=savable("malignancy_probability"),
            alt=f"Images by probability of malignancy: {called} of {len(share)} reach {context.threshold:.1%}.",
        )


def build_classes(classes: tuple[str, ...], counts: np.ndarray) -> go.Figure:
    """One bar a class."""
    diagnoses = [get_diagnosis(code) for code in classes]
    figure = go.Figure(
        go.Bar(
            x=counts,
            y=[diagnosis.name for diagnosis in diagnoses],
            orientation="h",
            text=[f"{count:,}" for count in counts],
            textposition="outside",
            cliponaxis=False,
            marker_color=[diagnosis.colour for diagnosis in diagnoses],
            hovertemplate="%{y}: %{x:,} images<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, range=[0, max(1, counts.max()) * 1.15], fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticklabelstandoff=6)
    figure.update_layout(
        height=40 * len(classes) + 20, margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode=False
    )
    return figure


def build_shares(share: np.ndarray, threshold: float) -> go.Figure:
    """Images in bins of 0.05 of the probability of malignancy, with the threshold."""
    counts, edges = np.histogram(share, bins=20, range=(0, 1))
    centres = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure(
        go.Bar(
            x=centres,
            y=counts,
            width=0.046,
            marker_color=np.where(centres >= threshold, AMBER, BLUE),
            hovertemplate="around %{x:.2f}: %{y:,} images<extra></extra>",
        )
    )
    figure.add_vline(x=threshold, line_dash="dot", line_color="#8091A5", annotation_text="threshold")
    figure.update_xaxes(range=[0, 1], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(title="Images", fixedrange=True)
    figure.update_layout(height=300, margin={"l": 0, "r": 8, "t": 20, "b": 0}, dragmode=False)
    return figure
