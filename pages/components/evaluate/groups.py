"""Fairness: sensitivity, false alarms, calibration and coverage of each group, worst first, and the gaps."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.bootstrap import affordable_resamples
from core.evaluation.fairness import (
    CALIBRATION,
    COVERAGE,
    FALSE_ALARMS,
    SENSITIVITY,
    Gap,
    Group,
    find_gaps,
    score_groups,
)
from core.evaluation.predictions import Predictions
from core.evaluation.score_table import SUSPICIOUS, binary_targets
from core.evaluation.slices import CROSS, FEW_LESIONS
from models.manifest import BundleError
from pages.components.cases.facts import CONFIRMATIONS
from pages.components.evaluate import scores
from pages.components.evaluate.context import Context
from pages.components.shared import engine
from pages.components.shared.tables import draw_frame

FEW_MARK = "⚠"
MAX_ROWS_SHOWN = 16
COLUMNS = {
    SENSITIVITY: "Sensitivity for malignancy",
    FALSE_ALARMS: "False alarms",
    CALIBRATION: "Calibration error",
    COVERAGE: "Coverage of the sets",
}
MEANINGS = {
    SENSITIVITY: "Share of the malignant images that are called so at the decision threshold.",
    FALSE_ALARMS: "Share of the benign images that are called malignant.",
    CALIBRATION: "Mean gap between confidence and accuracy; small groups have a larger one by chance.",
    COVERAGE: "Share of images whose conformal prediction set includes the true class.",
}


def draw(context: Context, by: str, titles: dict[str, str]) -> None:
    """The groups of one fact, or of two together, in one table, and how far the worst lies from the best.

    Args:
        context: what is evaluated.
        by: the first fact.
        titles: fact -> its name, of all that can be grouped by.
    """
    if SUSPICIOUS not in binary_targets(context.predictions.classes):
        return
    head = st.container(horizontal=True, vertical_alignment="bottom")
    second = _choose_second(head, by, titles)
    quantiles = read_quantiles(context.predictions.classes)
    cut = None if quantiles is None else tuple(quantiles)
    found = _score((context.key, by, second, context.threshold, cut), context.predictions)
    title = titles[by] if second is None else f"{titles[by]} × {titles[second].lower()}"
    name = by if second is None else f"{by}_{second}"
    with head:
        scores.draw_csv("CSV", csv_rows(found, name), f"fairness_by_{name}.csv", "download_fairness")
    st.caption(
        f"The group whose malignant lesions are missed most comes first. At the decision threshold "
        f"{context.threshold:.1%}; in brackets 95 % intervals over lesions. {FEW_MARK}: fewer than {FEW_LESIONS} lesions that the "
        "score is about, too few to conclude from; groups with few malignant lesions stand last."
    )
    # Two facts give many groups of a handful: those are named below instead of filling the table.
    tabled = [group for group in found if second is None or not group.too_small]
    _draw_table(tabled, title)
    _name_small([group for group in found if group not in tabled])
    _draw_gaps(find_gaps(tabled))
    if quantiles is not None:
        st.caption(
            "Coverage: sets of the bundle in use, whose quantiles were fitted on its validation split."
        )


def _choose_second(head: DeltaGenerator, by: str, titles: dict[str, str]) -> str | None:
    """The heading, and the fact to cross with; None for none."""
    others = [name for name in titles if name != by]
    with head:
        st.subheader(f"Fairness by {titles[by].lower()}", anchor=False, width="stretch")
        if not others:
            return None
        if st.session_state.get("crossed") not in (None, *others):
            st.session_state["crossed"] = None  # it is the first fact now, or this file lacks it
        return st.selectbox(
            "And by",
            others,
            index=None,
            format_func=titles.get,
            placeholder="one fact alone",
            key="crossed",
            bind="query-params",
            persist_state="session",
            width=220,
            help="Intersections: groups that share both facts. Images that lack one of them are left out.",
        )


def _draw_table(found: list[Group], title: str) -> None:
    if not found:
        return
    shown = [score for score in COLUMNS if score in found[0].intervals]
    draw_frame(
        [_row(group, title, shown) for group in found],
        key="fairness",
        hide_index=True,
        height="content" if len(found) <= MAX_ROWS_SHOWN else 35 * (MAX_ROWS_SHOWN + 1),
        column_config={COLUMNS[score]: st.column_config.TextColumn(help=MEANINGS[score]) for score in shown},
        alt=f"Scores of each group by {title.lower()}, worst sensitivity first.",
    )


def _name_small(groups: list[Group]) -> None:
    """Intersections too small to be scored, each with its number of lesions."""
    if groups:
        named = ", ".join(
            f"{group_name(one.name)} ({one.n_lesions})" for one in sorted(groups, key=lambda g: -g.n_lesions)
        )
        st.caption(
            f"Too small to conclude anything from (fewer than {FEW_LESIONS} lesions, count in brackets): {named}."
        )


def read_quantiles(classes: tuple[str, ...]) -> np.ndarray | None:
    """Class quantiles of the bundle in use; None where it has none or predicts other classes."""
    try:
        manifest = engine.read_current_manifest()
    except BundleError:
        return None
    if manifest.conformal is None or tuple(manifest.classes) != tuple(classes):
        return None
    return np.array(manifest.conformal.class_quantiles)


@st.cache_data(show_spinner="Scoring the groups …", max_entries=64)
def _score(key: tuple, _predictions: Predictions) -> list[Group]:
    _, by, second, threshold, quantiles = key
    draws = affordable_resamples(len(_predictions))
    cut = None if quantiles is None else np.array(quantiles)
    return score_groups(_predictions, by, threshold, cut, draws, second)


def group_name(name: str) -> str:
    """A value of the file in words."""
    return CROSS.join(CONFIRMATIONS.get(part, part).replace("_", " ") for part in name.split(CROSS))


def _row(group: Group, title: str, shown: list[str]) -> dict[str, str]:
    counts = {"Images": f"{group.n_images:,}", "Malignant": f"{group.n_malignant:,}"}
    values = {
        COLUMNS[score]: scores.interval_text(group.intervals[score])
        + (f" {FEW_MARK}" if group.few(score) else "")
        for score in shown
    }
    return {title: group_name(group.name)} | counts | values


def _draw_gaps(gaps: list[Gap]) -> None:
    if not gaps:
        st.caption("No gap can be given: fewer than two groups have enough lesions for any score.")
        return
    lines = [
        f"- **{COLUMNS[gap.score]}**: {group_name(gap.worst)} is behind {group_name(gap.best)} by "
        f"{scores.interval_text(gap.interval)}, {describe(gap)}."
        for gap in gaps
    ]
    st.markdown("**Gaps between worst and best group**\n\n" + "\n".join(lines))
    st.caption(
        "The worst and the best of several groups lie apart by chance too: the more groups, the wider. Scores of few "
        "lesions are left out."
    )


def describe(gap: Gap) -> str:
    """What its interval allows to say."""
    if np.isnan(gap.interval.low):
        return "without an interval"
    return "which leaves out zero" if gap.interval.low > 0 else "which does not leave out zero"


def csv_rows(found: list[Group], by: str) -> list[dict]:
    """One row a group."""
    rows = []
    for group in found:
        row = {"slice": by, "value": group.name, "images": group.n_images, "lesions": group.n_lesions}
        row |= {"malignant": group.n_malignant}
        for score, interval in group.intervals.items():
            row |= scores.interval_cells(score, interval)
        rows.append(row)
    return rows
