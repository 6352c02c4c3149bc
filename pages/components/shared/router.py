"""Hand a page that Streamlit opened by itself over to `streamlit_app.py`.

Because the folder is called pages/, a freshly started server that is first asked for a page's own address
(say /about) runs that page alone, without our navigation, until somebody has opened the main page once.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def require() -> None:
    """Start over through the router if this page runs without it; the first line of every page."""
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
