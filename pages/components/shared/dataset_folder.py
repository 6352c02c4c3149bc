"""The dataset folder that pages may use: a setting, optional everywhere, read once per server."""

from pathlib import Path

import pandas as pd
import streamlit as st

from core.batch.sources import ROOT_VARIABLE, SourceError, allowed_root, resolve_below
from core.datasets.ham10000 import DatasetError, default_data_dir, read_mask
from core.datasets.layouts import read_dataset
from core.images.drawing import OUTLINE_COLOUR, draw_outlines
from core.images.preprocessing import limit_long_side, resize_mask
from core.images.reading import ImageError, read_image
from core.settings import DATA_VARIABLE
from pages.components.shared.figures import to_data_url

FOLDER_KEY = "dataset_folder"


def folder() -> Path | None:
    """The folder typed in this session, else the one named by the environment.

    Raises:
        DatasetError: what was typed may not be read.
    """
    typed = str(st.session_state.get(FOLDER_KEY) or "").strip()
    return resolve(typed) if typed else default_data_dir()


def resolve(typed: str) -> Path:
    """A folder that a visitor typed: below the root that pages may read from, as for batches.

    Raises:
        DatasetError: outside of it, no folder, or no root is set.
    """
    root = allowed_root()
    if root is None:
        raise DatasetError(
            f"This server reads no folder that visitors name. Whoever runs it can set {ROOT_VARIABLE} to a folder "
            f"that they may read from, or {DATA_VARIABLE} to the dataset."
        )
    try:
        return resolve_below(root, str(Path(typed).expanduser()))
    except (SourceError, RuntimeError) as error:  # no such home folder is a RuntimeError
        raise DatasetError(str(error)) from error


def confine(frame: pd.DataFrame) -> pd.DataFrame:
    """The dataset without files that links lead to, out of the root and of the configured dataset."""
    places = [place.resolve() for place in (allowed_root(), default_data_dir()) if place]

    def keep(path: str) -> str:
        return path if any(Path(path).resolve().is_relative_to(place) for place in places) else ""

    kept = {name: [path and keep(path) for path in frame[name]] for name in ("image_path", "mask_path")}
    confined = frame.assign(**kept)
    confined.attrs = frame.attrs
    return confined


def describe_place() -> str:
    """An example for a folder's field: where visitors may read from."""
    return str(default_data_dir() or allowed_root() or "/path/to/ham10000")


def read_frame() -> pd.DataFrame | None:
    """Rows of the dataset, indexed by image id, not to be changed; None where there is no usable dataset."""
    try:
        return read_folder()
    except DatasetError:
        return None


def read_folder() -> pd.DataFrame | None:
    """The same, but a folder that is set and cannot be used says why; None where none is set.

    Raises:
        DatasetError: no folder there, or no known layout in it.
    """
    root = folder()
    return None if root is None else _read(str(root), str(allowed_root()))


# A resource is shared, not copied: pages ask for it once for each picture they show.
@st.cache_resource(show_spinner="Reading the dataset's metadata …", ttl=600, max_entries=4)
def _read(root: str, allowed: str) -> pd.DataFrame:
    """`allowed` is part of the key: what may be read depends on it."""
    return confine(read_dataset(root)).drop_duplicates("image_id").set_index("image_id", drop=False)


def image_path(image_id: str) -> Path | None:
    """Where an image lies on disk, if the dataset is there and has it."""
    frame = read_frame()
    if frame is None or image_id not in frame.index or not frame.at[image_id, "image_path"]:
        return None
    return Path(frame.at[image_id, "image_path"])


def image_thumbnail(image_id: str, side_px: int = 200, outlined: bool = False) -> str | None:
    """A small picture of a dataset image as a data URL, with the expert's outline if asked for, or None."""
    path = image_path(image_id)
    if path is None:
        return None
    mask = read_frame().at[image_id, "mask_path"] if outlined else ""
    return thumbnail(path, side_px, Path(mask) if mask else None)


def thumbnail(path: Path, side_px: int = 200, mask_path: Path | None = None) -> str | None:
    """A small picture of an image file as a data URL, with the outline of a mask file; None if unreadable."""
    masked = (str(mask_path), _changed_ns(mask_path)) if mask_path else None
    return _thumbnail(str(path), _changed_ns(path), side_px, masked)


def _changed_ns(path: Path) -> int:
    """When a file changed last; a picture that was replaced is read anew."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(max_entries=2000, show_spinner=False)
def _thumbnail(path: str, changed_ns: int, side_px: int, masked: tuple[str, int] | None) -> str | None:
    try:
        small = limit_long_side(read_image(path).pixels, side_px)
        if masked:
            mask = resize_mask(read_mask(masked[0]), small.shape[:2])
            small = draw_outlines(small, [(mask, OUTLINE_COLOUR)])
    except ImageError:
        return None
    return to_data_url(small)


def draw_folder() -> None:
    """The field for the folder, and what is in use."""
    st.text_input(
        "Folder on this server",
        placeholder=describe_place(),
        key=FOLDER_KEY,
        persist_state="session",
        help=f"Below the folder that this server lets visitors read ({ROOT_VARIABLE}, else {DATA_VARIABLE}); for this "
        "session. HAM10000, ISIC 2018, ISIC 2019 or one folder a class.",
    )
    frame = read_frame()
    if frame is not None:
        st.caption(f"In use: {len(frame):,} images in `{folder()}`.")
    else:
        st.caption(
            "None in use. `python -m training.data.download ham10000 --to DIR` fetches HAM10000 from the official source."
        )


def draw_missing(what: str) -> None:
    """Say what the dataset would add here, and how to get it."""
    st.info(
        f"With the HAM10000 images, {what}. Set `{DATA_VARIABLE}` or type the folder on the Dataset "
        "page; `python -m training.data.download ham10000 --to DIR` fetches it from the official source.",
        title="No dataset folder is set",
        icon=":material/folder_off:",
    )
