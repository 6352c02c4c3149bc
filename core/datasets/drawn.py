"""Which images of HAM10000 the drawn dataset stands in for."""

from collections.abc import Iterable

import pandas as pd

from core.datasets.frame import METADATA_COLUMNS
from core.datasets.ham10000_facts import read_facts
from core.datasets.splits import read_splits

# Of each class; most are test images, because Evaluate shows their predictions.
IMAGES_OF_CLASS = 40
_OF_SPLIT = {"test": 20, "validation": 10}


def choose_rows(wanted: Iterable[str] = ()) -> pd.DataFrame:
    """280 rows of HAM10000: `METADATA_COLUMNS`, forty of each class out of all three splits, the same for the same call.

    Args:
        wanted: image ids in the order in which they should get a picture, e.g. the model's mistakes. They fill at
            most half of a class's part of a split, so that right answers keep pictures too.
    """
    rank = {name: place for place, name in reversed([*enumerate(wanted)])}
    assigned = read_splits().sort_values(["lesion_id", "image_id"])
    parts = []
    for _, group in assigned.groupby("dx"):
        taken = [_take(group[group["split"] == split], count, rank) for split, count in _OF_SPLIT.items()]
        left = IMAGES_OF_CLASS - sum(map(len, taken))
        parts += [*taken, group[group["split"] == "train"].head(left)]
    chosen = pd.concat(parts)[["image_id", "lesion_id", "dx"]]
    rows = chosen.merge(read_facts(), on="image_id", how="left", validate="one_to_one")
    return rows[list(METADATA_COLUMNS)].sort_values("image_id", ignore_index=True)


def _take(group: pd.DataFrame, count: int, rank: dict[str, int]) -> pd.DataFrame:
    """`count` rows of the group: up to half of them those of lowest rank, the rest in the group's order."""
    ranks = group["image_id"].map(rank)
    first = group.loc[ranks.dropna().sort_values().index[: count // 2]]
    return pd.concat([first, group.drop(first.index)]).head(count)
