"""Tags and a note on one image, and tags for a group of images."""

from collections.abc import Sequence

import streamlit as st

from core.records.notebook import MAX_NAME, MAX_NOTE, ImageKey, identify
from pages.components.notebook import store


def draw_image(image: ImageKey, key: str) -> None:
    """Tags and note of an image, kept as soon as they are changed.

    Args:
        image: what they belong to.
        key: of the widgets.
    """
    notebook = store.open_notebook()
    known, own, note = store.read(
        lambda: ([*notebook.list_tags()], notebook.tags_of(image), notebook.read_note(image)), ([], [], "")
    )
    # Of their own for each image: what was typed and could not be kept stays with its image.
    tags_key, note_key = f"{key}_tags_{image.name}", f"{key}_note_{image.name}"
    store.show(tags_key, own)
    store.show(note_key, note)
    st.multiselect(
        "Your tags",
        sorted({*known, *own, *st.session_state[tags_key]}),
        key=tags_key,
        accept_new_options=True,
        placeholder="Choose or type a tag",
        on_change=store.keep,
        args=(tags_key, lambda: _retag(image, tags_key)),
    )
    st.text_area(
        "Your note",
        key=note_key,
        max_chars=MAX_NOTE,
        height=80,
        on_change=store.keep,
        args=(note_key, lambda: store.open_notebook().write_note(image, st.session_state[note_key])),
    )
    store.draw_problem()


def _retag(image: ImageKey, key: str) -> None:
    notebook, wanted = store.open_notebook(), {tag.strip() for tag in st.session_state[key]}
    own = set(notebook.tags_of(image))
    for tag in own - wanted:
        notebook.untag([image], tag)
    for tag in wanted - own:
        notebook.tag([image], tag)


def draw_group(names: Sequence[str], source: str, key: str) -> None:
    """A button that gives a group of images a tag, or takes it from them.

    Args:
        names: ids of the images.
        source: what the ids are unique in.
        key: of the widgets.
    """
    count = len(names)
    what = "Tag this image" if count == 1 else f"Tag these {count:,}"
    with st.popover(what, icon=":material/sell:", key=f"{key}_popover", width="content"):
        known = store.read(lambda: [*store.open_notebook().list_tags()], [])
        tag = st.selectbox(
            "Tag",
            known,
            index=None,
            key=f"{key}_tag",
            accept_new_options=True,
            placeholder="Choose or type a tag",
        )
        with st.container(horizontal=True, gap="small"):
            for label, act in (("Tag", _tag), ("Remove tag", _untag)):
                st.button(
                    label,
                    key=f"{key}_{act.__name__}",
                    type="primary" if act is _tag else "secondary",
                    disabled=not tag or not count,
                    on_click=act,
                    args=(names, source, str(tag)[:MAX_NAME]),
                )
        store.draw_problem()


def _tag(names: Sequence[str], source: str, tag: str) -> None:
    new = []
    if store.write(lambda: new.append(store.open_notebook().tag(_identify(names, source), tag))):
        st.toast(f"Tagged “{tag}”: {new[0]:,} new", icon=":material/sell:")


def _untag(names: Sequence[str], source: str, tag: str) -> None:
    if store.write(lambda: store.open_notebook().untag(_identify(names, source), tag)):
        st.toast(f"Removed “{tag}”", icon=":material/sell:")


def _identify(names: Sequence[str], source: str) -> list[ImageKey]:
    return [identify(name, source) for name in names]
