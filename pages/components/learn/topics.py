"""The Learn view: one image step by step, each augmentation, each loss."""

import streamlit as st

from pages.components.learn.augmentations import draw_augmentations
from pages.components.learn.losses import draw_losses
from pages.components.learn.steps import draw_steps

_TOPICS = {"Steps": draw_steps, "Augmentations": draw_augmentations, "Losses": draw_losses}


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
