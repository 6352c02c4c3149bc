"""Shift: are these images like those that shipped figures hold for?"""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.evaluation.predictions import Predictions, read_predictions
from core.evaluation.shift import (
    CONFIDENCE,
    LARGE,
    MALIGNANCY,
    Shift,
    Verdict,
    compare_sets,
    has_measures,
    judge,
    rank_farthest,
    read_measure,
)
from core.evaluation.slices import FEW_LESIONS
from core.systems.evaluations import Evaluation
from core.systems.systems import list_systems
from pages.components.cases.cards import draw_cards
from pages.components.evaluate.context import Context
from pages.components.shared.figures import AMBER, BLUE, savable
from pages.components.shared.tables import draw_frame

TITLES = {
    "brightness": "Brightness",
    "redness": "Redness (a*)",
    "yellowness": "Yellowness (b*)",
    "sharpness": "Sharpness",
    "novelty": "Distance from known images",
    MALIGNANCY: "Probability of malignancy",
    CONFIDENCE: "Confidence",
    "mix": "Mix of predicted classes",
}
VERDICTS = {
    Verdict.TOO_FEW: (
        f"Too few images to tell: fewer than {FEW_LESIONS} lesions.",
        ":material/hourglass_empty:",
    ),
    Verdict.LIKE: (
        "No large shift in what is measured here: the reference's figures may be expected to hold, as far as this can tell. "
        "It cannot see whether the diseases or their look differ; labelled images of your own can.",
        ":material/check:",
    ),
    Verdict.MIX: (
        "The pictures look alike, but the answers are mixed differently. Sensitivity and AUC may be expected to hold; "
        "accuracy, calibration and predictive values change with the share of each disease.",
        ":material/balance:",
    ),
    Verdict.SHIFTED: (
        "The pictures differ from the reference's: its figures may not be expected to hold here. Measure on labelled images "
        "of your own before relying on any figure.",
        ":material/warning:",
    ),
}
N_BINS = 30


def draw(context: Context) -> None:
    """What differs from a shipped evaluation, whether its figures may be expected to hold, and the farthest pictures."""
    st.subheader("Are these images like the ones that were evaluated?", anchor=False)
    if not has_measures(context.predictions):
        st.info(
            "This table does not say what its pictures look like. Analyse the images anew (Evaluate → Images, or "
            "`dermalens batch`): the columns `brightness`, `redness`, `yellowness`, `sharpness` and `novelty` are then there.",
            icon=":material/info:",
        )
        return
    chosen = _choose_reference(context)
    if chosen is None:
        return
    key, reference = chosen
    found = _compare((context.key, key), context.predictions, reference)
    verdict = judge(found, len(np.unique(context.predictions.lesions)))
    text, icon = VERDICTS[verdict]
    (st.warning if verdict is Verdict.SHIFTED else st.info)(text, icon=icon)
    _draw_table(found)
    _draw_charts(found, context.predictions, reference)
    _draw_farthest(found, context.predictions, reference)


def list_references() -> dict[str, Evaluation]:
    """Shipped evaluations by the name of bundle and split; validation splits first, which decisions were made on.

    Of those, the split of that very name leads: it is the set that the scores are stated for.
    """
    found = [one for system in list_systems() for one in system.evaluations]
    found.sort(key=lambda one: ("validation" not in one.split, one.split != "validation"))
    return {one.label: one for one in found}


def _choose_reference(context: Context) -> tuple[str, Predictions] | None:
    references = list_references()
    usable = {label: one for label, one in references.items() if has_measures(_read(one))}
    if not usable:
        st.info(
            "No shipped evaluation says what its pictures look like. `dermalens evaluate scores --split validation` writes one.",
            icon=":material/info:",
        )
        return None
    label = st.selectbox(
        "Compared with",
        list(usable),
        key="shift_reference",
        bind="query-params",
        persist_state="session",
        width=330,
    )
    st.caption(
        f"{len(context.predictions):,} images here, {len(_read(usable[label])):,} in the reference. The reference stands for the "
        "training images: its lesions are others, of the same sources."
    )
    return f"{label}:{usable[label].predictions_file.stat().st_mtime_ns}", _read(usable[label])


def _read(evaluation: Evaluation) -> Predictions:
    file = evaluation.predictions_file
    return _read_once(str(file), file.stat().st_mtime_ns)


@st.cache_resource(show_spinner="Reading the reference …", max_entries=16)
def _read_once(path: str, changed: int) -> Predictions:
    return read_predictions(path)  # with all classes of the bundle, as a batch run has them


@st.cache_data(show_spinner="Comparing both sets …", max_entries=32)
def _compare(key: tuple[str, str], _predictions: Predictions, _reference: Predictions) -> list[Shift]:
    return compare_sets(_predictions, _reference)


def _draw_table(found: list[Shift]) -> None:
    draw_frame(
        [
            {
                "Measure": TITLES[one.name],
                "Finding": describe(one),
                "Here, median": _number(one.median),
                "Reference, median": _number(one.reference_median),
                "Distance": f"{one.distance:.2f}",
                "By chance up to": f"{one.by_chance:.2f}",
            }
            for one in found
        ],
        key="shifts",
        hide_index=True,
        height="content",
        alt="Each measure here and in the reference, with the distance between both.",
    )
    st.caption(
        "Distance: Kolmogorov–Smirnov, the greatest gap between the two cumulative distributions; for the mix, half the summed "
        "difference of the shares. 0: the same, 1: nothing in common. By chance: what 95 of 100 random divisions of all "
        f"lesions stay below. Large: beyond chance and at least {LARGE:.2f}, a convention."
    )


def describe(shift: Shift) -> str:
    """A distance in words."""
    if not shift.beyond_chance:
        return "within chance"
    return "large" if shift.large else "small"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}"


def _draw_charts(found: list[Shift], predictions: Predictions, reference: Predictions) -> None:
    st.markdown(":orange[■] here  :blue[■] reference; each as shares of its own images.")
    with st.grid(3, min_column_width=240, gap="small"):
        for one in found:
            if one.name != "mix":
                st.plotly_chart(
                    build_chart(
                        read_measure(predictions, one.name),
                        read_measure(reference, one.name),
                        TITLES[one.name],
                    ),
                    key=f"shift_{one.name}",
                    config=savable(f"shift_{one.name}"),
                    alt=f"{TITLES[one.name]}: median {_number(one.median)} here, {_number(one.reference_median)} in the reference.",
                )


def build_chart(values: np.ndarray, reference: np.ndarray, title: str) -> go.Figure:
    """Two outlines of histograms over the same bins; the outermost bins hold the rest."""
    both = np.concatenate([values, reference])
    low, high = np.nanquantile(both, [0.002, 0.998])
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    figure = go.Figure()
    for one, colour, name in ((reference, BLUE, "reference"), (values, AMBER, "here")):
        known = one[~np.isnan(one)]
        counts, _ = np.histogram(np.clip(known, edges[0], edges[-1]), edges)
        figure.add_scatter(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts / max(1, len(known)),
            mode="lines",
            line={"shape": "hvh", "color": colour, "width": 2},
            fill="tozeroy",
            name=name,
            hovertemplate=f"{name}, around %{{x:.3g}}: %{{y:.1%}}<extra></extra>",
        )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_layout(
        title={"text": title, "font": {"size": 14}, "x": 0},
        height=190,
        margin={"l": 0, "r": 0, "t": 30, "b": 20},
        showlegend=False,
        dragmode=False,
    )
    return figure


def _draw_farthest(found: list[Shift], predictions: Predictions, reference: Predictions) -> None:
    names = [one.name for one in found if one.name not in ("mix", MALIGNANCY, CONFIDENCE)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Farthest from the reference", anchor=False, width="stretch")
        name = st.selectbox(
            "In", names, format_func=TITLES.get, key="shift_by", persist_state="session", width=240
        )
    draw_cards(predictions, rank_farthest(predictions, reference, name), "shift_cards")
