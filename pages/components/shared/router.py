"""The list of pages, and the way back to it for a page that Streamlit opened by itself.

Because the folder is called pages/, a freshly started server that is first asked for a page's own address
(say /about) runs that page alone, without our navigation, until somebody has opened the main page once.
"""

import streamlit as st

_ROUTED = "routed"
# File in pages/, title and icon; the first is the one that the bare address opens.
PAGES = (
    ("diagnose", "Diagnose", ":material/center_focus_strong:"),
    ("evaluate", "Evaluate", ":material/query_stats:"),
    ("dataset", "Dataset", ":material/grid_view:"),
    ("training", "Training", ":material/show_chart:"),
    ("about", "About", ":material/info:"),
)


def run() -> None:
    """Show the navigation and the page that the address asks for; the last line of `streamlit_app.py`."""
    st.session_state[_ROUTED] = True
    _navigate().run()


def require() -> None:
    """Start over through `streamlit_app.py` if this page runs without it; the first line of every page."""
    if not st.session_state.get(_ROUTED):
        _navigate()  # from now on Streamlit runs the main script for every address
        st.rerun()


def _navigate():
    return st.navigation(
        [
            st.Page(f"pages/{name}.py", title=title, icon=icon, default=index == 0)
            for index, (name, title, icon) in enumerate(PAGES)
        ],
        position="top",
    )
