"""Checks: what a user of any dataset should look for before trusting a score on it."""

import streamlit as st

from core.datasets.checks import Check, check_dataset, stack_findings
from core.datasets.ham10000 import DatasetError
from core.datasets.layouts import LAYOUTS, read_dataset
from pages.components.shared import dataset_folder as dataset
from pages.components.shared.notices import escape
from pages.components.shared.tables import draw_frame, harmless_frame

_FOLDER_KEY, _WANTED_KEY, _RESULT_KEY = "checks_folder", "checks_wanted", "checks_result"
MAX_ROWS = 500


def draw_checks() -> None:
    """A folder, a button, and the table of findings."""
    st.markdown(
        "Lesions in more than one split, the same picture under two names, missing and unreadable files, unknown "
        "labels: each flatters or spoils a score. Every image is read once."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Dataset folder on this server",
            placeholder=dataset.describe_place(),
            key=_FOLDER_KEY,
            persist_state="session",
            help="Understood: " + ", ".join(layout.name for layout in LAYOUTS) + ".",
        )
        typed = st.session_state[_FOLDER_KEY].strip()
        st.button(
            "Run the checks",
            key="run_checks",
            icon=":material/fact_check:",
            type="primary",
            disabled=not typed and dataset.read_frame() is None,
            on_click=lambda: st.session_state.update({_WANTED_KEY: True}),
        )
    if st.session_state.pop(_WANTED_KEY, False):
        _run(typed)
    if result := st.session_state.get(_RESULT_KEY):
        _draw_result(*result)


def _run(typed: str) -> None:
    st.session_state.pop(_RESULT_KEY, None)
    bar = st.progress(0.0, "Reading the dataset …")
    try:
        folder = dataset.resolve(typed) if typed else dataset.folder()
        frame = dataset.confine(read_dataset(folder))
    except DatasetError as error:
        bar.empty()
        st.error(str(error), title="This folder cannot be checked", icon=":material/folder_off:")
        return
    step = max(1, len(frame) // 100)

    def report(done: int, total: int) -> None:
        if done % step == 0:
            bar.progress(done / total, f"{done:,} of {total:,} images read")

    checks = check_dataset(frame, progress=report)
    bar.empty()
    summary = f"{frame.attrs['layout']} in `{folder}`: {len(frame):,} images of {frame['lesion_id'].nunique():,} lesions"
    st.session_state[_RESULT_KEY] = (summary, checks)


def _draw_result(summary: str, checks: list[Check]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{summary}**", width="stretch")
        st.download_button(
            "CSV",
            lambda: harmless_frame(stack_findings(checks)).to_csv(index=False),
            file_name="dermalens_checks.csv",
            mime="text/csv",
            key="checks_csv",
            icon=":material/download:",
            on_click="ignore",
        )
    for check in checks:
        _draw_check(check)


def _draw_check(check: Check) -> None:
    title = check.title[0].upper() + check.title[1:]
    if check.passed:
        st.markdown(f":material/check: {escape(title)}: none")
        return
    with st.expander(f"{title}: {len(check.table):,}", icon=":material/priority_high:"):
        st.markdown(check.advice)
        draw_frame(check.table.head(MAX_ROWS), key=f"check_{check.code}", hide_index=True, alt=check.title)
        if len(check.table) > MAX_ROWS:
            st.caption(f"The first {MAX_ROWS} are shown; the CSV holds all.")
