"""The filters in the sidebar, with how many images each choice would leave, and the chips of those set."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.datasets.catalogue import AGE_BAND_YEARS
from core.datasets.facets import FACETS, Explorer, Facet, Selection, option_label
from pages.components.dataset import address
from pages.components.shared.notices import escape

OPEN_FACETS = ("class", "answer", "split", "sex")
_SEARCH_KEY, _AGE_KEY = "facet_search", "facet_age"
_OLDEST = 90


def draw_facets(explorer: Explorer, selection: Selection) -> None:
    """All filters."""
    counts = explorer.count(selection)
    with st.sidebar:
        _draw_search(selection)
        for facet in FACETS:
            if len(counts[facet.name]) < 2 and facet.name not in selection.values:
                continue  # one value for all images: nothing to choose
            open_ = facet.name in OPEN_FACETS or facet.name in selection.values
            with st.expander(facet.label, expanded=open_, type="compact"):
                _draw_facet(facet, counts[facet.name], selection)
        _draw_age(selection)


def _draw_facet(facet: Facet, counts: dict[str, int], selection: Selection) -> None:
    """A tick box an option: its answer stays right while the counts in the labels change."""
    chosen = selection.values.get(facet.name, ())
    with st.container(gap=None):
        for option, count in counts.items():
            key = f"facet_{facet.name}_{option}"
            address.follow(key, option in chosen)
            st.checkbox(
                f"{escape(option_label(facet.name, option))} ({count:,})",
                key=key,
                disabled=not count and option not in chosen,
                on_change=address.toggle,
                args=(facet.name, option),
            )


def _draw_search(selection: Selection) -> None:
    address.follow(_SEARCH_KEY, selection.text)
    st.text_input(
        "Search",
        placeholder="Image or lesion id",
        icon=":material/search:",
        key=_SEARCH_KEY,
        label_visibility="collapsed",
        on_change=lambda: address.refilter(q=st.session_state[_SEARCH_KEY].strip()),
    )


def _draw_age(selection: Selection) -> None:
    low, high = selection.age or (0, _OLDEST)
    address.follow(_AGE_KEY, (min(low, _OLDEST), min(high, _OLDEST)))
    st.slider("Age in years", 0, _OLDEST, step=AGE_BAND_YEARS // 2, key=_AGE_KEY, on_change=_take_age)


def _take_age() -> None:
    low, high = st.session_state[_AGE_KEY]
    address.refilter(age="" if (low, high) == (0, _OLDEST) else f"{low}-{high}")


def draw_chips(selection: Selection) -> None:
    """A button for each filter that is set, which removes it, and one for all."""
    if selection.is_empty:
        return
    with st.container(horizontal=True, gap="xsmall", key="chips"):
        for name, label, remove in _chips(selection):
            st.button(
                label, key=f"chip_{name}", icon=":material/close:", on_click=remove, help="Remove this filter"
            )
        st.button(
            "Clear all",
            key="clear_filters",
            type="tertiary",
            on_click=address.clear_filters,
        )


def _chips(selection: Selection) -> list[tuple[str, str, Callable[[], None]]]:
    """Key, label and what removes it, of every filter that is set."""
    chips = [
        (
            f"{facet.name}_{option}",
            f"{facet.label}: {option_label(facet.name, option)}",
            partial(address.toggle, facet.name, option),
        )
        for facet in FACETS
        for option in selection.values.get(facet.name, ())
    ]
    if selection.age:
        chips.append(("age", "Age: {}–{}".format(*selection.age), partial(address.refilter, age="")))
    if selection.text:
        chips.append(("text", f"Id: {selection.text}", partial(address.refilter, q="")))
    return [(key, escape(label), remove) for key, label, remove in chips]
