"""The Comparisons view: ablations, and the alternatives compared on the validation split."""

import streamlit as st

from core.systems.ablations import DECIDES
from models.manifest import BundleError
from pages.components.shared import engine
from pages.components.training.ablations import draw_ablations
from pages.components.training.choices import draw_choices


def draw_comparisons() -> None:
    """One chart of the short runs of a task, then the choices made on the validation split."""
    task = st.segmented_control(
        "Task",
        list(DECIDES),
        default="classification",
        required=True,
        format_func=str.capitalize,
        key="comparison_task",
        bind="query-params",
    )
    draw_ablations(task)
    try:
        draw_choices(engine.read_current_manifest().name)
    except BundleError:
        draw_choices(None)
