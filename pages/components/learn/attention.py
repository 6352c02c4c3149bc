"""What the attention layers of each member let through, on the image. Needs no TensorFlow."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.analysis import Analysis
from core.diagnosis.members import attention_map, channel_map, strongest_channels
from core.images.drawing import blend_heatmap
from core.images.preprocessing import limit_long_side
from core.lesion.segmentation import stretch_map
from models.runtimes.graph import GraphError
from models.runtimes.head_parts import Member, read_members
from pages.components.learn import subject
from pages.components.learn.walkthrough import PICTURE_SIDE_PX
from pages.components.shared.figures import AMBER, BLUE, savable
from pages.components.shared.notices import escape

_OUTLOOK = (
    "The last feature maps of the classifier pass through two attention layers (CBAM, Woo et al. 2018, "
    "doi:10.1007/978-3-030-01234-2_1) before they are averaged into the answer.\n"
    "1. **Channel attention** gives each feature channel a weight between 0 and 1: which features count in this "
    "image.\n"
    "2. **Spatial attention** gives each position a weight between 0 and 1: where features count.\n\n"
    "Both are shown as they were in the analysis of your image. A weight says how much passes, not what it speaks "
    "for: a bright place may raise the score of any class or lower it."
)
COLOURS = (BLUE, AMBER, "#C2477F", "#4FB3BF")


def draw_attention() -> None:
    """Spatial weights on the image, the strongest channels and the weights of all channels, member by member."""
    analysis = subject.choose_analysis(_OUTLOOK)
    if analysis is None:
        return
    members = try_read_members(analysis)
    if members is None:
        return
    subject.draw_outlook_again(_OUTLOOK)
    if all(member.spatial_weight is None and member.channel_weight is None for member in members):
        st.info("The classifier of this bundle has no attention layers.", icon=":material/visibility_off:")
        return
    for number, member in enumerate(members, start=1):
        with st.container(border=True):
            if len(members) > 1:
                st.subheader(f"Member {number}", anchor=False)
            _draw_member(member, analysis)
    _draw_channel_weights(members)
    st.caption(
        "Mean over all windows and views, turned back onto the image. The maps have "
        f"{' × '.join(map(str, analysis.classification.features.shape[1:3]))} cells a view: they cannot be finer than that."
    )


def try_read_members(analysis: Analysis) -> tuple[Member, ...] | None:
    """The members of the classifier on this image; None, with a message, where the bundle cannot tell."""
    try:
        return read_members(analysis.manifest, analysis.classification.features)
    except GraphError as error:
        st.info(
            f"This bundle does not show the inside of its classifier: {escape(str(error))}.",
            icon=":material/visibility_off:",
        )
        return None


def _draw_member(member: Member, analysis: Analysis) -> None:
    image = limit_long_side(analysis.image.pixels, PICTURE_SIDE_PX)
    with st.grid(4, min_column_width=150, gap="small"):
        weights = attention_map(member, analysis.classification, analysis.shape)
        if weights is not None:
            # Enlarging by cubic splines overshoots a little.
            weights = np.clip(weights, member.spatial_weight.min(), member.spatial_weight.max())
            low, high = float(weights.min()), float(weights.max())
            _draw_map(
                image, (weights - low) / max(high - low, 1e-6), f"Where: dark {low:.2f}, bright {high:.2f}"
            )
        for channel in strongest_channels(member, analysis.classification):
            found = channel_map(member, analysis.classification, channel, analysis.shape)
            weight = (
                ""
                if member.channel_weight is None
                else f", weight {member.channel_weight[:, channel].mean():.2f}"
            )
            _draw_map(image, found, f"Channel {channel}{weight}")


def _draw_map(image: np.ndarray, values: np.ndarray, caption: str) -> None:
    heat = blend_heatmap(image, stretch_map(values, image.shape[:2]), 0.55)
    st.image(heat, caption=caption, width="stretch", alt=f"{caption}.")


def _draw_channel_weights(members: tuple[Member, ...]) -> None:
    """The weights of all channels, largest first."""
    figure, words = go.Figure(), []
    for number, member in enumerate(members, start=1):
        if member.channel_weight is None:
            continue
        weights = np.sort(member.channel_weight.mean(axis=0))[::-1]
        name = f"Member {number}"
        figure.add_scatter(
            x=np.arange(1, len(weights) + 1),
            y=weights,
            name=name,
            line={"color": COLOURS[(number - 1) % len(COLOURS)], "width": 2},
            hovertemplate="%{x} channels have at least %{y:.2f}<extra>" + name + "</extra>",
        )
        words.append(f"{name}: {(weights >= 0.5).sum()} of {len(weights)} channels pass with at least half")
    if not words:
        return
    st.subheader("How much of each channel passes", anchor=False)
    figure.update_xaxes(title="Channels, most open first", fixedrange=True)
    figure.update_yaxes(title="Weight", range=[0, 1.02], fixedrange=True)
    figure.update_layout(
        height=260,
        margin={"l": 0, "r": 8, "t": 34, "b": 0},
        dragmode=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    text = "; ".join(words) + "."
    st.plotly_chart(figure, key="learn_channels", config=savable("channel_attention"), alt=text)
    st.caption(text)
