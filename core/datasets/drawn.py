"""Which images of HAM10000 the drawn dataset stands in for."""

import pandas as pd

from core.datasets.frame import METADATA_COLUMNS
from core.datasets.ham10000_facts import read_facts
from core.datasets.splits import read_splits

# Of each class; most are test images, because Evaluate shows their predictions.
IMAGES_OF_CLASS = 40
_OF_SPLIT = {"test": 20, "validation": 10}


def choose_rows() -> pd.DataFrame:
    """280 rows of HAM10000: `METADATA_COLUMNS`, forty of each class out of all three splits, always the same."""
    assigned = read_splits().sort_values(["lesion_id", "image_id"])
    parts = []
    for _, group in assigned.groupby("dx"):
        taken = [group[group["split"] == split].head(count) for split, count in _OF_SPLIT.items()]
        left = IMAGES_OF_CLASS - sum(map(len, taken))
        parts += [*taken, group[group["split"] == "train"].head(left)]
    chosen = pd.concat(parts)[["image_id", "lesion_id", "dx"]]
    rows = chosen.merge(read_facts(), on="image_id", how="left", validate="one_to_one")
    return rows[list(METADATA_COLUMNS)].sort_values("image_id", ignore_index=True)
