"""Dermalens: routes to the pages. Start with `streamlit run streamlit_app.py`."""

from pathlib import Path

import streamlit as st

from pages.components.shared import router

LOGO = Path(__file__).parent / "pages" / "assets" / "logo.svg"

st.set_page_config(page_title="Dermalens", page_icon=":material/dermatology:", layout="wide")
st.logo(LOGO, size="large")
router.run()
