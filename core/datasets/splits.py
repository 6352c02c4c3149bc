"""The committed split of all sets: `dataset,image_id,lesion_id,dx,split`, one row an image; everything reads it here."""

from pathlib import Path

import pandas as pd

SPLIT_FILE = Path(__file__).parents[2] / "training" / "splits" / "splits.csv"
SPLITS = ("train", "validation", "test")
HAM10000 = "ham10000"  # the sets' names are those of their folders


def read_splits(dataset: str | None = HAM10000, path: Path = SPLIT_FILE) -> pd.DataFrame:
    """The rows of one set, or of all of them if None, as text; an unknown diagnosis is "".

    A file without a column `dataset` is of one set.
    """
    table = pd.read_csv(path, comment="#", dtype=str, keep_default_na=False)
    if dataset is None or "dataset" not in table:
        return table
    return table[table["dataset"] == dataset].reset_index(drop=True)
