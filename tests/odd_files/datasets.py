"""Dataset folders: how many images, masks and labels each must give, and what the checks must say."""

from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets.checks import check_dataset
from core.datasets.frame import DatasetError
from core.datasets.layouts import read_dataset
from core.images.errors import ImageError
from core.images.masks import read_lesion_mask
from core.images.reading import read_image
from tests.odd_files.registry import Outcome, judges

# (images, masks); four images and no masks where nothing is said.
_COUNTS = {
    **dict.fromkeys(
        ("plain", "dataverse_tab", "metadata_bom", "ids_with_jpg", "caps_ext", "nested_folder"), (4, 4)
    ),
    "folders_same_names": (3, 0),
    "folders_long_names": (2, 0),
    "folders_with_masks": (2, 2),
    "folders_train_test": (3, 0),
    "meta_duplicate_rows": (5, 0),
}


@judges("dataset")
def judge_dataset(case: Path, _: str) -> Outcome:
    try:
        frame = read_dataset(case)
    except DatasetError as error:
        return Outcome(f"refused: {error}", False)
    counts = int((frame["image_path"] != "").sum()), int((frame["mask_path"] != "").sum())
    said = {check.code: len(check.table) for check in check_dataset(frame, {}) if not check.passed}
    text = f"{frame.attrs['layout']}: {counts[0]} images, {counts[1]} masks, checks {said}"
    return Outcome(text, _is_right(case, frame, counts, said))


def _is_right(case: Path, frame: pd.DataFrame, counts: tuple[int, int], said: dict[str, int]) -> bool:
    name = case.name
    if name == "mask_damaged":
        return said.get("mask_files", 0) > 0
    if name == "mask_inverted":
        return said.get("mask_files", 0) >= 3
    if name.startswith("mask_"):
        return counts == (4, 4) and _same_masks(frame, case.parent / "plain")
    if name.startswith("task3_"):
        return counts == (4, 0) and int(frame["dx"].isna().sum()) == 1
    if name == "folders_jfif_heic":
        left_alone = frame.attrs["left_alone"]
        return len(frame) + sum(left_alone.values()) == 5
    if name == "meta_duplicate_rows":
        return counts == _COUNTS[name] and said.get("repeated") == 1
    classes = not name.startswith("folders_") or bool(frame["dx"].isin(["mel", "nv"]).all())
    return counts == _COUNTS.get(name, (4, 0)) and frame["image_id"].is_unique and classes


def _same_masks(frame: pd.DataFrame, plain: Path) -> bool:
    """Whether the masks are those of the plain folder, but for a pixel's edge in a hundred."""
    expected = read_dataset(plain).set_index("image_id")["mask_path"]
    try:
        for row in frame.itertuples():
            shape = read_image(row.image_path).pixels.shape[:2]
            ours, theirs = (
                read_lesion_mask(row.mask_path, shape),
                read_lesion_mask(expected[row.image_id], shape),
            )
            if np.mean(ours != theirs) > 0.01:
                return False
    except ImageError:
        return False
    return True
