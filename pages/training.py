"""Training: the systems side by side, what was compared, the curves of each run, and what each stage does."""

import streamlit as st

from pages.components.learn import topics
from pages.components.shared import notices, router
from pages.components.training import comparisons, runs, systems

SYSTEMS, COMPARISONS, RUNS, LEARN = "Systems", "Comparisons", "Runs", "Learn"
DRAW = {
    SYSTEMS: systems.draw_systems,
    COMPARISONS: comparisons.draw_comparisons,
    RUNS: runs.draw_runs,
    LEARN: topics.draw_learn,
}

router.require()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title("Training", anchor=False, width="stretch")
    view = st.segmented_control(
        "View",
        list(DRAW),
        default=SYSTEMS,
        required=True,
        key="training_view",
        bind="query-params",
        label_visibility="collapsed",
    )
notices.draw_notice()
DRAW[view]()
