"""Any dataset folder -> the table that `core.datasets.ham10000.read_ham10000` gives, whatever its layout.

Understood are HAM10000, the ISIC challenges of 2018 (tasks 1 and 3) and 2019 as their archives unpack,
and one sub-folder a class. A fact that a layout does not record is empty (NaN) in the table.

Reference:
    ISIC 2018: Codella et al. (2019), arXiv:1902.03368; ISIC 2019: https://challenge.isic-archive.com/data/#2019.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.datasets.ham10000 import (
    DATA_VARIABLE,
    METADATA_COLUMNS,
    DatasetError,
    attach_files,
    read_ham10000,
    read_table,
)
from core.images.reading import ImageError, list_images
from core.taxonomy import DIAGNOSES, ISIC_CODES

# How ISIC 2018 words the confirmation that HAM10000 gives as a code.
CONFIRMATIONS = {
    "histopathology": "histo",
    "serial imaging showing no change": "follow_up",
    "single image expert consensus": "consensus",
    "confocal microscopy with consensus dermoscopy": "confocal",
}
# HAM10000 is the training set of ISIC 2018 task 3 under the same ids, so its masks fit there too.
MASK_PATTERNS = ("ISIC*_GroundTruth/*_segmentation.png", "HAM10000_segmentations_lesion_tschandl/*.png")
_TEXT_FACTS = ("dx", "dx_type", "sex", "localization")


@dataclass(frozen=True)
class Layout:
    """One way to lay a dataset out: how it is called, recognised and read."""

    name: str
    looked_for: str
    present: Callable[[Path], bool]
    read: Callable[[Path], pd.DataFrame]


def read_dataset(root: str | Path | None) -> pd.DataFrame:
    """Read the metadata of a dataset in any known layout and find its files.

    Args:
        root: the dataset's folder; None raises with how to set it.

    Returns:
        One row an image, sorted by image id: `METADATA_COLUMNS` (NaN where not known; `lesion_id` is
        then the image id), `image_path` and `mask_path` ("" where there is no file).
        `frame.attrs["layout"]` names the layout.

    Raises:
        DatasetError: no folder, no layout recognised (the message lists what was looked for), a column
            missing, or no image at all.
    """
    layout = find_layout(root)
    frame = layout.read(Path(root).expanduser())
    if not frame["image_path"].any():
        raise DatasetError(f"{root} looks like {layout.name} but holds no image. Unpack {layout.looked_for}.")
    frame.attrs["layout"] = layout.name
    return frame


def find_layout(root: str | Path | None) -> Layout:
    """The layout of a dataset's folder.

    Raises:
        DatasetError: no folder, or none of the layouts.
    """
    if root is None:
        raise DatasetError(f"No dataset folder is set. Give --data DIR or set {DATA_VARIABLE}.")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise DatasetError(f"No folder at {folder}. Check the path and its spelling.")
    try:
        for layout in LAYOUTS:
            if layout.present(folder):
                return layout
    except OSError as error:
        raise DatasetError(f"{folder} could not be read: {error.strerror}. Check its rights.") from error
    wanted = "; ".join(f"{layout.name}: {layout.looked_for}" for layout in LAYOUTS)
    raise DatasetError(f"No dataset is recognised in {folder}. Looked for {wanted}.")


# --- the ISIC challenges ----------------------------------------------------------------------------
def _read_isic2018_task3(root: Path) -> pd.DataFrame:
    frame = _read_one_hot(root, "ISIC2018_Task3_*_GroundTruth.csv")
    groups = _read_tables(root, "ISIC2018_Task3_*_LesionGroupings.csv")
    if groups is not None:
        _require(groups, ("image", "lesion_id", "diagnosis_confirm_type"), "The lesion groupings")
        words = groups["diagnosis_confirm_type"]
        groups = groups.assign(dx_type=words.map(CONFIRMATIONS).fillna(words))
        frame = _join(frame, groups[["image", "lesion_id", "dx_type"]])
    return _finish(frame, root, "ISIC2018_Task3_*_Input/*.jpg")


def _read_isic2019(root: Path) -> pd.DataFrame:
    frame = _read_one_hot(root, "ISIC_2019_*_GroundTruth.csv")
    facts = _read_tables(root, "ISIC_2019_*_Metadata.csv")
    if facts is not None:
        named = {"age_approx": "age", "sex": "sex", "anatom_site_general": "localization"}
        facts = facts.rename(columns=named)
        _require(facts, ("image", *named.values()), "The metadata")
        columns = ["image", *named.values(), *(["lesion_id"] if "lesion_id" in facts else [])]
        frame = _join(frame, facts[columns])
    return _finish(frame, root, "ISIC_2019_*_Input/*.jpg")


def _read_isic2018_task1(root: Path) -> pd.DataFrame:
    pattern = "ISIC2018_Task1-2_*_Input/*.jpg"
    identifiers = sorted(path.stem for path in root.glob(pattern))
    return _finish(pd.DataFrame({"image_id": identifiers}, dtype="str"), root, pattern)


def _read_one_hot(root: Path, pattern: str) -> pd.DataFrame:
    """`image_id` and `dx` from the challenge's ground truth: a column a class, 1 for the right one."""
    table = _read_tables(root, pattern)
    _require(table, ("image",), "The ground truth")
    chosen = table.drop(columns="image").apply(pd.to_numeric, errors="coerce") == 1
    if not len(chosen.columns):
        raise DatasetError(f"The ground truth {pattern} has no class column beside `image`.")
    codes = [ISIC_CODES.get(column.lower(), column.lower()) for column in chosen.columns]
    numbers = chosen.to_numpy().argmax(axis=1)
    labels = [codes[k] if n == 1 else None for k, n in zip(numbers, chosen.sum(axis=1), strict=True)]
    return pd.DataFrame({"image_id": table["image"].astype("str"), "dx": pd.array(labels, dtype="str")})


def _read_tables(root: Path, pattern: str) -> pd.DataFrame | None:
    """All tables of that name in the folder or one below, stacked; a name that is there twice counts once."""
    files = {path.name: path for path in [*root.glob(f"*/{pattern}"), *root.glob(pattern)] if path.is_file()}
    return pd.concat(map(read_table, files.values()), ignore_index=True) if files else None


def _require(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        raise DatasetError(f"{what} lacks the column(s) {', '.join(missing)}. Unpack the release's own file.")


def _join(frame: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Add facts by image; an image that is listed twice keeps its first facts."""
    facts = facts.rename(columns={"image": "image_id"}).drop_duplicates("image_id")
    return frame.merge(facts, on="image_id", how="left")


# --- one folder a class -----------------------------------------------------------------------------
def _read_folders(root: Path) -> pd.DataFrame:
    """The folder's name is the label, known to the taxonomy or not: the checks name those that are not."""
    rows = [
        (path.stem, folder.name.strip().lower(), str(path))
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
        for path in _images_below(folder)
    ]
    frame = pd.DataFrame(rows, columns=["image_id", "dx", "image_path"])
    return _complete(frame).assign(mask_path="").sort_values("image_id", ignore_index=True)


def _images_below(folder: Path) -> list[Path]:
    with suppress(ImageError):
        return list_images(folder)
    return []


def _has_class_folder(root: Path) -> bool:
    return any(
        folder.is_dir() and folder.name.strip().lower() in DIAGNOSES and _images_below(folder)
        for folder in root.iterdir()
    )


# --- shared -----------------------------------------------------------------------------------------
def _finish(frame: pd.DataFrame, root: Path, images: str) -> pd.DataFrame:
    masks = (path for pattern in MASK_PATTERNS for path in root.glob(pattern))
    frame = _complete(frame).sort_values("image_id", ignore_index=True)
    return attach_files(frame, root.glob(images), masks)


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Every column of `METADATA_COLUMNS`, in their order, then the paths that are there."""
    frame = frame.copy()
    if "lesion_id" not in frame:
        frame["lesion_id"] = frame["image_id"]
    frame["lesion_id"] = frame["lesion_id"].fillna(frame["image_id"]).astype("str")
    for column in _TEXT_FACTS:
        frame[column] = frame[column].astype("str") if column in frame else pd.Series(dtype="str")
    frame["age"] = pd.to_numeric(frame["age"], errors="coerce") if "age" in frame else float("nan")
    return frame[[*METADATA_COLUMNS, *(["image_path"] if "image_path" in frame else [])]]


def _any(*patterns: str) -> Callable[[Path], bool]:
    """Whether each of the patterns matches something in a folder or one below it."""
    return lambda root: all(any(root.glob(p)) or any(root.glob(f"*/{p}")) for p in patterns)


LAYOUTS = (
    Layout(
        "HAM10000",
        "HAM10000_metadata.csv with HAM10000_images_part_*/",
        lambda root: any((root / f"HAM10000_metadata{end}").is_file() for end in (".csv", "")),
        read_ham10000,
    ),
    Layout(
        "ISIC 2018 task 3",
        "ISIC2018_Task3_*_GroundTruth.csv with ISIC2018_Task3_*_Input/",
        _any("ISIC2018_Task3_*_GroundTruth.csv"),
        _read_isic2018_task3,
    ),
    Layout(
        "ISIC 2019",
        "ISIC_2019_*_GroundTruth.csv with ISIC_2019_*_Input/",
        _any("ISIC_2019_*_GroundTruth.csv"),
        _read_isic2019,
    ),
    Layout(
        "ISIC 2018 task 1",
        "ISIC2018_Task1-2_*_Input/ (and ISIC2018_Task1_*_GroundTruth/)",
        lambda root: any(root.glob("ISIC2018_Task1-2_*_Input/*.jpg")),
        _read_isic2018_task1,
    ),
    Layout(
        "folder per class",
        f"sub-folders of images named by class codes ({', '.join(DIAGNOSES)})",
        _has_class_folder,
        _read_folders,
    ),
)
