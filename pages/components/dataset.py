"""The dataset folder that pages may use: a setting, optional everywhere, read once per server."""

from pathlib import Path

import pandas as pd
import streamlit as st

from core.dataset import DATA_VARIABLE, DatasetError, default_data_dir, read_ham10000
from core.image_io import ImageError, read_image
from pages.components.figures import thumbnail

FOLDER_KEY = "dataset_folder"


def folder() -> Path | None:
    """The folder typed in this session, else the one named by the environment."""
    typed = str(st.session_state.get(FOLDER_KEY) or "").strip()
    return Path(typed).expanduser() if typed else default_data_dir()


def read_frame() -> pd.DataFrame | None:
    """Rows of the dataset, indexed by image id; None where there is no usable dataset."""
    root = folder()
    if root is None:
        return None
    try:
        return _read(str(root))
    except DatasetError:
        return None


@st.cache_data(show_spinner="Reading the dataset's metadata …", ttl=600)
def _read(root: str) -> pd.DataFrame:
    return read_ham10000(root).set_index("image_id", drop=False)


def image_path(image_id: str) -> Path | None:
    """Where an image lies on disk, if the dataset is there and has it."""
    frame = read_frame()
    if frame is None or image_id not in frame.index or not frame.at[image_id, "image_path"]:
        return None
    return Path(frame.at[image_id, "image_path"])


def image_thumbnail(image_id: str, side_px: int = 200) -> str | None:
    """A small picture of a dataset image as a data URL, or None."""
    path = image_path(image_id)
    return None if path is None else _thumbnail(str(path), side_px)


@st.cache_data(max_entries=2000, show_spinner=False)
def _thumbnail(path: str, side_px: int) -> str | None:
    try:
        return thumbnail(read_image(path).pixels, side_px)
    except ImageError:
        return None


def draw_missing(what: str) -> None:
    """Say what the dataset would add here, and how to get it."""
    st.info(
        f"With the HAM10000 images at hand, {what}. Set `{DATA_VARIABLE}` or type the folder on the Dataset "
        "page; `python -m training.download ham10000 --to DIR` fetches it from the official source.",
        title="No dataset folder is set",
        icon=":material/folder_off:",
    )
