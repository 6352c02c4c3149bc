"""The dataset folder that pages may use: a setting, optional everywhere, read once per server."""

import zlib
from pathlib import Path

import pandas as pd
import streamlit as st

from core.batch.sources import ROOT_VARIABLE, SourceError, allowed_root, resolve_below
from core.datasets.ham10000 import DatasetError, default_data_dir, read_mask
from core.datasets.layouts import read_dataset
from core.images.drawing import OUTLINE_COLOUR, draw_outlines, write_label
from core.images.preprocessing import limit_long_side, resize_mask
from core.images.reading import ImageError, read_image
from core.phantoms.dataset import is_drawn
from core.settings import DATA_VARIABLE
from core.systems.evaluations import WORK_DIR
from pages.components.shared.figures import to_data_url

FOLDER_KEY, SET_KEY = "dataset_folder", "dataset_set"
# Datasets that the app fetched or drew itself, each in a folder of its name.
STORE = WORK_DIR / "datasets"
DRAWN = "drawn"
_DOWNLOADS = "downloads.json"  # `training.data.download` writes it after each part
# Sub-folders that are datasets, in the order of the choice; the first that is there is the default.
SET_NAMES = {
    "ham10000": "HAM10000",
    "milk10k": "MILK10k",
    "isic2018_task1": "ISIC 2018 task 1",
    "isic2018_task3": "ISIC 2018 task 3",
    "isic2018_task3_val": "ISIC 2018 task 3, validation",
    "isic2019": "ISIC 2019",
    "isic2020": "ISIC 2020",
    "acral": "Acral lesions",
}


def list_sets() -> dict[str, Path]:
    """The datasets that this session may choose from, by name, the default first; "" is a folder without a name.

    Those below the typed folder or the one that the environment names, then those that the app fetched or drew.

    Raises:
        DatasetError: what was typed may not be read.
    """
    typed = str(st.session_state.get(FOLDER_KEY) or "").strip()
    root = resolve(typed) if typed else default_data_dir()
    found = (_sets_below(root) or {"": root}) if root else {}
    own = {name: path for name, path in _sets_below(STORE).items() if _has_pictures(path)}
    if is_drawn(STORE / DRAWN):
        own[DRAWN] = STORE / DRAWN
    return found | {name: path for name, path in own.items() if name not in found}


def _sets_below(root: Path) -> dict[str, Path]:
    return {name: root / name for name in SET_NAMES if (root / name).is_dir()}


def _has_pictures(root: Path) -> bool:
    """Whether a download has begun to unpack pictures: masks and tables come first."""
    return any(root.glob("*images*/*")) or any(root.glob("*_Input/*"))


def set_title(name: str) -> str:
    """A dataset of `list_sets` in words."""
    return {"": "Configured folder", DRAWN: "Drawn dataset"}.get(name) or SET_NAMES[name]


def current_set() -> str | None:
    """The name of the dataset in use: the chosen one, else the first; drawn pictures are used only if chosen.

    Raises:
        DatasetError: see `list_sets`.
    """
    sets = list_sets()
    chosen = st.session_state.get(SET_KEY)
    return chosen if chosen in sets else next((name for name in sets if name != DRAWN), None)


def folder() -> Path | None:
    """The folder of the dataset in use; None where there is none.

    Raises:
        DatasetError: what was typed may not be read.
    """
    name = current_set()
    return None if name is None else list_sets()[name]


def shows_drawn() -> bool:
    """Whether the pictures in use are drawn ones."""
    try:
        root = folder()
    except DatasetError:
        return False
    return root is not None and is_drawn(root)


def draw_drawn_label() -> None:
    """Say on a page that its pictures are drawn, where they are."""
    if shows_drawn():
        st.warning(
            "**Drawn pictures.** Each stands in for the HAM10000 image of that name: names, facts and stored "
            "predictions are those of the image, the picture is a drawing. Use them to learn the app, not about skin.",
            icon=":material/draw:",
        )


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
    """The dataset without files that links lead to, out of the root, the configured dataset and the app's own."""
    places = [place.resolve() for place in (allowed_root(), default_data_dir(), STORE) if place]

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
    return None if root is None else _read(str(root), str(allowed_root()), stamp(root))


def stamp(root: Path) -> int:
    """Changes when a download into the folder has another part ready."""
    return _changed_ns(root / _DOWNLOADS)


# A resource is shared, not copied: pages ask for it once for each picture they show.
@st.cache_resource(show_spinner="Reading the dataset's metadata …", ttl=600, max_entries=4)
def _read(root: str, allowed: str, changed_ns: int) -> pd.DataFrame:
    """`allowed` and `changed_ns` are parts of the key: what may be read and what is there depends on them."""
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
    return _thumbnail(str(path), _changed_ns(path), side_px, masked, shows_drawn())


def _changed_ns(path: Path) -> int:
    """When a file changed last; a picture that was replaced is read anew."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(max_entries=2000, show_spinner=False)
def _thumbnail(
    path: str, changed_ns: int, side_px: int, masked: tuple[str, int] | None, drawn: bool
) -> str | None:
    try:
        small = limit_long_side(read_image(path).pixels, side_px)
        if masked:
            mask = resize_mask(read_mask(masked[0]), small.shape[:2])
            small = draw_outlines(small, [(mask, OUTLINE_COLOUR)])
    except ImageError:
        return None
    return to_data_url(write_label(small, "drawn") if drawn else small)


def draw_missing(what: str) -> None:
    """Say what pictures would add here, and where to get them."""
    st.info(
        f"With the images, {what}. The Dataset page draws a practice dataset in seconds, downloads one from its "
        "official source, or takes a folder.",
        title="No pictures yet",
        icon=":material/hide_image:",
    )
    if st.button(
        "Get pictures", key=f"get_pictures_{zlib.crc32(what.encode())}", icon=":material/add_photo_alternate:"
    ):
        st.switch_page("pages/dataset.py")
