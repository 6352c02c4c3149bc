"""Errors first: confident mistakes, poor masks and disagreeing views, one case after another."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.evaluation.mistakes import confident_mistakes, disagreeing_views, worst_masks
from core.evaluation.predictions import IMAGE_PATH, Predictions
from pages.components.cases.cards import read_case
from pages.components.cases.case import draw_case
from pages.components.evaluate import scores
from pages.components.evaluate.context import Context
from pages.components.shared import dataset_folder, notices

POSITION = "position"


@dataclass(frozen=True)
class Queue:
    """Images to look at one after another."""

    title: str
    meaning: str
    empty: str
    find: Callable[[Predictions], np.ndarray]


QUEUES = {
    "mistakes": Queue(
        "Sure mistakes",
        "The most probable class is wrong: missed melanomas first, then by confidence.",
        "Every labelled image got its true class.",
        confident_mistakes,
    ),
    "masks": Queue(
        "Worst masks",
        "By rising Dice of the model's against the expert's mask.",
        "This file scores no masks (column `dice`).",
        worst_masks,
    ),
    "views": Queue(
        "Disagreeing views",
        "By the share of flipped and turned views that agree with the prediction, the least first.",
        "All views agree, or this file does not say (column `agreement`).",
        disagreeing_views,
    ),
}


def draw(context: Context) -> None:
    """One queue of cases, and the keys to go through it."""
    name = st.segmented_control(
        "Look at",
        list(QUEUES),
        default="mistakes",
        required=True,
        format_func=lambda name: QUEUES[name].title,
        key="errors",
        bind="query-params",
        persist_state="session",
        on_change=_go_to,
        args=(0,),
        label_visibility="collapsed",
    )
    queue = QUEUES[name]
    rows = pictures_first(context.predictions, queue.find(context.predictions))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(queue.meaning, width="stretch")
        if len(rows):
            st.download_button(
                "CSV",
                lambda: scores.to_csv(_rows(context.predictions, rows)),  # long: made when asked for
                file_name=f"{name}.csv",
                mime="text/csv",
                key="download_errors",
                icon=":material/download:",
                on_click="ignore",
            )
    if not len(rows):
        st.info(queue.empty, icon=":material/done_all:")
        return
    index = read_position(len(rows))
    _draw_steps(len(rows), index)
    case = read_case(context.predictions, int(rows[index]), context.source)
    st.subheader(notices.escape(case.image_id), anchor=False)
    draw_case(case, "error_case")


def pictures_first(predictions: Predictions, rows: np.ndarray) -> np.ndarray:
    """The same rows in the same order, but with drawn pictures, which few images have, those that have one first."""
    if not dataset_folder.shows_drawn():
        return rows
    drawn = predictions.frame["image_id"].isin(dataset_folder.read_frame().index).to_numpy()
    return rows[np.argsort(~drawn[rows], kind="stable")]


def read_position(count: int) -> int:
    """Number of the case in the address, from 0; within what there is."""
    text = st.query_params.get(POSITION, "1")
    return min(max(int(text) if text.isdecimal() else 1, 1), count) - 1


def _draw_steps(count: int, index: int) -> None:
    """Back, where we are, on; the arrow keys press the buttons."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Previous",
            key="error_previous",
            shortcut="left",
            on_click=_go_to,
            args=(index - 1,),
            disabled=index == 0,
        )
        st.markdown(f"**{index + 1:,} of {count:,}**", width="content")
        st.button(
            "Next",
            key="error_next",
            shortcut="right",
            on_click=_go_to,
            args=(index + 1,),
            disabled=index == count - 1,
        )


def _go_to(index: int) -> None:
    st.query_params[POSITION] = str(index + 1)


def _rows(predictions: Predictions, rows: np.ndarray) -> list[dict]:
    """The queue's rows of the predictions file, with their place in it."""
    part = predictions.frame.iloc[rows].drop(columns=IMAGE_PATH, errors="ignore")
    return [{"position": n} | row for n, row in enumerate(part.to_dict("records"), start=1)]
