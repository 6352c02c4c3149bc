"""What the members of the classifier disagree on: their answers alone, and where each looks."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.analysis import Analysis
from core.diagnosis.members import disagreement, member_probabilities, member_saliency
from core.images.drawing import blend_heatmap
from core.images.preprocessing import limit_long_side
from core.taxonomy import get_diagnosis
from models.runtimes.head_parts import Member
from pages.components.learn import subject
from pages.components.learn.attention import COLOURS, try_read_members
from pages.components.learn.walkthrough import PICTURE_SIDE_PX
from pages.components.shared import engine
from pages.components.shared.figures import savable
from pages.components.shared.notices import HEATMAP_CAUTION

_OUTLOOK = (
    "A classifier may be several networks, its members, whose scores are averaged (an ensemble, Lakshminarayanan et "
    "al. 2017, arXiv:1612.01474). They were trained apart and err in different places.\n"
    "1. **What each answers alone**, and how far they are apart.\n"
    "2. **Where each looks** for a class: Grad-CAM of each member.\n\n"
    "Where the members disagree, the averaged answer hides a doubt that a single network would not show."
)


def draw_members() -> None:
    """Each member's probabilities beside the common answer, and each member's heatmap of a class."""
    analysis = subject.choose_analysis(_OUTLOOK)
    members = None if analysis is None else try_read_members(analysis)
    if members is None:
        return
    subject.draw_outlook_again(_OUTLOOK)
    if len(members) < 2:
        st.info("The classifier of this bundle is a single network.", icon=":material/looks_one:")
        return
    alone = member_probabilities(members, analysis.manifest.temperature)
    _draw_words(analysis, alone)
    _draw_probabilities(analysis, alone)
    _draw_heatmaps(analysis, members, alone)


def _draw_words(analysis: Analysis, alone: np.ndarray) -> None:
    classes = analysis.classification.classes
    first = [get_diagnosis(classes[k]).name for k in alone.argmax(axis=1)]
    apart = disagreement(alone)
    if len(set(first)) == 1:
        agreed = f"Each member alone names **{first[0]}** first."
    else:
        agreed = "The members name different classes first: " + ", ".join(
            f"member {n} **{name}**" for n, name in enumerate(first, 1)
        )
        agreed += "."
    most = int(np.ptp(alone, axis=0).argmax())
    low, high = alone[:, most].min(), alone[:, most].max()
    st.markdown(
        f"{agreed} They differ most about **{get_diagnosis(classes[most]).name}**: from {low:.1%} to {high:.1%}. "
        f"To turn one answer into the other, {apart:.1%} of the probability would have to change class."
    )


def _draw_probabilities(analysis: Analysis, alone: np.ndarray) -> None:
    answer = analysis.classification
    order = np.argsort(-answer.probabilities, kind="stable")
    names = [get_diagnosis(answer.classes[k]).name for k in order]
    rows = {f"Member {n}": values for n, values in enumerate(alone, start=1)} | {
        "Together": answer.probabilities
    }
    colours = [*COLOURS[: len(alone)], "#7A8CA3"]
    figure = go.Figure()
    for (name, values), colour in zip(rows.items(), colours, strict=True):
        figure.add_bar(
            x=values[order],
            y=names,
            name=name,
            orientation="h",
            marker_color=colour,
            hovertemplate="%{y}: %{x:.1%}<extra>" + name + "</extra>",
        )
    figure.update_xaxes(tickformat=".0%", range=[0, 1], fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticklabelstandoff=6)
    figure.update_layout(
        height=46 * len(names) + 40,
        margin={"l": 0, "r": 8, "t": 34, "b": 0},
        dragmode=False,
        bargap=0.25,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    alt = "; ".join(f"{name}: {names[0]} {values[order[0]]:.1%}" for name, values in rows.items())
    st.plotly_chart(
        figure,
        key="learn_members",
        config=savable("members"),
        alt=f"Probabilities alone and together. {alt}.",
    )


def _draw_heatmaps(analysis: Analysis, members: tuple[Member, ...], alone: np.ndarray) -> None:
    classes = analysis.classification.classes
    code = st.selectbox(
        "Where each member looks for",
        sorted(classes, key=lambda code: -np.ptp(alone, axis=0)[classes.index(code)]),
        format_func=lambda code: get_diagnosis(code).name,
        key="learn_member_class",
        width=300,
    )
    head = engine.analyzer_of(analysis).bundle.head
    image = limit_long_side(analysis.image.pixels, PICTURE_SIDE_PX)
    with st.grid(max(len(members), 2), min_column_width=220, gap="small"):
        for number, member in enumerate(members, start=1):
            found = member_saliency(head, analysis.classification, member, code, analysis.shape)
            caption = f"Member {number}: {code} {alone[number - 1, classes.index(code)]:.1%}"
            heat = blend_heatmap(image, limit_long_side(found, PICTURE_SIDE_PX))
            st.image(heat, caption=caption, width="stretch", alt=f"Grad-CAM. {caption}.")
    st.caption(HEATMAP_CAUTION)
