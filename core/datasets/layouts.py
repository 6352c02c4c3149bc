"""Any dataset folder -> one table of `core.datasets.frame`, whatever its layout.

Understood are HAM10000, MILK10k, the ISIC challenges of 2018 (tasks 1 and 3), 2019 and 2020, downloads of the
ISIC Archive, a folder of pictures with a table of labels, and one sub-folder a class. Folders may be nested
and pictures of any format; a fact that a layout does not record is NaN.

Reference:
    ISIC 2018: Codella et al. (2019), arXiv:1902.03368; ISIC 2019 and 2020: https://challenge.isic-archive.com/data;
    MILK10k: https://doi.org/10.34970/648456.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.datasets.challenges import (
    ISIC2019_TRUTH,
    MILK10K_FACTS,
    MILK10K_TRUTH,
    TASK1_IMAGES,
    TASK3_TRUTH,
    read_isic2019,
    read_milk10k,
    read_task1,
    read_task3,
)
from core.datasets.files import DatasetFiles, labels_from_folders, scan_files
from core.datasets.frame import (
    DatasetError,
    build_frame,
    complete,
    find_masks,
    unique_ids,
)
from core.datasets.ham10000 import HAM10000_TABLE, read_ham10000_files
from core.settings import DATA_VARIABLE
from core.tables.columns import ID_NAMES, LABEL_NAMES, find_column
from core.taxonomy import DIAGNOSES, read_code


@dataclass(frozen=True)
class Layout:
    """One way to lay a dataset out: how it is called, recognised and read."""

    name: str
    looked_for: str
    present: Callable[[DatasetFiles], bool]
    read: Callable[[DatasetFiles], pd.DataFrame]


def read_dataset(root: str | Path | None) -> pd.DataFrame:
    """Read the metadata of a dataset in any known layout and find its files.

    Args:
        root: the dataset's folder; None raises with how to set it.

    Returns:
        One row an image, sorted by image id: `METADATA_COLUMNS` (NaN where not known; `lesion_id` is
        then the image id), further facts and dermoscopic structures where the dataset records them,
        `image_path` and `mask_path` ("" where there is no file). `frame.attrs` has the `layout`'s name
        and `left_alone`, the files that are neither, by kind.

    Raises:
        DatasetError: no folder, no layout recognised (the message lists what was looked for), a column
            missing, or no image at all.
    """
    files, layout = _recognise(root)
    frame = layout.read(files)
    if not frame["image_path"].any():
        raise DatasetError(f"{root} looks like {layout.name} but holds no image. Unpack {layout.looked_for}.")
    frame.attrs |= {"layout": layout.name, "left_alone": files.left_alone}
    return frame


def find_layout(root: str | Path | None) -> Layout:
    """The layout of a dataset's folder.

    Raises:
        DatasetError: no folder, or none of the layouts.
    """
    return _recognise(root)[1]


def _recognise(root: str | Path | None) -> tuple[DatasetFiles, Layout]:
    if root is None:
        raise DatasetError(f"No dataset folder is set. Give --data DIR or set {DATA_VARIABLE}.")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise DatasetError(f"No folder at {folder}. Check the path and its spelling.")
    try:
        files = scan_files(folder)
    except OSError as error:
        raise DatasetError(f"{folder} could not be read: {error.strerror}. Check its rights.") from error
    for layout in LAYOUTS:
        if layout.present(files):
            return files, layout
    wanted = "; ".join(f"{layout.name}: {layout.looked_for}" for layout in LAYOUTS)
    raise DatasetError(f"No dataset is recognised in {folder}. Looked for {wanted}.")


# --- pictures and one table of labels ---------------------------------------------------------------
def _labels_table(files: DatasetFiles) -> Path | None:
    """The table that names pictures and diagnoses: `labels` or `metadata` before others, the least deep first."""
    first = {"labels": 0, "metadata": 1}
    names = sorted(files.tables, key=lambda path: (first.get(path.stem.lower(), 2), len(path.parts), path))
    return next((path for path in names if files.images and _is_labels(path, files)), None)


def _is_labels(path: Path, files: DatasetFiles) -> bool:
    try:
        table = files.read(path)
    except DatasetError:
        return False
    columns = [read_code(column) for column in table.columns]
    predicted = any(column.startswith("p_") and column[2:] in DIAGNOSES for column in table.columns)
    labelled = any(name in table for name in LABEL_NAMES) or any(code in DIAGNOSES for code in columns)
    return len(table) > 0 and any(name in table for name in ID_NAMES) and labelled and not predicted


def _read_labelled(files: DatasetFiles) -> pd.DataFrame:
    path = _labels_table(files)
    return build_frame(files.read(path), files, path.name)


def _has_labels(name: str = "", heading: str = "") -> Callable[[DatasetFiles], bool]:
    """Whether there is a table of labels, with that in its name and that heading."""

    def present(files: DatasetFiles) -> bool:
        path = _labels_table(files)
        named = path is not None and re.search(name, path.stem, re.IGNORECASE)
        return bool(named and (not heading or find_column(files.read(path), [heading])))

    return present


# --- one folder a class -----------------------------------------------------------------------------
def _read_folders(files: DatasetFiles) -> pd.DataFrame:
    """The nearest folder that is named like a class is the label; other folders are named by the checks."""
    paths = [path.relative_to(files.root) for path in files.images]
    images = [str(path) for path in files.images]
    frame = pd.DataFrame(
        {
            "image_id": unique_ids([path.as_posix() for path in paths]),
            "dx": labels_from_folders(files.images, files.root),
            "image_path": images,
            "mask_path": find_masks(images, files),
        },
        dtype=object,
    )
    return complete(frame)


def _has_class_folder(files: DatasetFiles) -> bool:
    return any(
        read_code(part) in DIAGNOSES
        for path in files.images
        for part in path.relative_to(files.root).parts[:-1]
    )


def _has_table(*patterns: str) -> Callable[[DatasetFiles], bool]:
    return lambda files: any(files.find_tables(pattern) for pattern in patterns)


LAYOUTS = (
    Layout(
        "HAM10000",
        "HAM10000_metadata.csv with HAM10000_images_part_*/",
        _has_table(HAM10000_TABLE),
        read_ham10000_files,
    ),
    Layout(
        "ISIC 2018 task 3",
        "ISIC2018_Task3_*_GroundTruth.csv with ISIC2018_Task3_*_Input/",
        _has_table(TASK3_TRUTH),
        read_task3,
    ),
    Layout(
        "ISIC 2019",
        "ISIC_2019_*_GroundTruth.csv with ISIC_2019_*_Input/",
        _has_table(ISIC2019_TRUTH),
        read_isic2019,
    ),
    Layout(
        "MILK10k",
        "MILK10k_*_Metadata.csv and MILK10k_*_GroundTruth.csv with MILK10k_*_Input/",
        _has_table(MILK10K_FACTS, MILK10K_TRUTH),
        read_milk10k,
    ),
    Layout(
        "ISIC 2018 task 1",
        "ISIC2018_Task1-2_*_Input/ (and ISIC2018_Task1_*_GroundTruth/)",
        lambda files: bool(files.below(TASK1_IMAGES).images),
        read_task1,
    ),
    Layout(
        "ISIC 2020",
        "ISIC_2020_Training_GroundTruth.csv (or train.csv) with the images",
        _has_labels(heading="benign_malignant", name=r"ISIC_2020|^train"),
        _read_labelled,
    ),
    Layout(
        "ISIC Archive",
        "metadata.csv of isic-cli with the images",
        _has_labels(heading="isic_id"),
        _read_labelled,
    ),
    Layout(
        "images with labels",
        "labels.csv (image_id,dx) with images/ (and masks/)",
        _has_labels(),
        _read_labelled,
    ),
    Layout(
        "folder per class",
        f"sub-folders of images named by class codes ({', '.join(DIAGNOSES)})",
        _has_class_folder,
        _read_folders,
    ),
)
