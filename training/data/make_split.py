"""Split HAM10000 into train, validation and test by lesion, stratified by diagnosis.

    python -m training.data.make_split --data DIR

Made once and committed as training/splits/ham10000.csv; everything reads that file. Images of one
lesion always fall into one split: splits that ignore this flatter a model by several points.
"""

import argparse
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

from core.datasets.ham10000 import SPLIT_FILE, default_data_dir, read_ham10000
from training.command import in_words

SEED = 20180814
VALIDATION_SHARE = 0.15
TEST_SHARE = 0.15


def assign_splits(frame: pd.DataFrame, seed: int = SEED) -> pd.Series:
    """Name the split of every row; rows that share `lesion_id` get the same one.

    Raises:
        ValueError: a lesion carries two diagnoses, so that stratifying by lesion has no meaning.
    """
    lesions = frame.groupby("lesion_id")["dx"].agg(["first", "nunique"])
    if (lesions["nunique"] > 1).any():
        raise ValueError(f"{(lesions['nunique'] > 1).sum()} lesions carry more than one diagnosis.")
    diagnosis = _as_objects(lesions["first"])
    rest, test = train_test_split(
        diagnosis.index, test_size=TEST_SHARE, stratify=diagnosis, random_state=seed
    )
    train, validation = train_test_split(
        rest,
        test_size=VALIDATION_SHARE / (1 - TEST_SHARE),
        stratify=diagnosis[rest],
        random_state=seed,
    )
    split_of = {lesion: "train" for lesion in train}
    split_of |= {lesion: "validation" for lesion in validation}
    split_of |= {lesion: "test" for lesion in test}
    return frame["lesion_id"].map(split_of)


def _as_objects(diagnosis: pd.Series) -> pd.Series:
    """The diagnosis of each lesion, its index too, in the type that scikit-learn splits."""
    return pd.Series(diagnosis.to_numpy(object), index=diagnosis.index.astype(object))


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    parser.add_argument("--out", type=Path, default=SPLIT_FILE)
    arguments = parser.parse_args()
    frame = read_ham10000(arguments.data)
    frame["split"] = assign_splits(frame)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    frame[["image_id", "lesion_id", "dx", "split"]].to_csv(arguments.out, index=False)
    print(frame.groupby(["split", "dx"]).size().unstack())
    print(f"Wrote {len(frame)} images of {frame['lesion_id'].nunique()} lesions to {arguments.out}")


if __name__ == "__main__":
    main()
