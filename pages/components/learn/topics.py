"""The Learn view: one image step by step, inside the network, heatmaps under test, and what training does."""

import streamlit as st

from pages.components.learn.attention import draw_attention
from pages.components.learn.augmentations import draw_augmentations
from pages.components.learn.checklist import draw_checklist
from pages.components.learn.heatmaps import draw_heatmaps
from pages.components.learn.losses import draw_losses
from pages.components.learn.members import draw_members
from pages.components.learn.steps import draw_steps
from pages.components.learn.systems import draw_systems

_TOPICS = {
    "Steps": draw_steps,
    "Attention": draw_attention,
    "Members": draw_members,
    "Heatmaps": draw_heatmaps,
    "Side by side": draw_systems,
    "Checklist": draw_checklist,
    "Augmentations": draw_augmentations,
    "Losses": draw_losses,
}


def draw_learn() -> None:
    """The chosen topic."""
    topic = st.segmented_control(
        "Topic",
        list(_TOPICS),
        default="Steps",
        required=True,
        key="learn",
        bind="query-params",
        label_visibility="collapsed",
    )
    _TOPICS[topic]()
