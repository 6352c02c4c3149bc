"""Compare two evaluations on the images that both have."""

import hashlib
import math
from dataclasses import replace

import streamlit as st

from core.evaluation.bootstrap import affordable_resamples
from core.evaluation.comparison import (
    ComparisonError,
    Difference,
    McNemar,
    Pair,
    mcnemar,
    pair_predictions,
    score_differences,
)
from core.evaluation.predictions import Predictions, PredictionsError, read_predictions
from core.taxonomy import get_diagnosis
from pages.components.evaluate import batch_run, joined, scores, source
from pages.components.evaluate.context import Context
from pages.components.evaluate.dots import build_dots
from pages.components.shared import notices
from pages.components.shared.figures import savable

FILE = "a predictions file …"
ONE_VIEW, UNCALIBRATED = "the same, one view instead of eight", "the same, before temperature"
ONLY_FIRST, ONLY_SECOND = "Only the first is right", "Only the second is right"


def draw(context: Context) -> None:
    """Choose the other evaluation; differences, McNemar's test, and the images between them."""
    other = _choose(context)
    if other is None:
        return
    try:
        pair = _pair((context.key, other.key), context.predictions, other.predictions)
    except ComparisonError as error:
        st.warning(notices.escape(str(error)), title="Nothing to compare", icon=":material/link_off:")
        return
    _draw_what(context, other, pair)
    intervals = st.container()
    if pair.first.labelled.any():
        _draw_disagreement(pair)
    joined.draw(context, pair, other.key)
    # Last, at their place above: many draws of many images take seconds, and the rest need not wait for them.
    with intervals:
        _draw_differences(_differences((context.key, other.key), (context.threshold, other.threshold), pair))


# --- the second evaluation --------------------------------------------------------------------------
def _choose(context: Context) -> Context | None:
    """The evaluation to compare with; None until there is one."""
    options = _variants(context) | _others(context)
    if not options:
        st.info(
            "No other run has predictions of these images. Bring a file, or run "
            "`dermalens evaluate scores` with another bundle.",
            icon=":material/info:",
        )
    name = st.selectbox(
        "Compare with",
        [*options, FILE],
        format_func=lambda name: options[name].name if name in options else name,
        key="against",
        bind="query-params",
        persist_state="session",
        width=420,
    )
    return _read_upload() if name == FILE else options[name]


def _variants(context: Context) -> dict[str, Context]:
    """The same run without averaging views, and before temperature, where the file has them."""
    found = {ONE_VIEW: context.predictions.one_view, UNCALIBRATED: context.predictions.uncalibrated}
    # The masks are the same, and the agreement is that of eight views.
    frame = context.predictions.frame.drop(columns=["dice", "jaccard", "agreement"], errors="ignore")
    return {
        name: Context(
            name,
            f"{context.key}:{name}",
            replace(context.predictions, frame=frame, probabilities=values),
            context.threshold,
            context.source,
        )
        for name, values in found.items()
        if values is not None
    }


def _others(context: Context) -> dict[str, Context]:
    """Shipped evaluations and the user's own runs that share images with this one, by their name in the address."""
    images = set(context.predictions.frame["image_id"])
    contexts = {name: source.open_shipped(*shipped) for name, shipped in source.list_shipped().items()}
    return {
        name: other
        for name, other in (contexts | batch_run.list_contexts()).items()
        if other.key != context.key and not images.isdisjoint(other.predictions.frame["image_id"])
    }


def _read_upload() -> Context | None:
    file = st.file_uploader(
        "A table with `image_id` and `p_<code>`, as for a predictions file",
        type=source.TABLE_TYPES,
        key="second_file",
    )
    if file is None:
        return None
    data = file.getvalue()
    try:
        key = hashlib.sha256(data).hexdigest()
        return Context(file.name, key, read_predictions(data), source.file_threshold(), file.name)
    except PredictionsError as error:
        st.error(
            notices.escape(str(error)),
            title=f"{notices.escape(file.name)} cannot be used",
            icon=":material/error:",
        )
        return None


# A resource is shared by all sessions, not copied: nobody changes a `Pair`.
@st.cache_resource(show_spinner=False, max_entries=8)
def _pair(keys: tuple[str, str], _first: Predictions, _second: Predictions) -> Pair:
    return pair_predictions(_first, _second)


# --- results ----------------------------------------------------------------------------------------
def _draw_what(context: Context, other: Context, pair: Pair) -> None:
    """Which is first and second, on how many images."""
    st.markdown(
        f"**First:** {notices.escape(context.name)}, decision threshold {context.threshold:.1%}  \n"
        f"**Second:** {notices.escape(other.name)}, decision threshold {other.threshold:.1%}  \n"
        f"{len(pair):,} images in common; each is evaluated at its own threshold."
    )
    if pair.n_contradictory:
        st.caption(
            f":material/warning: Left out, because the two files name different true classes: "
            f"{pair.n_contradictory:,}."
        )
    if pair.left_out:
        names = ", ".join(get_diagnosis(code).name for code in pair.left_out)
        st.caption(
            f":material/warning: Only one of the two knows these classes; their probability is shared out among the "
            f"others: {names}."
        )
    if other.key == context.key or pair.same_answers:
        st.info("Both hold the same probabilities: only masks can differ.", icon=":material/equal:")


@st.cache_data(show_spinner="Comparing on the same draws of lesions …", max_entries=16)
def _differences(
    keys: tuple[str, str], thresholds: tuple[float, float], _pair: Pair
) -> dict[str, Difference]:
    return score_differences(_pair, thresholds, affordable_resamples(len(_pair)))


def _draw_differences(differences: dict[str, Difference]) -> None:
    left, right = st.columns([1, 1], gap="medium")
    with left:
        _draw_chart(differences)
    with right:
        _draw_table(differences)


def _draw_chart(differences: dict[str, Difference]) -> None:
    shown = list(differences.values())
    figure = build_dots(
        [one.name for one in shown],
        [one.difference for one in shown],
        [not is_clear(one) for one in shown],
        0.0,
        [f"<b>{one.name}</b><br>{scores.interval_text(one.difference, 3)}" for one in shown],
    )
    figure.update_xaxes(title="second minus first")
    figure.update_layout(margin_b=44)
    st.plotly_chart(
        figure,
        key="differences",
        config=savable("differences"),
        alt=describe(differences),
    )
    st.caption(
        "Dots: second minus first; lines: 95 % intervals, both scored on the same bootstrap draws of whole "
        "lesions. Filled: the interval leaves out zero."
    )


def is_clear(difference: Difference) -> bool:
    """Whether the interval leaves out zero."""
    return difference.difference.low > 0 or difference.difference.high < 0


def describe(differences: dict[str, Difference]) -> str:
    """Alternative text of the chart."""
    values = "; ".join(
        f"{one.name} {scores.interval_text(one.difference, 3)}" for one in differences.values()
    )
    return f"Differences second minus first with 95 % intervals: {values}."


def _draw_table(differences: dict[str, Difference]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Scores", anchor=False, width="stretch")
        scores.draw_csv("CSV", table_rows(differences), "comparison.csv", "download_comparison")
    rows = [
        {
            "Score": f"{one.name} (lower is better)" if one.lower_is_better else one.name,
            "First": scores.number_text(one.first),
            "Second": scores.number_text(one.second),
            "Difference": scores.interval_text(one.difference, 3),
        }
        for one in differences.values()
    ]
    st.dataframe(
        rows,
        key="comparison_table",
        hide_index=True,
        height="content",
        alt="Each score of both evaluations and their difference with its 95 % interval.",
    )


def table_rows(differences: dict[str, Difference]) -> list[dict]:
    """One row a score, for the CSV."""
    return [
        {"score": name, "first": one.first, "second": one.second}
        | scores.interval_cells("difference", one.difference)
        for name, one in differences.items()
    ]


def _draw_disagreement(pair: Pair) -> None:
    """McNemar's test, and the images that only one gets right."""
    known = pair.first.labelled
    right = [(part.predicted == part.labels) & known for part in (pair.first, pair.second)]
    test = mcnemar(*right)
    st.subheader("Who is right where", anchor=False)
    with st.grid(3, min_column_width=160, key="mcnemar"):
        st.metric(f"{ONLY_FIRST}: images", f"{test.only_first:,}", border=True)
        st.metric(f"{ONLY_SECOND}: images", f"{test.only_second:,}", border=True)
        st.metric("McNemar's test", p_text(test), border=True, help=_explain(test))
    st.caption(
        "McNemar's test takes images as independent; with several images of one lesion its p-value is too small. The "
        "interval of the accuracy above respects lesions."
    )


def p_text(test: McNemar) -> str:
    """The p-value, never rounded to 0.

    >>> p_text(McNemar(3, 9, 0.146, True)), p_text(McNemar(0, 40, 1e-9, False))
    ('p = 0.146', 'p < 0.001')
    """
    if math.isnan(test.p_value):
        return "–"
    return "p < 0.001" if test.p_value < 0.001 else f"p = {test.p_value:.3f}"


def _explain(test: McNemar) -> str:
    if math.isnan(test.p_value):
        return "They are right and wrong on the same images, so there is nothing to test."
    how = "exact" if test.exact else "chi-squared with continuity correction"
    return f"Of equal accuracy, from the images that only one gets right ({how})."
