"""What each stage does to one image, with the numbers."""

import plotly.graph_objects as go
import streamlit as st

from core.analysis import Analysis
from core.taxonomy import get_diagnosis
from pages.components.learn import subject
from pages.components.learn.walkthrough import (
    EXPLANATIONS,
    Step,
    probability_histogram,
    probability_table,
    view_table,
    walk_through,
)
from pages.components.shared.figures import AMBER, BLUE, savable

CONFIG = savable("training_steps")


def draw_steps() -> None:
    """Choose an image, run it on request, then show every step."""
    outlook = (f"{n}. **{title}.** {text}" for n, (title, text) in enumerate(EXPLANATIONS.items(), 1))
    analysis = subject.choose_analysis("\n".join(outlook))
    if analysis is not None:
        _draw_walk(analysis)


def _draw_walk(analysis: Analysis) -> None:
    for number, step in enumerate(walk_through(analysis), start=1):
        with st.container(border=True):
            left, right = st.columns([1, 1.6], gap="large")
            with left:
                _draw_words(number, step)
            with right:
                _draw_pictures(step, analysis)
    manifest = analysis.manifest
    st.caption(
        f"Every number is computed from this image by bundle {manifest.name}, version {manifest.version}, "
        f"`{manifest.fingerprint}`."
    )


def _draw_words(number: int, step: Step) -> None:
    st.subheader(f"{number} · {step.title}", anchor=False)
    st.markdown(step.explanation)
    st.markdown("  \n".join(f":gray[{name}:] **{value}**" for name, value in step.numbers))


def _draw_pictures(step: Step, analysis: Analysis) -> None:
    many = len(step.pictures) > 2
    if step.pictures:
        with st.grid(8 if many else 2, min_column_width=76 if many else 220, gap="small"):
            for picture in step.pictures:
                alt = f"{step.title}: {picture.caption}"
                st.image(picture.pixels, caption=picture.caption, width="stretch", alt=alt)
            if step.title == "Threshold":
                _draw_histogram(analysis)
    if step.title == "Views":
        _draw_view_table(analysis)
    if step.title == "Probabilities":
        _draw_probabilities(analysis)


def _draw_histogram(analysis: Analysis) -> None:
    """Histogram of pixel probabilities, with the threshold."""
    counts, edges = probability_histogram(analysis)
    cut = analysis.lesion.threshold
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=edges[1] - edges[0],
            marker_color=BLUE,
            hovertemplate="about %{x:.2f}: %{y:,} pixels<extra></extra>",
        )
    )
    figure.add_vline(
        x=cut, line={"color": AMBER, "width": 2}, annotation={"text": f"cut {cut:.3f}", "xshift": 4}
    )
    figure.update_yaxes(type="log", title="Pixels", fixedrange=True, dtick=1)
    figure.update_xaxes(title="Lesion probability", range=[0, 1], fixedrange=True)
    figure.update_layout(height=270, margin={"l": 0, "r": 8, "t": 24, "b": 0}, dragmode=False, bargap=0)
    below = counts[edges[1:] <= cut].sum()
    alt = f"Histogram of lesion probabilities: {below:,} of {counts.sum():,} pixels lie clearly below the threshold of {cut:.3f}."
    st.plotly_chart(figure, key="learn_histogram", config=CONFIG, alt=alt)


def _draw_view_table(analysis: Analysis) -> None:
    table = view_table(analysis)
    shares = dict.fromkeys(analysis.classification.classes, st.column_config.NumberColumn(format="%.3f"))
    with st.expander("Probabilities of every view", icon=":material/table:"):
        st.dataframe(
            table,
            hide_index=True,
            column_config=shares,
            key="learn_views",
            alt=f"Probabilities of {len(table)} views, a column for each class.",
        )


def _draw_probabilities(analysis: Analysis) -> None:
    """Bars before (pale) and after temperature, most probable first."""
    table = probability_table(analysis)
    names = [get_diagnosis(code).name for code in table["code"]]
    colours = [get_diagnosis(code).colour for code in table["code"]]
    figure = go.Figure()
    for column, opacity in (("after", 1.0), ("before", 0.4)):
        figure.add_bar(
            x=table[column],
            y=names,
            orientation="h",
            marker={"color": colours, "opacity": opacity},
            hovertemplate=f"%{{y}}, {column} temperature: %{{x:.1%}}<extra></extra>",
        )
    figure.update_xaxes(tickformat=".0%", range=[0, 1], fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticklabelstandoff=6)
    figure.update_layout(
        height=300, margin={"l": 0, "r": 8, "t": 8, "b": 0}, dragmode=False, showlegend=False, bargap=0.25
    )
    shares = "; ".join(
        f"{n} {a:.1%}, before {b:.1%}" for n, a, b in zip(names, table["after"], table["before"], strict=True)
    )
    st.plotly_chart(
        figure, key="learn_probabilities", config=CONFIG, alt=f"Probabilities after temperature: {shares}."
    )
    st.caption("Full colour: after temperature. Pale: before it.")
