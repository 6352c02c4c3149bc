"""Slices: a score by age, sex, body site, way of confirmation and image quality."""

import streamlit as st

from core.diagnosis.structures import STRUCTURE_WORDS
from core.evaluation.bootstrap import affordable_resamples
from core.evaluation.predictions import Predictions
from core.evaluation.scores import Score, list_scores
from core.evaluation.slices import ALL, FEW_LESIONS, FOUND_STRUCTURES, SLICE_COLUMNS, SliceScore, score_slices
from core.tables.columns import STRUCTURES
from pages.components.cases.facts import CONFIRMATIONS
from pages.components.evaluate import groups, scores, tone_check
from pages.components.evaluate.context import Context
from pages.components.evaluate.dots import build_dots
from pages.components.shared.figures import savable
from pages.components.shared.tables import draw_frame

TITLES = {
    "age": "Age",
    "sex": "Sex",
    "site": "Body site",
    "confirmation": "Way of confirmation",
    "quality": "Image quality",
    "skin_tone": "Skin tone",
    "dataset": "Dataset",
}
TITLES |= {column: f"{STRUCTURE_WORDS[name][0]} (found)" for column, name in FOUND_STRUCTURES.items()}
TITLES |= {name: f"{STRUCTURE_WORDS[name][0]} (experts)" for name in STRUCTURES}
# Only some datasets record these: a file without them lacks nothing.
RARE = ("skin_tone", "dataset", *FOUND_STRUCTURES, *STRUCTURES)
FEW_MARK = "⚠"


def draw(context: Context) -> None:
    """One score in the slices of one fact."""
    predictions = context.predictions
    possible = [by for by, column in SLICE_COLUMNS.items() if column in predictions.frame]
    missing = [by for by in SLICE_COLUMNS if by not in (*possible, *RARE)]
    if missing:
        st.caption(f":material/info: {describe_missing(missing)}")
    if not possible:
        return
    by, name, score = _draw_controls(predictions, possible)
    found = _score(context, by, name, score)
    st.plotly_chart(
        build_chart(found, score.name),
        key="slices",
        config=savable("slices"),
        alt=describe(found, score.name, by),
    )
    _draw_notes(found, by, score, "skin_tone" in possible)
    _draw_table(found, by, name, score)
    groups.draw(context, by, {name: TITLES[name] for name in possible})
    if by == "skin_tone" or "skin_tone" not in possible:
        tone_check.draw()


def describe_missing(missing: list[str]) -> str:
    """Which slices the file allows not."""
    names = ", ".join(f"{TITLES[by].lower()} (column `{SLICE_COLUMNS[by]}`)" for by in missing)
    return f"Not possible with this file: slices by {names}."


def _draw_controls(predictions: Predictions, possible: list[str]) -> tuple[str, str, Score]:
    found = list_scores(predictions)
    kept = {"bind": "query-params", "persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = st.selectbox(
            "Score", list(found), format_func=lambda n: found[n].name, key="score", width=320, **kept
        )
        by = st.selectbox("By", possible, format_func=TITLES.get, key="slice", width=220, **kept)
    return by, name, found[name]


def _score(context: Context, by: str, name: str, score: Score) -> list[SliceScore]:
    return _score_cached((context.key, by, name, context.threshold), context.predictions, score)


@st.cache_data(show_spinner="Scoring the slices …", max_entries=128)
def _score_cached(
    key: tuple[str, str, str, float], _predictions: Predictions, _score: Score
) -> list[SliceScore]:
    _, by, _, threshold = key
    return score_slices(_predictions, by, _score, threshold, affordable_resamples(len(_predictions)))


def build_chart(found: list[SliceScore], score_name: str):
    """Dots with intervals; hollow where few lesions stand behind; the dashed line is all images."""
    return build_dots(
        [f"{slice_name(one.name)} {FEW_MARK}" if one.few else slice_name(one.name) for one in found],
        [one.interval for one in found],
        [one.few for one in found],
        found[0].interval.estimate,
        [
            f"<b>{slice_name(one.name)}</b><br>{score_name} {scores.interval_text(one.interval, 3)}"
            f"<br>{one.n_images:,} images of {one.n_lesions:,} lesions"
            for one in found
        ],
    )


def slice_name(name: str) -> str:
    """A value of the file in words."""
    return "all images" if name == ALL else CONFIRMATIONS.get(name, name).replace("_", " ")


def describe(found: list[SliceScore], score_name: str, by: str) -> str:
    """The chart in words."""
    values = "; ".join(f"{slice_name(s.name)} {scores.interval_text(s.interval)}" for s in found)
    return f"{score_name} by {TITLES[by].lower()}, with 95 % intervals: {values}."


def _draw_notes(found: list[SliceScore], by: str, score: Score, tones_known: bool) -> None:
    notes = ["Dashed: all images. 95 % intervals from bootstrap draws of whole lesions."]
    if any(one.few for one in found):
        notes.append(f"{FEW_MARK} and hollow: fewer than {FEW_LESIONS} lesions, too few to conclude from.")
    if by == "quality":
        notes.append("An image with two warnings counts in both slices.")
    if by in FOUND_STRUCTURES:
        notes.append(
            "Likely: the bundle's probe gives the structure a probability of at least 50 %; its tested AUC stands on "
            "the Diagnose page."
        )
    if score.lower_is_better:
        notes.append("Lower is better.")
    st.caption(" ".join(notes))
    if not tones_known:
        st.caption(
            ":material/info: This table does not record skin tone (column `skin_tone_class`), and neither does "
            "HAM10000: nothing here shows how the model does on darker skin. The drawn check below is what there is."
        )


def _draw_table(found: list[SliceScore], by: str, name: str, score: Score) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(f"{score.name} by {TITLES[by].lower()}", anchor=False, width="stretch")
        scores.draw_csv("CSV", table_rows(found, by, name), f"{name}_by_{by}.csv", "download_slices")
    draw_frame(
        [
            {
                TITLES[by]: slice_name(one.name),
                "Images": f"{one.n_images:,}",
                "Lesions": f"{one.n_lesions:,}",
                score.name: scores.interval_text(one.interval, 3),
                "Remark": f"{FEW_MARK} fewer than {FEW_LESIONS} lesions" if one.few else "",
            }
            for one in found
        ],
        key="slice_table",
        hide_index=True,
        height="content",
        column_config={
            column: st.column_config.TextColumn(alignment="right", width="small")
            for column in ("Images", "Lesions")
        },
        alt=f"{score.name} of each slice with its 95 % interval.",
    )


def table_rows(found: list[SliceScore], by: str, name: str) -> list[dict]:
    """One row a slice, for the CSV."""
    return [
        {"slice": by, "value": one.name, "images": one.n_images, "lesions": one.n_lesions}
        | scores.interval_cells(name, one.interval)
        | {"few_lesions": one.few}
        for one in found
    ]
