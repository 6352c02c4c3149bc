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
    labels,
    overview,
    shift,
    slices,
    source,
)
from pages.components.evaluate.context import Context
from pages.components.notebook import panel
from pages.components.shared import dataset_folder, notices, router

router.require()

# Their names are in the address.
VIEWS = {
    "Overview": overview.draw,
    "Confusion": confusion.draw,
    "Curves": curves.draw,
    "Calibration": calibration.draw,
    "Slices": slices.draw,
    "Shift": shift.draw,
    "Errors first": errors.draw,
    "Labels": labels.draw,
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
        width="content",
    )


def filter_by_tag(tag: str) -> None:
    """Evaluate only the images with a tag; all for ""."""
    if tag:
        st.query_params[panel.TAG] = tag
    else:
        st.query_params.pop(panel.TAG, None)


def draw_tagged(context: Context) -> Context:
    """The context of the images with the tag in the address; stops the page where none has it."""
    if not panel.shown_tag():
        return context
    rows = panel.find_tagged(context.predictions.frame["image_id"].tolist(), context.source)
    panel.draw_chip(int(rows.sum()), filter_by_tag)
    if not rows.any():
        st.info("No image of this evaluation has the tag.", icon=":material/label_off:")
        st.stop()
    return context.take(rows, panel.shown_tag())


context = draw_toolbar()
if context is None:
    st.stop()
view = "Overview"
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    if context.predictions.labelled.any():
        view = choose_view()
    panel.draw_panel("evaluate", filter_by_tag)
context = draw_tagged(context)
notices.draw_notice()
if not context.predictions.labelled.any():
    distribution.draw(context)
    shift.draw(context)
    st.stop()
dataset_folder.draw_drawn_label()
unlabelled = int((~context.predictions.labelled).sum())
if unlabelled:
    st.caption(
        f":material/info: {unlabelled:,} of {len(context.predictions):,} images have no label and are left "
        "out of every score that needs one."
    )
VIEWS[view](context)
