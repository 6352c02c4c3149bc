"""Dermalens: routes to the pages. Start with `streamlit run streamlit_app.py`."""

import threading
import time
from pathlib import Path

import streamlit as st

from pages.components.shared import router

LOGO = Path(__file__).parent / "pages" / "assets" / "logo.svg"
FIRST_PAGE_S = 1.0  # the page that is opened first comes before what a click on it may need


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Once a server, in the background: what the first analysis would wait for, but not the networks' memory."""

    def import_engine() -> None:
        time.sleep(FIRST_PAGE_S)
        from core import analyzer

        analyzer.warm_up()

    threading.Thread(target=import_engine, name="warm up", daemon=True).start()


st.set_page_config(page_title="Dermalens", page_icon=":material/dermatology:", layout="wide")
st.logo(LOGO, size="large")
warm_up()
router.run()
