"""HAM10000 on disk: metadata, where each image and mask lies, and which split it belongs to.

Layout of the public release, any image size:
    HAM10000_images_part_1/<image_id>.jpg, HAM10000_images_part_2/<image_id>.jpg
    HAM10000_segmentations_lesion_tschandl/<image_id>_segmentation.png
    HAM10000_metadata.csv  (or HAM10000_metadata or .tab, as Dataverse names it)

Reference:
    Tschandl, Rosendahl, Kittler (2018), doi:10.1038/sdata.2018.161; masks: Tschandl et al. (2020),
    doi:10.1038/s41591-020-0942-0.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets.files import DatasetFiles, scan_files
from core.datasets.frame import METADATA_COLUMNS, DatasetError, build_frame
from core.datasets.splits import SPLIT_FILE, SPLITS, read_splits
from core.images.masks import read_lesion_mask
from core.images.preprocessing import limit_long_side
from core.images.reading import read_image
from core.settings import DATA_VARIABLE
from core.tables.reading import list_headings

HAM10000_TABLE = "ham10000_metadata"


def default_data_dir() -> Path | None:
    """The dataset folder named by the `DERMALENS_DATA` environment variable, if any."""
    value = os.environ.get(DATA_VARIABLE, "").strip()
    return Path(value).expanduser() if value else None


def read_ham10000(root: str | Path | None) -> pd.DataFrame:
    """Read the metadata and find the files.

    Args:
        root: the dataset's folder; None raises with how to set it.

    Returns:
        One row an image: `METADATA_COLUMNS`, `image_path`, `mask_path` ("" where there is no file),
        sorted by image id.

    Raises:
        DatasetError: no folder, no metadata, a column missing, or no image at all.
    """
    if root is None:
        raise DatasetError(f"No dataset folder is set. Give --data DIR or set {DATA_VARIABLE}.")
    root = Path(root).expanduser()
    files = scan_files(root) if root.is_dir() else None
    if files is None or not files.find_tables(HAM10000_TABLE):
        raise DatasetError(f"No HAM10000_metadata.csv in {root}. Point to the folder that holds it.")
    return read_ham10000_files(files)


def read_ham10000_files(files: DatasetFiles) -> pd.DataFrame:
    """As `read_ham10000`, from the files of a folder that holds the metadata table."""
    path = files.find_tables(HAM10000_TABLE)[0]
    table = files.read(path)
    missing = [column for column in METADATA_COLUMNS if column not in table]
    if missing:
        raise DatasetError(f"{path.name} lacks the column(s) {', '.join(missing)}. {list_headings(table)}")
    frame = build_frame(table[list(METADATA_COLUMNS)], files, path.name)
    if not frame["image_path"].any():
        raise DatasetError(
            f"No image in {files.root}/HAM10000_images_part_*/. Unpack both image archives there."
        )
    return frame


def read_split(root: str | Path | None, split: str, split_file: Path = SPLIT_FILE) -> pd.DataFrame:
    """The rows of `read_ham10000` that belong to one of `SPLITS` in the committed split file.

    Raises:
        DatasetError: unknown split, or images of the split are missing on disk.
    """
    if split not in SPLITS:
        raise DatasetError(f"`split` must be one of {', '.join(SPLITS)}; got {split!r}.")
    assignment = read_splits(path=split_file)
    wanted = assignment.loc[assignment["split"] == split, ["image_id"]]
    frame = wanted.merge(read_ham10000(root), on="image_id", how="left")
    absent = frame["image_path"].isna() | (frame["image_path"] == "")
    if absent.any():
        raise DatasetError(
            f"{int(absent.sum())} of {len(frame)} images of the {split} split are missing, the first is "
            f"{frame.loc[absent, 'image_id'].iloc[0]}. Unpack the whole HAM10000 release."
        )
    return frame


def read_mask(path: str | Path) -> np.ndarray:
    """(H, W) bool expert mask, in whichever way it was written."""
    return read_lesion_mask(path)


def load_pixels(frame: pd.DataFrame, long_side_px: int) -> list[np.ndarray]:
    """Images of the rows, each (H, W, 3) uint8, shrunk to `long_side_px` at most."""
    with ThreadPoolExecutor() as pool:  # decoders work without Python's lock
        return list(
            pool.map(lambda path: limit_long_side(read_image(path).pixels, long_side_px), frame["image_path"])
        )


def load_masks(frame: pd.DataFrame, shapes: list[tuple[int, int]]) -> list[np.ndarray]:
    """Expert masks of the rows, each (H, W) bool at the size given in `shapes`.

    Raises:
        DatasetError: a row has no mask file.
    """
    if (frame["mask_path"] == "").any():
        absent = frame.loc[frame["mask_path"] == "", "image_id"]
        raise DatasetError(f"{len(absent)} images have no expert mask, the first is {absent.iloc[0]}.")
    with ThreadPoolExecutor() as pool:
        return list(pool.map(read_lesion_mask, frame["mask_path"], shapes))
