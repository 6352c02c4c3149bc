"""Cases behind a figure: a paged grid of cards, and one case in full when a card is opened."""

import html
import math
import zlib

import numpy as np
import streamlit as st

from core.evaluation.predictions import Predictions
from pages.components.cases import facts as parts
from pages.components.cases.case import draw_case
from pages.components.shared.dataset_folder import file_thumbnail, image_thumbnail
from pages.components.shared.notices import escape

__all__ = ["draw_cards", "draw_case"]

CARDS_PER_PAGE = 12
TOP = 3


def draw_cards(predictions: Predictions, rows: np.ndarray, key: str) -> None:
    """A grid of cards, twelve a page, each with a button that opens its case.

    Args:
        predictions: the table the rows belong to.
        rows: (M,) int row numbers, in the order to be shown.
        key: of the widgets; a new selection under the same key starts at its first page.
    """
    if not len(rows):
        st.caption("No images here.")
        return
    rows = np.asarray(rows, dtype=np.int64)
    st.html(parts.STYLE)
    start = CARDS_PER_PAGE * (_draw_pages(rows, key) - 1)
    with st.grid(6, min_column_width=160, key=f"{key}_grid"):
        for row in rows[start : start + CARDS_PER_PAGE]:
            _draw_card(predictions, int(row), key)
    _draw_opened(predictions, rows, key)


def _draw_pages(rows: np.ndarray, key: str) -> int:
    """How many there are and the control that turns pages; returns the page, from 1."""
    count = math.ceil(len(rows) / CARDS_PER_PAGE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        noun = "image" if len(rows) == 1 else "images"
        st.markdown(f"**{len(rows):,} {noun}**", width="content")
        # The key holds the selection, so that a new one starts at its own first page.
        page_key = f"{key}_page_{zlib.crc32(rows.tobytes()):08x}"
        return st.pagination(count, key=page_key, persist_state="session") if count > 1 else 1


def _draw_card(predictions: Predictions, row: int, key: str) -> None:
    with st.container(border=True, gap="xsmall", height="stretch", vertical_alignment="distribute"):
        st.html(build_card(predictions, row))
        name = parts.image_id(predictions, row)
        st.button(
            "Open",
            key=f"{key}_open_{row}",
            icon=":material/open_in_full:",
            on_click=_open,
            args=(key, row, name),
            width="stretch",
        )


def build_card(predictions: Predictions, row: int) -> str:
    """The inside of a card as HTML."""
    name = parts.image_id(predictions, row)
    own = parts.run_image(predictions, row)
    picture = file_thumbnail(own) if own else image_thumbnail(name)
    facts = [fact for fact in parts.patient_facts(predictions, row).values() if fact != "–"]
    lesion = str(predictions.frame["lesion_id"].iat[row])
    lines = [" · ".join(facts), lesion if lesion != name else ""]
    if "dice" in predictions.frame:
        lines.append(f"Dice {parts.number(predictions.frame['dice'].iat[row])}")
    shown = (
        f'<img src="{picture}" alt="{html.escape(name)}">'
        if picture
        else '<div class="blank">image not at hand</div>'
    )
    quiet = "".join(f'<div class="quiet">{html.escape(line)}</div>' for line in lines if line)
    return (
        f'<div class="case">{shown}<div class="id">{html.escape(name)}</div>'
        f"{parts.class_lines(predictions, row)}{parts.probability_bars(predictions, row, TOP)}{quiet}</div>"
    )


def _open(key: str, row: int, name: str) -> None:
    st.session_state[f"{key}_opened"] = (row, name)


def _draw_opened(predictions: Predictions, rows: np.ndarray, key: str) -> None:
    """The opened case in a dialog, until it is dismissed."""
    row, name = st.session_state.get(f"{key}_opened", (-1, ""))
    # After a change of the predictions under this key, the number may stand for another image.
    if row not in rows or parts.image_id(predictions, row) != name:
        return
    dialog = st.dialog(escape(name), width="large", on_dismiss=lambda: st.session_state.pop(f"{key}_opened"))
    dialog(draw_case)(predictions, row, f"{key}_case")
