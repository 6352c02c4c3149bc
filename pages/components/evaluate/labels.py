"""Labels: which stated diagnoses are probably wrong, and what the reader decides about each."""

import numpy as np
import streamlit as st

from core.evaluation.label_errors import LabelErrors, count_pairs, find_label_errors
from core.evaluation.predictions import Predictions
from core.records.notebook import MAX_NOTE, ImageKey, identify
from core.records.reviews import DECISIONS, LabelReview, to_rows
from core.taxonomy import get_diagnosis, suspicious_flags
from pages.components.cases.cards import build_card, draw_open, draw_opened, draw_pages, read_case
from pages.components.cases.facts import STYLE
from pages.components.evaluate import scores
from pages.components.evaluate.context import Context
from pages.components.notebook import store
from pages.components.notebook.images import draw_group

_KEY = "label_errors"
ALL, OPEN = "all", "not decided"
ORDERS = {
    "margin": "Most probable error first",
    "stated": "Least probable stated label first",
    "malignant": "Stated benign, suggested malignant first",
    "image": "Image id",
}
_PAIRS_SHOWN = 5


def draw(context: Context) -> None:
    """The suspected labels a page at a time, with a decision and a note for each; decisions leave as CSV."""
    predictions = context.predictions
    errors = _find(context.key, predictions)
    st.markdown(describe(predictions, errors))
    st.caption(
        "By confident learning: another class is surer of the image than it is on average of its own images, and the "
        "networks do not answer with the stated label. That holds for networks that never learned these labels, and a "
        "suspected label is a reason to look, not an error: the networks may be wrong."
    )
    reviews = store.read(lambda: store.open_reviews().read(), {})
    reviews = {key: one for key, one in reviews.items() if identify(key.name, context.source) == key}
    order, which = _draw_controls(reviews)
    store.draw_problem()
    names = predictions.frame["image_id"].to_numpy(object)[errors.rows]
    wanted = sort_errors(predictions, errors, order)
    wanted = wanted[_is_wanted(names[wanted], reviews, which)]
    if not len(wanted):
        st.info("No suspected label here.", icon=":material/done_all:")
        return
    draw_group(names[wanted], context.source, f"{_KEY}_group")
    st.html(STYLE)
    shown = draw_pages(wanted, _KEY)
    with st.grid(4, min_column_width=240, key=f"{_KEY}_grid"):
        for n in shown:
            image = identify(names[n], context.source)
            _draw_card(context, errors, int(n), image, reviews.get(image))
    draw_opened(set(names[wanted]), _KEY)


# A resource is shared by all sessions, not copied: nobody changes it.
@st.cache_resource(show_spinner=False, max_entries=16)
def _find(key: str, _predictions: Predictions) -> LabelErrors:
    return find_label_errors(_predictions)


def describe(predictions: Predictions, errors: LabelErrors) -> str:
    """How many labels are suspected, and which are taken for which most often."""
    share = f" ({len(errors) / errors.n_labelled:.1%})" if errors.n_labelled else ""
    pairs = [
        f"{get_diagnosis(stated).name} → {get_diagnosis(suggested).name} {count:,}"
        for stated, suggested, count in count_pairs(predictions, errors)[:_PAIRS_SHOWN]
    ]
    often = f"  \nMost often, stated → suggested: {'; '.join(pairs)}." if pairs else ""
    return f"**{len(errors):,}** of {errors.n_labelled:,} labels are suspected{share}.{often}"


def sort_errors(predictions: Predictions, errors: LabelErrors, order: str) -> np.ndarray:
    """(M,) places in `errors` in one of `ORDERS`."""
    if order == "margin":
        return np.arange(len(errors))
    labels = predictions.labels[errors.rows]
    if order == "stated":
        return np.argsort(predictions.probabilities[errors.rows, labels], kind="stable")
    if order == "malignant":
        flags = suspicious_flags(predictions.classes).astype(int)
        return np.argsort(flags[labels] - flags[errors.suggested], kind="stable")
    names = predictions.frame["image_id"].to_numpy(object)[errors.rows].astype(str)
    return np.argsort(names, kind="stable")


def _draw_controls(reviews: dict[ImageKey, LabelReview]) -> tuple[str, str]:
    """Order and which decisions are shown; beside them the decisions as CSV."""
    kept = {"bind": "query-params", "persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.get, key="label_order", width=320, **kept
        )
        which = st.selectbox("Decision", [ALL, OPEN, *DECISIONS], key="decided", width=160, **kept)
        st.download_button(
            f"Decisions ({len(reviews):,})",
            lambda: scores.to_csv(to_rows(reviews)),
            file_name="reviewed_labels.csv",
            mime="text/csv",
            key="download_reviews",
            icon=":material/download:",
            on_click="ignore",
            disabled=not reviews,
            help="What you decided about images of this evaluation: the column `dx` is the label to go on with.",
        )
    return order, which


def _is_wanted(names: np.ndarray, reviews: dict[ImageKey, LabelReview], which: str) -> np.ndarray:
    """(M,) bool of (M,) image ids: those with the decision `which`."""
    if which == ALL:
        return np.ones(len(names), bool)
    decided = [image.name for image, one in reviews.items() if which in (OPEN, one.decision)]
    return np.isin(names.astype(str), decided, invert=which == OPEN)


def _draw_card(
    context: Context, errors: LabelErrors, n: int, image: ImageKey, review: LabelReview | None
) -> None:
    """Picture, answer, the two labels, and what the reader thinks of them."""
    predictions, row = context.predictions, int(errors.rows[n])
    labels = predictions.classes[predictions.labels[row]], predictions.classes[errors.suggested[n]]
    stated, suggested = (get_diagnosis(code).name for code in labels)
    case = read_case(predictions, row, context.source)
    with st.container(border=True, gap="xsmall", height="stretch", vertical_alignment="distribute"):
        st.html(build_card(case))
        st.caption(f"Stated: {stated}  \nSuggested: **{suggested}**")
        _draw_decision(image, labels, review)
        draw_open(case, f"{_KEY}_open_{row}", _KEY)


def _draw_decision(image: ImageKey, labels: tuple[str, str], review: LabelReview | None) -> None:
    """Keep, change or unsure, and why; kept as soon as it is chosen."""
    decision_key, note_key = f"{_KEY}_decision_{image.name}", f"{_KEY}_note_{image.name}"
    store.show(decision_key, review.decision if review else None)
    store.show(note_key, review.note if review else "")

    def change() -> None:
        decision = st.session_state[decision_key]
        if decision is None:
            store.open_reviews().remove(image)
        else:
            store.open_reviews().write(image, *labels, decision, st.session_state[note_key] or "")

    st.segmented_control(
        f"Decision about {image.name}",
        DECISIONS,
        key=decision_key,
        label_visibility="collapsed",
        on_change=store.keep,
        args=(decision_key, change),
    )
    st.text_input(
        f"Note on the label of {image.name}",
        key=note_key,
        max_chars=MAX_NOTE,
        placeholder="Why" if review else "Decide first, then note why",
        disabled=review is None,
        label_visibility="collapsed",
        on_change=store.keep,
        args=(note_key, change),
    )
