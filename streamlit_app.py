"""Dermalens: routes to the pages. Start with `streamlit run streamlit_app.py`."""

from pathlib import Path

import streamlit as st

LOGO = Path(__file__).parent / "pages" / "components" / "logo.svg"

st.set_page_config(page_title="Dermalens", page_icon=":material/dermatology:", layout="wide")
st.logo(LOGO, size="large")

st.navigation(
    [
        st.Page("pages/diagnose.py", title="Diagnose", icon=":material/center_focus_strong:", default=True),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
).run()
