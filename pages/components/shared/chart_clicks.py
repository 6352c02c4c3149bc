"""Clicks on points of a chart as one-time events.

A chart keeps its selection, so a second click on the same point would undo it. After each click the chart
gets another key: it starts without a selection, and what was clicked lives in the widgets it sets.
"""

from typing import Any

import streamlit as st


def chart_key(name: str) -> str:
    """The key of the chart `name` until the next click on it."""
    return f"{name}_{st.session_state.get(_counter(name), 0)}"


def take_click(name: str) -> Any | None:
    """`customdata` of the point clicked since the last run, once; call it before drawing any widget."""
    event = st.session_state.get(chart_key(name)) or {}
    points = event.get("selection", {}).get("points", [])
    if not points:
        return None
    st.session_state[_counter(name)] = st.session_state.get(_counter(name), 0) + 1
    return points[0].get("customdata")


def _counter(name: str) -> str:
    return f"{name}_clicks"
