"""Training: the curves of every run, and what each stage, augmentation and loss does."""

import streamlit as st

from pages.components import notices, router
from pages.components.training import learn, runs

RUNS, LEARN = "Runs", "Learn"
DRAW = {RUNS: runs.draw_runs, LEARN: learn.draw_learn}

router.require()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title("Training", anchor=False, width="stretch")
    view = st.segmented_control(
        "View",
        [RUNS, LEARN],
        default=RUNS,
        required=True,
        key="training_view",
        bind="query-params",
        label_visibility="collapsed",
    )
notices.draw_notice()
DRAW[view]()
