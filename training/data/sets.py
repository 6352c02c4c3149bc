"""The datasets that the recipe trains on: their folders, and which split each image belongs to.

`--data` names a folder that holds the sets as sub-folders of the names in `SETS`, or HAM10000 alone. Every set is
optional; what is there is used. Splits come from training/splits/splits.csv (`training.data.make_split`), one row an
image: `dataset,image_id,lesion_id,dx,split`. A lesion that two sets share has one `lesion_id` and one split.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets.ham10000 import DatasetError
from core.datasets.layouts import read_dataset
from core.datasets.splits import HAM10000, SPLIT_FILE, SPLITS, read_splits
from core.settings import DATA_VARIABLE

SETS = (HAM10000, "milk10k", "isic2018_task1", "isic2018_task3_val", "isic2020", "acral")
EXCLUDED = "excluded"  # the same image or lesion is in validation or test


def find_sets(data: Path | None) -> dict[str, Path]:
    """The folder of each set below `data`, in the order of `SETS`; `data` itself if it is HAM10000.

    Raises:
        DatasetError: no folder is set, or none of the sets is in it.
    """
    if data is None:
        raise DatasetError(f"No dataset folder is set. Give --data DIR or set {DATA_VARIABLE}.")
    found = {name: data / name for name in SETS if (data / name).is_dir()}
    if not found and any(data.glob("HAM10000_metadata*")):
        found = {HAM10000: data}
    if not found:
        raise DatasetError(f"No HAM10000 in {data}, and none of the folders {', '.join(SETS)}.")
    return found


def read_sets(data: Path | None, names: Sequence[str] = SETS) -> pd.DataFrame:
    """All images of the sets that are there: the columns of `read_dataset` behind `dataset`.

    Raises:
        DatasetError: see `find_sets` and `read_dataset`.
    """
    parts = [
        read_dataset(folder).assign(dataset=name) for name, folder in find_sets(data).items() if name in names
    ]
    return pd.concat(parts, ignore_index=True)


def read_split(
    data: Path | None, split: str, names: Sequence[str] = SETS, split_file: Path = SPLIT_FILE
) -> pd.DataFrame:
    """The images of one split, one row each, in the order of the split file: of those of the sets that are there.

    `lesion_id` and `dx` are those of the split file; `dx` is "" where the diagnosis is not known.

    Raises:
        DatasetError: unknown split, none of the sets has images of it, or a set that is there lacks some.
    """
    if split not in SPLITS:
        raise DatasetError(f"`split` must be one of {', '.join(SPLITS)}; got {split!r}.")
    assigned = read_splits(None, split_file)
    images = read_sets(data, names).drop(columns=["lesion_id", "dx"])
    wanted = assigned[(assigned["split"] == split) & assigned["dataset"].isin(images["dataset"].unique())]
    if wanted.empty:
        raise DatasetError(f"No image of the {split} split in {data}.")
    frame = wanted.merge(images, on=["dataset", "image_id"], how="left", validate="one_to_one")
    absent = frame[frame["image_path"].fillna("") == ""]
    if len(absent):
        raise DatasetError(
            f"{len(absent)} of {len(frame)} images of the {split} split are missing, the first is "
            f"{absent['image_id'].iloc[0]} of {absent['dataset'].iloc[0]}. Unpack the whole set, or leave it out."
        )
    return frame.reset_index(drop=True)


def draw_chances(frame: pd.DataFrame, shares: Mapping[str, float], class_power: float) -> np.ndarray:
    """(N,) chance of each image to be drawn, so that each set has its share and rare classes more than theirs.

    Args:
        frame: N images with `dataset` and `dx`.
        shares: of each set in what is drawn; those of the sets in `frame` are scaled to a sum of 1.
        class_power: within a set a class is drawn in proportion to count**(1 - class_power): 0.5 is the square root.

    Raises:
        DatasetError: a set has no share.
    """
    if unknown := sorted(set(frame["dataset"]) - set(shares)):
        raise DatasetError(f"The configuration gives no share to {', '.join(unknown)}.")
    counts = frame.groupby(["dataset", "dx"])["dx"].transform("size").to_numpy(float)
    chances = counts**-class_power
    within = frame.assign(chance=chances).groupby("dataset")["chance"].transform("sum").to_numpy()
    chances = chances / within * frame["dataset"].map(shares).to_numpy(float)
    return chances / chances.sum()
