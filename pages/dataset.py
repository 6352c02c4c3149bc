"""Dataset: browse the images behind the scores, chart them, map them, check them."""

import streamlit as st

from core.datasets.ham10000 import DatasetError
from pages.components.dataset import address, browse, case, charts, checks, facets, feature_map
from pages.components.dataset.context import read_context
from pages.components.shared import dataset_folder as dataset
from pages.components.shared import notices, router

VIEW_LABELS = {
    "browse": ":material/grid_view: Browse",
    "charts": ":material/bar_chart: Charts",
    "map": ":material/scatter_plot: Map",
    "checks": ":material/fact_check: Checks",
}


def draw_toolbar() -> None:
    """Title and the dataset's folder."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Dataset", anchor=False, width="stretch")
        with st.popover("Dataset folder", icon=":material/folder_open:"):
            dataset.draw_folder()
    notices.draw_notice()


def draw_view_switch(view: str) -> None:
    """Which view is shown; choosing one closes an open case."""
    address.follow(address.VIEW_KEY, view)
    st.segmented_control(
        "View",
        address.VIEWS,
        format_func=VIEW_LABELS.get,
        required=True,
        key=address.VIEW_KEY,
        label_visibility="collapsed",
        on_change=lambda: address.write(view=st.session_state[address.VIEW_KEY], case=""),
    )


router.require()
draw_toolbar()
try:
    dataset.read_folder()
except DatasetError as error:
    st.error(str(error), title="The dataset folder cannot be used", icon=":material/folder_off:")
context = read_context()
state = address.read(context.explorer)
draw_view_switch(state.view)
if state.view == "checks":
    checks.draw_checks()
    st.stop()
facets.draw_facets(context.explorer, state.selection)
found = context.explorer.find(state.selection)
if state.case:
    case.draw(context, state, found)
    st.stop()
facets.draw_chips(state.selection)
if state.view == "charts":
    charts.draw_charts(context, found)
elif state.view == "map":
    feature_map.draw_map(context, state, found)
else:
    browse.draw_browse(context, state, found)
    if not context.has_pictures:
        dataset.draw_missing("each row shows its picture with the expert's outline")
