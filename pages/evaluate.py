"""Evaluate: how good are these predictions, and which images stand behind each figure?"""

import streamlit as st

from pages.components.evaluate import (
    calibration,
    compare,
    confusion,
    curves,
    distribution,
    errors,
    export,
    glance,
    overview,
    slices,
    source,
)
from pages.components.evaluate.context import Context
from pages.components.shared import dataset_folder, notices, router

router.require()

# Their names are in the address.
VIEWS = {
    "Overview": overview.draw,
    "Confusion": confusion.draw,
    "Curves": curves.draw,
    "Calibration": calibration.draw,
    "Slices": slices.draw,
    "Errors first": errors.draw,
    "Compare": compare.draw,
    "Export": export.draw,
}


def draw_toolbar() -> Context | None:
    """Title and what to evaluate in one line."""
    toolbar = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with toolbar:
        st.title("Evaluate", anchor=False, width="stretch")
        kind = source.choose_kind()
    return source.draw(kind, toolbar)


def choose_view() -> str:
    """The view switch; the small pictures of the overview set it too."""
    # A default beside a value that was set would be a contradiction.
    default = {} if glance.VIEW_KEY in st.session_state else {"default": "Overview"}
    return st.segmented_control(
        "View",
        list(VIEWS),
        **default,
        required=True,
        key=glance.VIEW_KEY,
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
    )


context = draw_toolbar()
if context is None:
    st.stop()
if not context.predictions.labelled.any():
    notices.draw_notice()
    distribution.draw(context)
    st.stop()
view = choose_view()
notices.draw_notice()
dataset_folder.draw_drawn_label()
unlabelled = int((~context.predictions.labelled).sum())
if unlabelled:
    st.caption(
        f":material/info: {unlabelled:,} of {len(context.predictions):,} images have no label and are left "
        "out of every score that needs one."
    )
VIEWS[view](context)
