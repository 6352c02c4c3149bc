"""Tags and views: show only the images with a tag; keep what the page shows under a name, open it again, delete it."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from core.records.notebook import MAX_NAME, ImageKey, View, identify
from pages.components.notebook import store, visitor
from pages.components.shared.notices import escape

TAG = "tag"  # in the address
_SHOWN_TAG, _NAME = "notebook_shown_tag", "notebook_view_name"


def draw_panel(page: str, on_filter: Callable[[str], None]) -> None:
    """The button in a page's toolbar.

    Args:
        page: its path in the address, e.g. "dataset".
        on_filter: takes the tag whose images are to be shown, "" for all; it writes the address.
    """
    notebook = store.open_notebook()
    tags, views = store.read(lambda: (notebook.list_tags(), notebook.list_views()), ({}, []))
    with st.popover("Tags and views", icon=":material/bookmarks:", key="notebook", width="content"):
        _draw_filter(tags, on_filter)
        _draw_views([view for view in views if view.page == page])
        _draw_save(page)
        whose = "your account" if visitor.current_user() else "this browser"
        st.caption(
            f"Tags, notes and views are kept on this server and shown to {whose} alone. A view "
            "opens in a new tab."
        )
    visitor.remember()
    store.draw_problem()


def shown_tag() -> str:
    """The tag in the address whose images alone are shown; "" for all images."""
    return st.query_params.get(TAG, "")


def draw_chip(count: int, on_filter: Callable[[str], None]) -> None:
    """Say that only tagged images are shown; a click shows all again."""
    if tag := shown_tag():
        st.button(
            f"Tag: {escape(tag)} ({count:,})",
            key="chip_tag",
            icon=":material/close:",
            help="Show all images again",
            on_click=on_filter,
            args=("",),
        )


def find_tagged(names: Sequence[str], source: str) -> np.ndarray:
    """(N,) bool: the images that have the tag in the address; all of them where it names none."""
    tag = shown_tag()
    if not tag:
        return np.ones(len(names), bool)
    images: set[ImageKey] = store.read(lambda: store.open_notebook().find_tagged(tag), set())
    own = [image.name for image in images if identify(image.name, source) == image]
    return np.isin(np.asarray(names, object).astype(str), own)


def _draw_filter(tags: dict[str, int], on_filter: Callable[[str], None]) -> None:
    if not tags:
        st.caption("No tags yet: open an image, or select a group, and give it one.")
        return
    shown = shown_tag()
    st.session_state[_SHOWN_TAG] = shown if shown in tags else None
    st.selectbox(
        "Show only images with the tag",
        list(tags),
        format_func=lambda tag: f"{tag} ({tags.get(tag, 0):,})",
        index=None,
        key=_SHOWN_TAG,
        placeholder="all images",
        on_change=lambda: on_filter(st.session_state[_SHOWN_TAG] or ""),
    )


def _draw_views(views: list[View]) -> None:
    st.markdown("**Saved views of this page**" if views else "**No saved views of this page**")
    for view in views:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"view_{view.id}"):
            # A link and no change of page: what is chosen and not in the link would stay as it is.
            st.link_button(escape(view.name), f"{view.page}?{view.query}", width="stretch")
            st.button(
                "Delete",
                key=f"view_delete_{view.id}",
                icon=":material/delete:",
                type="tertiary",
                on_click=store.write,
                args=(lambda name=view.name: store.open_notebook().delete_view(name),),
            )


def _draw_save(page: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Name of a view",
            key=_NAME,
            max_chars=MAX_NAME,
            placeholder="Name what you see now",
            label_visibility="collapsed",
            width="stretch",
        )
        st.button("Save view", key="view_save", on_click=_save, args=(page,))


def _save(page: str) -> None:
    name, query = st.session_state[_NAME], urlencode(st.query_params.to_dict())
    if store.write(lambda: store.open_notebook().save_view(name, page, query)):
        st.session_state[_NAME] = ""
