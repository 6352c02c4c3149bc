"""Split all sets into train, validation and test by lesion: one file, made once, read by everything.

    dermalens train split --data DIR

HAM10000 is split 70/15/15 by lesion, stratified by diagnosis. MILK10k's lesions that HAM10000 has too go with them; the
others are split 80/10/10, stratified by diagnosis and skin tone. A tenth of ISIC 2018 Task 1 validates outlines and a
tenth tests them; a fifth of the acral lesions is validation; everything else is for training. An image of those sets
whose lesion, or the same picture under another id, is in validation or test is left out (`excluded`).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import train_test_split

from core.datasets.ham10000 import default_data_dir
from core.datasets.splits import HAM10000, SPLIT_FILE
from training.command import exit_with_message
from training.data.sets import EXCLUDED, read_sets

SEED = 20180814
SAME_SKIN_FILE = SPLIT_FILE.with_name("same_skin.csv")  # `dermalens train duplicates`
# (validation, test) share of the lesions of each set that none of the sets before it has; others are all training.
SHARES = {
    HAM10000: (0.15, 0.15),
    "milk10k": (0.1, 0.1),
    "isic2018_task1": (0.1, 0.1),
    "acral": (0.2, 0.0),
}
RARE = 10  # strata with fewer lesions are put together


def join_lesions(frame: pd.DataFrame, same: Sequence[tuple[str, str]] = ()) -> pd.Series:
    """One lesion id for all images that share an image id, a lesion id, a `ham_lesion_id`, or stand in `same`.

    Args:
        frame: `dataset`, `image_id`, `lesion_id` and, where known, `ham_lesion_id`; HAM10000's rows come first.
        same: pairs of image ids that show the same skin.
    """
    names = [frame["image_id"], frame["lesion_id"]]
    if "ham_lesion_id" in frame:
        names.append(
            frame["ham_lesion_id"].where(frame["ham_lesion_id"].fillna("") != "", frame["lesion_id"])
        )
    rows = np.tile(np.arange(len(frame)), len(names))
    labels, nodes = pd.factorize(pd.concat(names).astype(str))[0], len(frame)
    place = {image: k for k, image in enumerate(frame["image_id"])}
    pairs = [(place[a], place[b]) for a, b in same if a in place and b in place]
    first = np.concatenate([rows, [a for a, _ in pairs]]).astype(int)
    second = np.concatenate([labels + nodes, [b for _, b in pairs]]).astype(int)
    size = nodes + labels.max() + 1
    _, group = connected_components(
        coo_array((np.ones(len(first)), (first, second)), (size, size)), directed=False
    )
    groups = pd.Series(group[:nodes], index=frame.index)
    return groups.map(frame["lesion_id"].groupby(groups).first())


def assign_splits(frame: pd.DataFrame, seed: int = SEED) -> pd.Series:
    """The split of every row; rows that share `lesion_id` get the same one.

    Args:
        frame: `dataset`, `lesion_id`, `dx` and, where known, `skin_tone_class`, one row an image.
        seed: of the draw.

    Raises:
        ValueError: a lesion of HAM10000 carries two diagnoses, so that stratifying by lesion has no meaning.
    """
    ham = frame[frame["dataset"] == HAM10000]
    if (mixed := (ham.groupby("lesion_id")["dx"].nunique() > 1).sum()) > 0:
        raise ValueError(f"{mixed} lesions carry more than one diagnosis.")
    split_of: dict[str, str] = {}
    for name, shares in SHARES.items():
        own = frame[frame["dataset"] == name]
        new = own[~own["lesion_id"].isin(split_of)].drop_duplicates("lesion_id")
        if len(new):
            split_of |= _draw(new["lesion_id"], _strata(new), shares, seed)
    judged = frame["lesion_id"].map(split_of)
    # Sets without a share of their own, and lesions that a set before holds back from training.
    extra = ~frame["dataset"].isin(list(SHARES))
    return judged.fillna("train").where(~extra | (judged.fillna("train") == "train"), EXCLUDED)


def _strata(lesions: pd.DataFrame) -> pd.Series:
    """What each lesion is stratified by: its diagnosis and, where it is recorded, whether the skin is dark."""
    strata = lesions["dx"].fillna("").astype(str)
    if "skin_tone_class" in lesions and lesions["skin_tone_class"].notna().any():
        strata = strata + pd.to_numeric(lesions["skin_tone_class"]).le(2).map({True: " dark", False: ""})
    counts = strata.map(strata.value_counts())
    return strata.where(counts >= RARE, "rare")


def _draw(lesions: pd.Series, strata: pd.Series, shares: tuple[float, float], seed: int) -> dict[str, str]:
    # Sorted by name, and in the type that scikit-learn splits.
    index = pd.Index(lesions.to_numpy(object), dtype=object)
    kinds = pd.Series(strata.to_numpy(object), index=index, dtype=object).sort_index()
    validation_share, test_share = shares
    rest, test = kinds.index, []
    if test_share:
        rest, test = train_test_split(rest, test_size=test_share, stratify=kinds, random_state=seed)
    train, validation = train_test_split(
        rest, test_size=validation_share / (1 - test_share), stratify=kinds[rest], random_state=seed
    )
    parts = {"train": train, "validation": validation, "test": test}
    return {lesion: name for name, part in parts.items() for lesion in part}


def make_split(
    data: Path | None, same: Sequence[tuple[str, str]] = (), out: Path = SPLIT_FILE
) -> pd.DataFrame:
    """Write the split file of the sets in `data`; returns its rows.

    Raises:
        DatasetError: see `training.data.sets.read_sets`.
    """
    frame = read_sets(data)
    frame["lesion_id"] = join_lesions(frame, same)
    frame["split"] = assign_splits(frame)
    frame["dx"] = frame["dx"].fillna("")
    frame = frame[["dataset", "image_id", "lesion_id", "dx", "split"]]
    out.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(out, index=False)
    return frame


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=default_data_dir(), help="folder of the sets, or HAM10000"
    )
    parser.add_argument(
        "--same", type=Path, default=SAME_SKIN_FILE, help="pairs of images that show the same skin"
    )
    parser.add_argument("--out", type=Path, default=SPLIT_FILE)
    arguments = parser.parse_args()
    pairs = pd.read_csv(arguments.same, comment="#", dtype=str)[["first", "second"]].to_numpy().tolist()
    frame = make_split(arguments.data, pairs, arguments.out)
    print(frame.groupby(["dataset", "split"]).size().unstack(fill_value=0))
    print(f"Wrote {len(frame)} images of {frame['lesion_id'].nunique()} lesions to {arguments.out}")


if __name__ == "__main__":
    main()
