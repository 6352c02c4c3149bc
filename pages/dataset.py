"""Dataset: browse the images behind the scores, chart them, map them, check them."""

from dataclasses import replace

import streamlit as st

from core.datasets.ham10000 import DatasetError
from pages.components.dataset import (
    address,
    browse,
    case,
    charts,
    checks,
    downloads,
    facets,
    feature_map,
    sources,
)
from pages.components.dataset.context import read_context
from pages.components.notebook import panel
from pages.components.shared import dataset_folder as dataset
from pages.components.shared import notices, router

VIEW_LABELS = {
    "browse": ":material/grid_view: Browse",
    "charts": ":material/bar_chart: Charts",
    "map": ":material/scatter_plot: Map",
    "checks": ":material/fact_check: Checks",
}


def draw_toolbar() -> None:
    """Title, which dataset, and where pictures come from; without pictures that is open on the page."""
    sources.take_choice()
    try:
        found = dataset.read_folder() is not None
        problem = ""
    except DatasetError as error:
        found, problem = False, str(error)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Dataset", anchor=False, width="stretch")
        if found:
            sources.draw_choice()
            with st.popover("Pictures", icon=":material/add_photo_alternate:", width="content"):
                sources.draw()
    notices.draw_notice()
    downloads.draw()
    if problem:
        st.error(
            notices.escape(problem), title="The dataset folder cannot be used", icon=":material/folder_off:"
        )
    if found:
        dataset.draw_drawn_label()
    else:
        with st.expander("No pictures yet: get some", expanded=True, icon=":material/add_photo_alternate:"):
            sources.draw()


def draw_view_switch(view: str) -> None:
    """Which view is shown; choosing one closes an open case."""
    address.follow(address.VIEW_KEY, view)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.segmented_control(
            "View",
            address.VIEWS,
            format_func=VIEW_LABELS.get,
            required=True,
            key=address.VIEW_KEY,
            label_visibility="collapsed",
            width="content",
            on_change=lambda: address.write(view=st.session_state[address.VIEW_KEY], case=""),
        )
        panel.draw_panel("dataset", filter_by_tag)


def filter_by_tag(tag: str) -> None:
    """Show only the images with a tag; all for ""."""
    address.refilter(tag=tag)


router.require()
draw_toolbar()
context = read_context()
state = address.read(context.explorer)
draw_view_switch(state.view)
if state.view == "checks":
    checks.draw_checks()
    st.stop()
if panel.shown_tag():
    tagged = panel.find_tagged(context.frame["image_id"].tolist(), context.source)
    context = replace(context, explorer=replace(context.explorer, shown=tagged))
facets.draw_facets(context.explorer, state.selection)
found = context.explorer.find(state.selection)
if state.case:
    case.draw(context, state, found)
    st.stop()
panel.draw_chip(int(found.sum()), filter_by_tag)
facets.draw_chips(state.selection)
if state.view == "charts":
    charts.draw_charts(context, found)
elif state.view == "map":
    feature_map.draw_map(context, state, found)
else:
    browse.draw_browse(context, state, found)
