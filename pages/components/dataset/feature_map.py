"""Map: the classifier's feature space as a plane; a lasso opens the images inside."""

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.datasets.facets import FACETS, option_label
from core.datasets.similar import FeatureIndexError, FeatureMap, read_map
from core.taxonomy import DIAGNOSES
from pages.components.dataset.address import State
from pages.components.dataset.browse import PAGE_SIZE, draw_images
from pages.components.dataset.context import RUN_DIR, Context
from pages.components.notebook.images import draw_group
from pages.components.shared import dataset_folder as dataset

_CHART_KEY, _COLOUR_KEY, _PICKED_KEY = "feature_map", "map_colour", "map_picked"
_SHADES = ("age", "confidence", "dice", "lesion_area_fraction")
_SHADE_LABELS = ("Age", "Probability of the answer", "Dice of the mask", "Share of the image that is lesion")
_COLOURS = {facet.name: facet.label for facet in FACETS if not facet.several} | dict(
    zip(_SHADES, _SHADE_LABELS, strict=True)
)
_PALETTE = ("#3B82C4", "#E8A33D", "#C2477F", "#4FB3BF", "#9B86C8", "#D2691E", "#7A8CA3")
_BACKGROUND = "rgba(140,154,168,0.25)"


def draw_map(context: Context, state: State, found: np.ndarray) -> None:
    """The map of the rows that match, and the images inside the lasso."""
    try:
        points = _read(str(RUN_DIR))
    except FeatureIndexError as error:
        st.info(str(error), title="There is no map yet", icon=":material/scatter_plot:")
        return
    placed = points.frame[points.frame["image_id"].isin(context.positions)]
    rows = context.rows_of(placed["image_id"].to_list())
    xy = placed[["x", "y"]].to_numpy()
    colour = st.selectbox(
        "Colour",
        [name for name in _COLOURS if name in _SHADES or len(context.explorer.indices[name].options) > 1],
        format_func=_COLOURS.get,
        key=_COLOUR_KEY,
        width=280,
        persist_state="session",
    )
    figure = build_map(context, rows, xy, found[rows], colour)
    st.plotly_chart(
        figure,
        key=_CHART_KEY,
        alt=f"Map of {int(found[rows].sum()):,} images in the classifier's feature space.",
        config={
            "displaylogo": False,
            "scrollZoom": True,
            "modeBarButtonsToRemove": ["toImage", "autoScale2d", "zoomIn2d", "zoomOut2d"],
        },
        on_select=_take_selection,
        selection_mode=("lasso", "box", "points"),
    )
    st.caption(
        "Draw a lasso or a box around points to see their images. Near means similar to the network; the size "
        "of gaps and the axes mean nothing."
    )
    _draw_picked(context, state, found)


@st.cache_resource(show_spinner=False, ttl=600)
def _read(folder: str) -> FeatureMap:
    return read_map(folder)


def build_map(
    context: Context, rows: np.ndarray, xy: np.ndarray, match: np.ndarray, colour: str
) -> go.Figure:
    """The scatter plot.

    Args:
        context: the catalogue.
        rows: (M,) row of each point.
        xy: (M, 2) coordinates.
        match: (M,) bool; the others are grey and cannot be picked.
        colour: key of `_COLOURS`.
    """
    figure = go.Figure()
    if not match.all():
        x, y = xy[~match].T
        grey = {"size": 3, "color": _BACKGROUND}
        figure.add_scattergl(x=x, y=y, mode="markers", marker=grey, hoverinfo="skip", showlegend=False)
    if colour in _SHADES:
        _add_shaded(figure, context.frame, rows[match], xy[match], colour)
    else:
        _add_groups(figure, context, rows[match], xy[match], colour)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure.update_layout(
        height=560,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        dragmode="lasso",
        legend={
            "orientation": "h",
            "y": 0,
            "yanchor": "top",
            "x": 0,
            "itemsizing": "constant",
            "title": None,
        },
    )
    return figure


def _add_groups(figure: go.Figure, context: Context, rows: np.ndarray, xy: np.ndarray, name: str) -> None:
    """One trace an option of a facet."""
    index = context.explorer.indices[name]
    order = range(len(index.options))
    if name == "class":  # nevi are two thirds: drawn first, so that they hide nobody
        order = sorted(order, key=lambda k: -index.members[k].sum())
    for k in order:
        inside = index.members[k][rows]
        if inside.any():
            option = index.options[k]
            colour = DIAGNOSES[option].colour if option in DIAGNOSES else _PALETTE[k % len(_PALETTE)]
            _add_points(figure, context.frame, rows[inside], xy[inside], option_label(name, option), colour)


def _add_shaded(figure: go.Figure, frame: pd.DataFrame, rows: np.ndarray, xy: np.ndarray, name: str) -> None:
    """One trace whose shade is a number; points without it are left out."""
    values = frame[name].to_numpy(float)[rows]
    known = ~np.isnan(values)
    _add_points(figure, frame, rows[known], xy[known], _COLOURS[name], values[known])
    figure.update_traces(
        selector={"name": _COLOURS[name]},
        showlegend=False,
        marker={"colorscale": "Cividis", "showscale": True},
    )


def _add_points(
    figure: go.Figure, frame: pd.DataFrame, rows: np.ndarray, xy: np.ndarray, name: str, colour
) -> None:
    figure.add_scattergl(
        x=xy[:, 0],
        y=xy[:, 1],
        mode="markers",
        name=name,
        marker={"size": 4, "color": colour, "opacity": 0.75},
        customdata=frame["image_id"].to_numpy(object)[rows],
        hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
    )


def _take_selection() -> None:
    points = st.session_state[_CHART_KEY]["selection"]["points"]
    _pick([_identifier(point["customdata"]) for point in points if "customdata" in point])


def _pick(image_ids: list[str]) -> None:
    """Keep what the lasso holds, numbered, so that each lasso starts at its first page."""
    number, _ = st.session_state.get(_PICKED_KEY, (0, []))
    st.session_state[_PICKED_KEY] = (number + 1, image_ids)


def _identifier(customdata: str | list[str]) -> str:
    return customdata if isinstance(customdata, str) else customdata[0]


def _draw_picked(context: Context, state: State, found: np.ndarray) -> None:
    """The images inside the lasso that still match the filters, a page at a time."""
    number, image_ids = st.session_state.get(_PICKED_KEY, (0, []))
    rows = context.rows_of(image_ids)
    rows = rows[found[rows]]
    if not len(rows):
        return
    pages, page = math.ceil(len(rows) / PAGE_SIZE), 1
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        noun = "image" if len(rows) == 1 else "images"
        st.markdown(f"**{len(rows):,}** {noun} inside the lasso", width="stretch")
        if pages > 1:
            key = f"map_page_{number}_{pages}"
            page = st.pagination(pages, key=key, max_visible_pages=5, persist_state="session")
        draw_group(context.frame["image_id"].iloc[rows], context.source, "lasso_group")
        st.button("Clear", key="clear_lasso", icon=":material/close:", on_click=_pick, args=([],))
    draw_images(context, rows[PAGE_SIZE * (page - 1) : PAGE_SIZE * page], state.outlined, "map")
    if not context.has_pictures:
        dataset.draw_missing("a lasso shows the pictures inside")
