"""The Systems view: the classic systems beside the shipped one, on the same test split."""

import re

import streamlit as st

from core.systems.model_card import format_score
from core.systems.systems import (
    MAX_ANSWERS_CHANGED,
    SCORES,
    SystemRecord,
    mobile_table,
    read_systems,
    systems_table,
)
from models.manifest import BundleError
from pages.components.shared import engine
from pages.components.shared.notices import escape


def draw_systems() -> None:
    """Each system, a table of all, and a link to use one."""
    systems = read_systems()
    if not systems:
        st.info(
            "No classic system has been measured yet: `make classic` trains and measures them.",
            title="Nothing to compare",
            icon=":material/compare:",
        )
        return
    st.subheader("Classic systems and ours", anchor=False)
    _draw_table(systems)
    st.caption(
        "On the test split, which none of them was trained or tuned on; from `training/runs/systems.json`, written "
        "by `dermalens evaluate systems`. Masks and probabilities are those that the app shows for each system. "
        "Malignancy: melanoma, basal cell carcinoma and akiec against the rest, at the decision threshold that reaches "
        "95 % sensitivity on the validation split. MB in half precision; milliseconds that the networks take for "
        "one image on two cores. The classic systems were trained for a short time, see below: longer training would score "
        "higher. For research and teaching, not a medical device."
    )
    _draw_intervals(systems)
    _draw_notes(systems)
    _draw_mobile()


def _draw_table(systems: list[SystemRecord]) -> None:
    table = systems_table(systems)
    scores = {label: st.column_config.NumberColumn(format="%.3f") for label in SCORES.values()}
    st.dataframe(
        table,
        hide_index=True,  # an index stays in place when the table scrolls: on a phone it would hide the rest
        column_config=scores
        | {
            "Parameters": st.column_config.NumberColumn(format="compact"),
            "MB": st.column_config.NumberColumn(format="%.1f"),
            "ms an image": st.column_config.NumberColumn(format="%.0f"),
        },
        placeholder="–",
        height="content",
        key="systems_table",
        alt=f"Table of {len(systems)} systems with scores, size and time.",
    )


def _draw_intervals(systems: list[SystemRecord]) -> None:
    """One score of all systems with its intervals, largest first, as text: there are five rows at most."""
    name = st.selectbox(
        "Score with its interval",
        list(SCORES),
        index=list(SCORES).index("balanced_accuracy"),
        format_func=SCORES.get,
        key="systems_score",
        bind="query-params",
        width=260,
    )
    having = [system for system in systems if name in system.scores]
    having.sort(key=lambda system: -system.scores[name]["estimate"])
    rows = {
        "System": [escape(system.title) for system in having],
        f"{SCORES[name]} (95 % interval over lesions)": [
            format_score(system.scores[name]) for system in having
        ],
    }
    st.table(rows, border="horizontal", hide_index=True, alt=f"{SCORES[name]} of {len(having)} systems.")


def _draw_notes(systems: list[SystemRecord]) -> None:
    st.subheader("What each one is", anchor=False)
    with st.grid(2, min_column_width=340, gap="medium"):
        for system in systems:
            ships = f"Ships in the bundle `{system.bundle}`."
            # The record names each configuration before its sentence; here the title says which it is.
            cut = " ".join(re.findall(r"Cut short[^.]*\.", system.cut))
            parts = filter(None, (escape(system.about), escape(cut), ships))
            st.markdown(f"**{escape(system.title)}**  \n{' '.join(parts)}")
    st.page_link("pages/diagnose.py", label="Analyse an image with one of them", icon=":material/biotech:")


def _draw_mobile() -> None:
    """The shipped classifier as files for phones, where they were scored."""
    try:
        table = mobile_table(engine.read_current_manifest().fingerprint)
    except BundleError:
        return  # Diagnose and About say what is wrong with the bundle
    if table.empty:
        return
    st.subheader("On phones", anchor=False)
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "MB": st.column_config.NumberColumn(format="%.1f"),
            "Balanced accuracy": st.column_config.NumberColumn(format="%.3f"),
            "Macro AUC": st.column_config.NumberColumn(format="%.3f"),
            "Answers changed": st.column_config.NumberColumn(format="percent"),
        },
        height="content",
        key="mobile_table",
        alt=f"Table of {len(table)} files of one classifier with size, scores and the share of changed answers.",
    )
    st.caption(
        "The classifier alone, one view of each whole validation image, so below the scores of whole analyses above; "
        "written by `dermalens export-mobile --to FOLDER --data DIR`, which makes the files."
    )
    changed = table.loc[table["Answers changed"] > MAX_ANSWERS_CHANGED, "File"]
    if len(changed):
        st.caption(
            f":material/warning: {escape(', '.join(changed))}: more than {MAX_ANSWERS_CHANGED:.1%} of the answers change. Use "
            "another file where it fits."
        )
