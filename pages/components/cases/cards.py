"""Cases behind a figure: a paged grid of cards, and one case in full when a card is opened."""

import html
import math
import zlib
from dataclasses import replace

import numpy as np
import streamlit as st

from core.datasets.case import Case, case_of_prediction
from core.evaluation.predictions import Predictions
from pages.components.cases import facts as parts
from pages.components.cases.case import draw_case
from pages.components.notebook.images import draw_group
from pages.components.shared import dataset_folder as dataset
from pages.components.shared.notices import escape

CARDS_PER_PAGE = 12
TOP = 3


def draw_cards(predictions: Predictions, rows: np.ndarray, key: str, source: str = "") -> None:
    """A grid of cards, twelve a page, each with a button that opens its case.

    Args:
        predictions: the table the rows belong to.
        rows: (M,) int row numbers, in the order to be shown.
        key: of the widgets; a new selection under the same key starts at its first page.
        source: of the images, for tags and notes; without it there are none.
    """
    if not len(rows):
        st.caption("No images here.")
        return
    rows = np.asarray(rows, dtype=np.int64)
    st.html(parts.STYLE)
    names = predictions.frame["image_id"]
    if source:
        draw_group(names.iloc[rows], source, f"{key}_group")
    shown = draw_pages(rows, key)
    with st.grid(6, min_column_width=160, key=f"{key}_grid"):
        for row in shown:
            _draw_card(read_case(predictions, int(row), source), f"{key}_open_{row}", key)
    draw_opened(set(names.iloc[rows]), key)


def read_case(predictions: Predictions, row: int, source: str = "") -> Case:
    """The case of a row, with picture and mask of the dataset in use."""
    return replace(case_of_prediction(predictions, row, dataset.read_frame()), source=source)


def draw_pages(rows: np.ndarray, key: str) -> np.ndarray:
    """How many rows there are and the control that turns pages; returns the rows of the page."""
    count = math.ceil(len(rows) / CARDS_PER_PAGE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        noun = "image" if len(rows) == 1 else "images"
        st.markdown(f"**{len(rows):,} {noun}**", width="content")
        # The key holds the selection, so that a new one starts at its own first page.
        page_key = f"{key}_page_{zlib.crc32(rows.tobytes()):08x}"
        page = st.pagination(count, key=page_key, persist_state="session") if count > 1 else 1
    return rows[CARDS_PER_PAGE * (page - 1) : CARDS_PER_PAGE * page]


def _draw_card(case: Case, button_key: str, key: str) -> None:
    with st.container(border=True, gap="xsmall", height="stretch", vertical_alignment="distribute"):
        st.html(build_card(case))
        draw_open(case, button_key, key)


def draw_open(case: Case, button_key: str, key: str) -> None:
    """The button that opens a case in the dialog of `draw_opened`."""
    st.button(
        "Open",
        key=button_key,
        icon=":material/open_in_full:",
        on_click=lambda: st.session_state.update({f"{key}_opened": case}),
        width="stretch",
    )


def build_card(case: Case) -> str:
    """The inside of a card as HTML."""
    picture = dataset.thumbnail(case.image_path) if case.image_path else None
    facts = [fact for fact in parts.patient_facts(case).values() if fact != "–"]
    lines = [" · ".join(facts), case.lesion_id if case.lesion_id != case.image_id else ""]
    if "dice" in case.prediction.measures:
        lines.append(f"Dice {parts.number(case.prediction.measures['dice'])}")
    name = html.escape(case.image_id)
    shown = (
        f'<img src="{picture}" alt="{name}">' if picture else '<div class="blank">image not available</div>'
    )
    quiet = "".join(f'<div class="quiet">{html.escape(line)}</div>' for line in lines if line)
    return (
        f'<div class="case">{shown}<div class="id">{name}</div>'
        f"{parts.class_lines(case)}{parts.probability_bars(case.prediction, TOP)}{quiet}</div>"
    )


def draw_opened(image_ids: set[str], key: str) -> None:
    """The opened case in a dialog, until it is dismissed."""
    case: Case | None = st.session_state.get(f"{key}_opened")
    if case is None or case.image_id not in image_ids:  # other predictions are shown under this key now
        return
    dialog = st.dialog(
        escape(case.image_id), width="large", on_dismiss=lambda: st.session_state.pop(f"{key}_opened")
    )
    dialog(draw_case)(case, f"{key}_case")
