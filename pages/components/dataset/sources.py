"""Where the pictures come from: drawn on the spot, downloaded from an official source, or a folder of the server."""

import os
import shutil
from pathlib import Path

import streamlit as st

from core.batch.sources import ROOT_VARIABLE
from core.datasets.drawn import choose_rows
from core.evaluation.mistakes import first_to_look_at
from core.phantoms.dataset import is_drawn, write_dataset
from core.settings import DATA_VARIABLE
from core.systems.evaluations import list_evaluations
from pages.components.dataset import address, downloads
from pages.components.dataset.context import RUN
from pages.components.shared import dataset_folder as dataset
from training.data.download import SOURCES

# "off" where visitors must not fill the server's disk.
DOWNLOADS_VARIABLE = "DERMALENS_DOWNLOADS"
_SOURCE_KEY = "download_source"


def draw() -> None:
    """The three ways, side by side."""
    with st.grid(3, min_column_width=270, key="picture_sources"):
        with st.container(border=True, gap="small"):
            _draw_drawn()
        with st.container(border=True, gap="small"):
            _draw_download()
        with st.container(border=True, gap="small"):
            _draw_folder()


def draw_choice() -> None:
    """Which of the datasets at hand is shown, where there are several."""
    names = list(dataset.list_sets())
    if len(names) > 1 and (current := dataset.current_set()) is not None:
        address.follow(dataset.SET_KEY, current)
        st.selectbox(
            "Dataset",
            names,
            format_func=dataset.set_title,
            key=dataset.SET_KEY,
            persist_state="session",
            label_visibility="collapsed",
            width=200,
        )


# --- drawn ------------------------------------------------------------------------------------------
def _draw_drawn() -> None:
    st.markdown("**:material/draw: Drawn dataset**")
    st.caption(
        "280 drawn lesions with exact outlines, forty of each class, in HAM10000's layout: every view can be tried, "
        "offline. None is a patient's image, and each says so. Takes some seconds, once."
    )
    if dataset.shows_drawn():
        if st.button("Stop using drawn pictures", key="leave_drawn", width="stretch"):
            _choose("")
    elif st.button("Use drawn pictures", key="draw_dataset", type="primary", width="stretch"):
        root = dataset.STORE / dataset.DRAWN
        try:
            if not is_drawn(root):
                _draw_all(root)
        except OSError as error:
            st.error(
                f"The pictures could not be written to {root}: {error.strerror}. Set DERMALENS_WORK to a folder."
            )
            return
        _choose(dataset.DRAWN)


def _draw_all(root: Path) -> None:
    bar = st.progress(0.0, text="Drawing …")
    write_dataset(
        root,
        choose_rows(_first_to_look_at()),
        on_drawn=lambda done, total: bar.progress(done / total, text=f"Drawing … {done} of {total}"),
    )


def _first_to_look_at() -> list[str]:
    """What Evaluate shows first among the errors of the shipped system: these images get a picture."""
    shipped = [one for one in list_evaluations() if one.run == RUN]
    return [name for one in shipped for name in first_to_look_at(one.read_predictions())]


def _choose(name: str) -> None:
    """Show this dataset from the next run on, whatever folder was typed."""
    st.session_state[f"{dataset.SET_KEY}_next"] = name
    st.rerun()


def take_choice() -> None:
    """Follow a button of the run before; called before any widget is drawn."""
    name = st.session_state.pop(f"{dataset.SET_KEY}_next", None)
    if name is not None:
        st.session_state[dataset.FOLDER_KEY] = ""
        st.session_state[dataset.SET_KEY] = name


# --- download ---------------------------------------------------------------------------------------
def _draw_download() -> None:
    st.markdown("**:material/download: Download from the official source**")
    name = st.selectbox(
        "Dataset to download",
        list(SOURCES),
        format_func=lambda name: SOURCES[name].name,
        key=_SOURCE_KEY,
        label_visibility="collapsed",
    )
    source = SOURCES[name]
    st.caption(f"{source.title}. [Official page]({source.page})")
    st.caption(f"{source.licence.splitlines()[0]} {_space(source.size_gb)}")
    if os.environ.get(DOWNLOADS_VARIABLE, "").lower() == "off":
        st.caption(f":material/block: This server allows no downloads ({DOWNLOADS_VARIABLE}=off).")
        return
    with st.expander("Please cite"):
        st.caption(source.citation)
    status = downloads.read(name)
    st.button(
        downloads.verb(source.name, status),
        key="download_start",
        width="stretch",
        disabled=not downloads.can_start(status),
        on_click=downloads.start,
        args=(name,),
        help="By downloading you accept the licence. The download goes on when you close the page.",
    )


def _space(size_gb: float) -> str:
    place = next(p for p in (dataset.STORE, *dataset.STORE.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free / 1e9
    needed = 2 * size_gb + 0.2
    short = "" if free > needed else " **Too little.**"
    return f"Needs {needed:.1f} GB while it unpacks; {free:,.0f} GB are free on this server.{short}"


# --- folder -----------------------------------------------------------------------------------------
def _draw_folder() -> None:
    st.markdown("**:material/folder_open: Folder on this server**")
    st.text_input(
        "Folder on this server",
        placeholder=dataset.describe_place(),
        key=dataset.FOLDER_KEY,
        persist_state="session",
        label_visibility="collapsed",
        help=f"Below the folder that this server lets visitors read ({ROOT_VARIABLE}, else {DATA_VARIABLE}); for this "
        "session.",
    )
    st.caption(
        "HAM10000, MILK10k, ISIC 2018, 2019 and 2020, pictures with a table, one folder a class, or a folder that "
        "holds several of these."
    )
    frame = dataset.read_frame()
    if frame is not None:
        st.caption(f"In use: {len(frame):,} images in `{dataset.folder()}`.")
