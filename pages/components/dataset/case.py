"""One case: its picture, facts and prediction, the other images of its lesion, and similar cases."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.datasets.case import Case, case_of_record
from core.datasets.facets import ORDERS, sort_rows
from pages.components.cases import facts as case_parts
from pages.components.cases.cards import read_case
from pages.components.cases.case import draw_answer, draw_case, draw_own_words, draw_picture
from pages.components.dataset import address
from pages.components.dataset.address import State
from pages.components.dataset.context import Context, read_index
from pages.components.dataset.grid import draw_grid
from pages.components.shared import dataset_folder as dataset
from pages.components.shared.notices import escape

N_SIMILAR = 8
_KEY = "dataset_case"


def draw(context: Context, state: State, found: np.ndarray) -> None:
    """The case named in the address, between its neighbours in the current order.

    Args:
        context: the catalogue.
        state: of the page; `state.case` is the image id.
        found: (N,) bool, rows that match the filters.
    """
    if state.case not in context.positions:
        st.warning(f"There is no image {escape(state.case)} here.", icon=":material/image_not_supported:")
        st.button("Back", key="case_back", icon=":material/arrow_back:", on_click=_close)
        return
    _draw_header(context, state, found)
    if state.case in context.places:
        part, row = context.places[state.case]
        draw_case(read_case(context.predictions[part], row, context.source), _KEY)
    else:
        record = case_of_record(context.frame.iloc[context.positions[state.case]])
        _draw_unpredicted(replace(record, source=context.source))
    _draw_same_lesion(context, state)
    _draw_similar(context, state)


def _close() -> None:
    address.write(case="")


def _draw_header(context: Context, state: State, found: np.ndarray) -> None:
    ids = context.frame["image_id"].to_numpy(object)[sort_rows(context.frame, found, ORDERS[state.order])]
    [place] = np.flatnonzero(ids == state.case)[:1].tolist() or [None]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Back", key="case_back", icon=":material/arrow_back:", on_click=_close, shortcut="Esc")
        st.subheader(escape(state.case), anchor=False, width="stretch")
        if place is None:
            return  # reached from a neighbour: the filters do not hold it
        st.caption(f"{place + 1:,} of {len(ids):,}", width="content")
        _draw_step("Previous case", "chevron_left", "Left", ids, place - 1)
        _draw_step("Next case", "chevron_right", "Right", ids, place + 1)


def _draw_step(label: str, icon: str, shortcut: str, ids: np.ndarray, place: int) -> None:
    there = 0 <= place < len(ids)
    st.button(
        label,
        key=f"case_{shortcut.lower()}",
        icon=f":material/{icon}:",
        shortcut=shortcut,
        disabled=not there,
        on_click=address.write,
        kwargs={"case": ids[place] if there else ""},
    )


def _draw_unpredicted(case: Case) -> None:
    """An image of the training part, or of another dataset: nothing was predicted beforehand."""
    st.html(case_parts.STYLE)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        analysis = draw_picture(case, _KEY)
    with right:
        st.caption(
            "No prediction is stored for this image: those that ship cover the validation and the test split. "
            "The networks can analyse it now, but scores of images that they were trained on are too high."
        )
        draw_answer(case.with_answer(analysis.classification) if analysis else case)
        draw_own_words(case, _KEY)


def _draw_same_lesion(context: Context, state: State) -> None:
    frame = context.frame
    lesion = frame["lesion_id"].iat[context.positions[state.case]]
    rows = np.flatnonzero((frame["lesion_id"] == lesion) & (frame["image_id"] != state.case))
    if len(rows):
        st.subheader(f"Other images of this lesion, {escape(lesion)}", anchor=False)
        draw_grid(frame, rows, "lesion_grid", state.outlined)


def _draw_similar(context: Context, state: State) -> None:
    """The nearest neighbours in the classifier's feature space."""
    st.subheader("Similar cases", anchor=False)
    index = read_index()
    if index is None:
        st.caption("No index of similar images is there. `dermalens train features --data DIR` makes it.")
        return
    if state.case not in index:
        st.caption("This image is not in the index of similar images.")
        return
    similar = [(name, far) for name, far in index.similar(state.case, N_SIMILAR) if name in context.positions]
    rows = context.rows_of([name for name, _ in similar])
    draw_grid(
        context.frame, rows, "similar_grid", state.outlined, [f"distance {far:.3f}" for _, far in similar]
    )
    st.caption(
        "Nearest images of other lesions by cosine distance between the classifier's features. Similar to the "
        "network, not to a dermatologist; it was trained on most of these images."
    )
    if not context.has_pictures:
        dataset.draw_missing("these cases show their pictures")
