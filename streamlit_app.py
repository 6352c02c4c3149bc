"""Dermalens: routes to the pages. Start with `streamlit run streamlit_app.py`."""

from pathlib import Path

import streamlit as st

LOGO = Path(__file__).parent / "pages" / "assets" / "logo.svg"

st.set_page_config(page_title="Dermalens", page_icon=":material/dermatology:", layout="wide")
st.logo(LOGO, size="large")

st.navigation(
    [
        st.Page("pages/diagnose.py", title="Diagnose", icon=":material/center_focus_strong:", default=True),
        st.Page("pages/evaluate.py", title="Evaluate", icon=":material/query_stats:"),
        st.Page("pages/dataset.py", title="Dataset", icon=":material/grid_view:"),
        st.Page("pages/training.py", title="Training", icon=":material/show_chart:"),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
).run()
