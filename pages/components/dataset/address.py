"""What the page shows, kept in its address: every run reads it there, every change is written there."""

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from core.datasets.facets import ADDRESS_KEYS, ORDERS, Explorer, Selection, from_address
from pages.components.notebook.panel import TAG

VIEWS = ("browse", "charts", "map", "checks")
VIEW_KEY = "dataset_view"
_LAST = "dataset_address"


@dataclass(frozen=True)
class State:
    """A view of a selection: what a link reopens.

    Attributes:
        view: one of `VIEWS`.
        selection: the filters.
        order: key of `ORDERS`.
        page: of the thumbnails, from 1.
        case: image id of the open case, "" for none.
        outlined: whether thumbnails carry the expert's outline.
    """

    view: str
    selection: Selection
    order: str
    page: int
    case: str
    outlined: bool


def read(explorer: Explorer) -> State:
    """The state in the address; what is wrong there counts as not given."""
    _restore()
    address = st.query_params
    page = address.get("page", "1")
    return State(
        view=_one_of(address.get("view", ""), VIEWS),
        selection=from_address(address.to_dict(), explorer.indices),
        order=_one_of(address.get("sort", ""), ORDERS),
        page=int(page) if page.isdecimal() and int(page) else 1,
        case=address.get("case", ""),
        outlined=address.get("outline") == "on",
    )


def write(**changes: str) -> None:
    """Change parts of the address; an empty string removes one."""
    address = st.query_params.to_dict() | changes
    address = {key: value for key, value in address.items() if value}
    st.query_params.from_dict(address)
    st.session_state[_LAST] = address


def refilter(**changes: str) -> None:
    """Change filters: back to the first page, no case open."""
    write(page="", case="", **changes)


def toggle(facet: str, option: str) -> None:
    """Choose an option of a facet, or take it back."""
    # From the address itself and not from what was drawn: clicks may come faster than the page is.
    chosen = [one for one in st.query_params.get(facet, "").split(",") if one]
    chosen = [one for one in chosen if one != option] if option in chosen else [*chosen, option]
    refilter(**{facet: ",".join(chosen)})


def clear_filters() -> None:
    """Show everything."""
    refilter(**dict.fromkeys((*ADDRESS_KEYS, TAG), ""))


def follow(key: str, wanted: object) -> None:
    """Make a widget show what the address says; it is left alone while it already does."""
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted


def _restore() -> None:
    """Coming back from another page, whose address knows nothing of this one: show what was left."""
    entered = VIEW_KEY not in st.session_state
    if entered and not st.query_params and st.session_state.get(_LAST):
        st.query_params.from_dict(st.session_state[_LAST])


def _one_of(value: str, allowed: Iterable[str]) -> str:
    allowed = list(allowed)
    return value if value in allowed else allowed[0]
