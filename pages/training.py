"""Training: the curves of every run, the classic systems side by side, and what each stage does."""

import streamlit as st

from pages.components.shared import notices, router
from pages.components.training import learn, runs, systems

RUNS, SYSTEMS, LEARN = "Runs", "Systems", "Learn"
DRAW = {RUNS: runs.draw_runs, SYSTEMS: systems.draw_systems, LEARN: learn.draw_learn}

router.require()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title("Training", anchor=False, width="stretch")
    view = st.segmented_control(
        "View",
        list(DRAW),
        default=RUNS,
        required=True,
        key="training_view",
        bind="query-params",
        label_visibility="collapsed",
    )
notices.draw_notice()
DRAW[view]()
