"""The visitor's notebook, and what went wrong with it, said once in one line."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core.records.database import Database, RecordsError, default_path
from core.records.notebook import Notebook
from core.records.reviews import LabelReviews
from pages.components.notebook.visitor import current_owner

_PROBLEM = "notebook_problem"
Read = TypeVar("Read")


def open_notebook() -> Notebook:
    """The tags, notes and views of whoever is on the page."""
    return Notebook(Database(default_path()), current_owner())


def open_reviews() -> LabelReviews:
    """The reviewed labels of whoever is on the page."""
    return LabelReviews(Database(default_path()), current_owner())


def read(ask: Callable[[], Read], otherwise: Read) -> Read:
    """What the records say; `otherwise` where they cannot be read, which `draw_problem` then says."""
    try:
        return ask()
    except RecordsError as error:
        st.session_state[_PROBLEM] = str(error)
        return otherwise


def write(change: Callable[[], object]) -> bool:
    """Change the records; False where that was not possible: widgets then keep what was typed."""
    try:
        change()
    except RecordsError as error:
        st.session_state[_PROBLEM] = str(error)
        return False
    return True


def show(key: str, kept: object) -> None:
    """Let a widget show what the records hold, but not in the place of what could not be kept."""
    if not st.session_state.get(f"{key}_unkept"):
        st.session_state[key] = kept


def keep(key: str, change: Callable[[], object]) -> None:
    """Change the records after a widget; where that was not possible it goes on showing what the user chose."""
    st.session_state[f"{key}_unkept"] = not write(change)


def draw_problem() -> None:
    """What went wrong since it was said last; drawn where the records were to be shown."""
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(problem, icon=":material/lock:")
