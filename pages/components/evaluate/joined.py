"""Two evaluations joined: each image with both answers side by side, what changed, sorted by the change."""

import html

import numpy as np
import streamlit as st

from core.datasets.case import Case
from core.evaluation.changes import BETTER, KINDS, OTHER, SAME, WORSE, Changes, list_changes
from core.evaluation.comparison import Pair
from core.taxonomy import get_diagnosis
from pages.components.cases import facts as parts
from pages.components.cases.cards import TOP, draw_open, draw_opened, draw_pages, read_case
from pages.components.evaluate import scores
from pages.components.evaluate.context import Context
from pages.components.notebook.images import draw_group
from pages.components.shared import dataset_folder as dataset
from pages.components.shared.notices import percent

_KEY = "joined"
TITLES = {
    WORSE: "right → wrong",
    BETTER: "wrong → right",
    OTHER: "another answer, neither right",
    SAME: "same answer",
}
CHANGED, EVERY = "every changed answer", "all images"
CHOICES = {CHANGED: (WORSE, BETTER, OTHER)} | {TITLES[kind]: (kind,) for kind in KINDS} | {EVERY: KINDS}
ORDERS = {
    "distance": "Largest change of the probabilities",
    "rise": "Malignancy rises most",
    "fall": "Malignancy falls most",
}
STYLE = """<style>
.case .two {display: grid; grid-template-columns: 1fr 1fr; gap: 0.8rem}
.case .two > div {min-width: 0}
</style>"""


def draw(context: Context, pair: Pair, other_key: str) -> None:
    """Which images, in which order, as cards with both answers and as CSV."""
    changes = _list_changes((context.key, other_key), pair)
    st.subheader("Image by image", anchor=False)
    st.markdown(describe(changes))
    choice, order = _draw_controls(pair, changes)
    rows = changes.rows(CHOICES[choice], order)
    if not len(rows):
        st.caption("No images here.")
        return
    names = pair.first.frame["image_id"]
    draw_group(names.iloc[rows], context.source, f"{_KEY}_group")
    st.html(parts.STYLE + STYLE)
    shown = draw_pages(rows, _KEY)
    with st.grid(3, min_column_width=300, key=f"{_KEY}_grid"):
        for row in shown:
            _draw_card(context, pair, changes, int(row))
    draw_opened(set(names.iloc[rows]), _KEY)


@st.cache_resource(show_spinner=False, max_entries=8)
def _list_changes(keys: tuple[str, str], _pair: Pair) -> Changes:
    return list_changes(_pair)


def describe(changes: Changes) -> str:
    """How many answers changed, and how.

    >>> one = Changes(np.array(["worse", "same"]), np.zeros(2), np.zeros(2))
    >>> describe(one)
    'The answer changed for **1** of 2 images (50.0%): 1 right → wrong, 0 wrong → right, 0 another answer, neither right.'
    """
    n, same = len(changes.kinds), changes.count(SAME)
    kinds = ", ".join(f"{changes.count(kind):,} {TITLES[kind]}" for kind in (WORSE, BETTER, OTHER))
    return f"The answer changed for **{n - same:,}** of {n:,} images ({(n - same) / n:.1%}): {kinds}."


def _draw_controls(pair: Pair, changes: Changes) -> tuple[str, str]:
    kept = {"bind": "query-params", "persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        choice = st.selectbox("Images", list(CHOICES), key="only", width=280, **kept)
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.get, key="change_order", width=300, **kept
        )
        st.download_button(
            "CSV",
            lambda: scores.to_csv(table_rows(pair, changes, changes.rows(CHOICES[choice], order))),
            file_name="both_answers.csv",
            mime="text/csv",
            key="download_joined",
            icon=":material/download:",
            on_click="ignore",
        )
    return choice, order


def table_rows(pair: Pair, changes: Changes, rows: np.ndarray) -> list[dict]:
    """One row an image with both answers, for the CSV."""
    classes, first, second = pair.first.classes, pair.first, pair.second
    answers = [(part.predicted, part.probabilities.max(axis=1)) for part in (first, second)]
    (before, sure_before), (after, sure_after) = answers
    names = first.frame["image_id"].to_numpy(object)
    return [
        {
            "image_id": names[row],
            "dx": classes[first.labels[row]] if first.labelled[row] else "",
            "first": classes[before[row]],
            "first_probability": sure_before[row],
            "second": classes[after[row]],
            "second_probability": sure_after[row],
            "change": changes.kinds[row],
            "distance": changes.distance[row],
            "malignancy_difference": changes.malignancy[row],
        }
        for row in rows
    ]


def _draw_card(context: Context, pair: Pair, changes: Changes, row: int) -> None:
    first, second = (read_case(part, row, context.source) for part in (pair.first, pair.second))
    with st.container(border=True, gap="xsmall", height="stretch", vertical_alignment="distribute"):
        st.html(build_card(first, second, changes, row))
        draw_open(first, f"{_KEY}_open_{row}", _KEY)


def build_card(first: Case, second: Case, changes: Changes, row: int) -> str:
    """The inside of a card as HTML: one picture, the true class, and both answers."""
    picture = dataset.thumbnail(first.image_path) if first.image_path else None
    name = html.escape(first.image_id)
    shown = (
        f'<img src="{picture}" alt="{name}">' if picture else '<div class="blank">image not available</div>'
    )
    true = (
        f"true: {html.escape(get_diagnosis(first.true_code).name)}"
        if first.true_code
        else "true class unknown"
    )
    answers = "".join(_answer(title, case) for title, case in (("First", first), ("Second", second)))
    before, after = (percent(case.prediction.malignancy) for case in (first, second))
    kind = TITLES[changes.kinds[row]]
    return (
        f'<div class="case">{shown}<div class="id">{name}</div><div class="quiet">{true} · {kind}</div>'
        f'<div class="two">{answers}</div><div class="quiet">Change {changes.distance[row]:.2f} · malignancy '
        f"{html.escape(before)} → {html.escape(after)}</div></div>"
    )


def _answer(title: str, case: Case) -> str:
    answer = case.prediction
    mark = "" if case.true_code is None else " ✓" if answer.code == case.true_code else " ✗"
    return f"<div><div>{title}: <b>{html.escape(answer.code)}</b>{mark}</div>{parts.probability_bars(answer, TOP)}</div>"
