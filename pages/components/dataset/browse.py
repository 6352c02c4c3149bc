"""Browse: a page of thumbnails, or of a table where there are no pictures."""

import math

import numpy as np
import pandas as pd
import streamlit as st

from core.datasets.catalogue import CONFIRMATIONS, NOT_GIVEN, diagnosis_name
from core.datasets.facets import ORDERS, sort_rows
from pages.components.dataset import address
from pages.components.dataset.address import State
from pages.components.dataset.context import Context
from pages.components.dataset.grid import draw_grid
from pages.components.notebook.images import draw_group
from pages.components.shared.tables import draw_frame, harmless_frame

PAGE_SIZE = 24
_ORDER_KEY, _OUTLINE_KEY = "browse_order", "browse_outline"
_COLUMNS = {
    "image_id": "Image",
    "dx": "Diagnosis",
    "prediction": "Model's answer",
    "confidence": "Probability",
    "dice": "Dice",
    "age": "Age",
    "sex": "Sex",
    "localization": "Body site",
    "dx_type": "Confirmed by",
    "split": "Split",
    "lesion_id": "Lesion",
}


def draw_browse(context: Context, state: State, found: np.ndarray) -> None:
    """The images that match the filters, a page of them at a time.

    Args:
        context: the catalogue.
        state: of the page.
        found: (N,) bool, rows that match.
    """
    rows = sort_rows(context.frame, found, ORDERS[state.order])
    _draw_toolbar(context, state, rows)
    if not len(rows):
        st.info(
            "No image matches all filters. Remove one above, or clear all.", icon=":material/filter_alt_off:"
        )
        return
    pages = math.ceil(len(rows) / PAGE_SIZE)
    page = min(state.page, pages)
    shown = rows[PAGE_SIZE * (page - 1) : PAGE_SIZE * page]
    draw_images(context, shown, state.outlined, "browse")
    _draw_pager(pages, page)


def draw_images(context: Context, rows: np.ndarray, outlined: bool, key: str) -> None:
    """A page of rows as pictures, or as a table where there are none; each opens its case."""
    if context.has_pictures:
        draw_grid(context.frame, rows, f"{key}_grid", outlined)
    else:
        _draw_table(context.frame, rows, f"{key}_table")


def _draw_toolbar(context: Context, state: State, rows: np.ndarray) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(describe_count(context.frame, rows), width="stretch")
        if context.has_pictures:
            address.follow(_OUTLINE_KEY, state.outlined)
            st.toggle("Expert's outline", key=_OUTLINE_KEY, on_change=_take_outline)
        draw_group(context.frame["image_id"].iloc[rows], context.source, "browse_group")
        address.follow(_ORDER_KEY, state.order)
        st.selectbox(
            "Order",
            list(ORDERS),
            format_func=lambda name: ORDERS[name].label,
            key=_ORDER_KEY,
            label_visibility="collapsed",
            width=230,
            on_change=lambda: address.write(sort=st.session_state[_ORDER_KEY], page=""),
        )
        st.download_button(
            "CSV",
            lambda: build_csv(context.frame, rows),
            file_name="dermalens_dataset.csv",
            mime="text/csv",
            key="browse_csv",
            icon=":material/download:",
            on_click="ignore",
            help="What is known about the images that match the filters.",
        )


def describe_count(frame: pd.DataFrame, rows: np.ndarray) -> str:
    """How many images and lesions match, out of how many."""
    lesions = frame["lesion_id"].iloc[rows].nunique()
    share = f" of {len(frame):,}" if len(rows) < len(frame) else ""
    images, them = "image" if len(rows) == 1 else "images", "lesion" if lesions == 1 else "lesions"
    return f"**{len(rows):,}**{share} {images} · {lesions:,} {them}"


def build_csv(frame: pd.DataFrame, rows: np.ndarray) -> str:
    """The rows without their paths; cells that a spreadsheet would run are made harmless."""
    table = frame.iloc[rows].drop(columns=["image_path", "mask_path"])
    return harmless_frame(table).to_csv(index=False)


def _take_outline() -> None:
    address.write(outline="on" if st.session_state[_OUTLINE_KEY] else "")


def _draw_pager(pages: int, page: int) -> None:
    if pages < 2:
        return
    key = (
        f"browse_page_{page}"  # a pager of its own for each page, so that the address decides where it stands
    )
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.pagination(
            pages, default=page, key=key, on_change=lambda: address.write(page=str(st.session_state[key]))
        )


def _draw_table(frame: pd.DataFrame, rows: np.ndarray, key: str) -> None:
    """The page as a table; a picked row opens its case."""
    table = frame.iloc[rows][list(_COLUMNS)]
    table = table.mask(table.isin(["", NOT_GIVEN]))
    named = {column: table[column].map(diagnosis_name, na_action="ignore") for column in ("dx", "prediction")}
    named["dx_type"] = table["dx_type"].replace(CONFIRMATIONS)
    names = table["image_id"].to_list()
    draw_frame(
        table.assign(**named).rename(columns=_COLUMNS),
        key=key,
        hide_index=True,
        height="content",
        selection_mode="single-row",
        on_select=lambda: _open_row(names, key),
        placeholder="–",
        column_config={
            "Model's answer": st.column_config.TextColumn(width=150),
            "Probability": st.column_config.NumberColumn(format="percent"),
            "Dice": st.column_config.NumberColumn(format="%.3f"),
            "Age": st.column_config.NumberColumn(format="%d"),
        },
        alt="Images that match the filters.",
    )
    st.caption("Tick a row to open its case.")


def _open_row(names: list[str], key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    address.write(case=names[rows[0]] if rows else "")
