"""The split: by lesion, stratified, reproducible; and the committed file."""

import pandas as pd
import pytest

from core.datasets.ham10000 import SPLIT_FILE, SPLITS
from core.taxonomy import HAM10000_CLASSES
from training.data.make_split import assign_splits


@pytest.fixture
def frame() -> pd.DataFrame:
    """200 nevi with one or two images each, and 40 melanomas with three."""
    lesions = [(f"nv{i}", "nv", 1 + i % 2) for i in range(200)] + [(f"mel{i}", "mel", 3) for i in range(40)]
    rows = [(lesion, dx) for lesion, dx, count in lesions for _ in range(count)]
    return pd.DataFrame(rows, columns=["lesion_id", "dx"])


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(SPLIT_FILE, comment="#")


def straddling(frame: pd.DataFrame) -> int:
    return int((frame.groupby("lesion_id")["split"].nunique() > 1).sum())


# --- making one


def test_no_lesion_straddles_two_splits(frame):
    frame["split"] = assign_splits(frame)
    assert frame["split"].notna().all() and straddling(frame) == 0


def test_lesions_of_each_diagnosis_are_shared_out_alike(frame):
    frame["split"] = assign_splits(frame)
    lesions = frame.drop_duplicates("lesion_id")
    counts = lesions.groupby(["dx", "split"]).size()
    # 15 % of 200 is 30 and of 40 is 6, for test and validation alike; the rest trains.
    assert counts["nv"].to_dict() == {"test": 30, "train": 140, "validation": 30}
    assert counts["mel"].to_dict() == {"test": 6, "train": 28, "validation": 6}


def test_the_seed_decides(frame):
    assert assign_splits(frame, seed=1).equals(assign_splits(frame, seed=1))
    assert not assign_splits(frame, seed=1).equals(assign_splits(frame, seed=2))


def test_the_order_of_the_rows_does_not_matter(frame):
    shuffled = frame.sample(frac=1, random_state=0)
    pd.testing.assert_series_equal(assign_splits(shuffled).sort_index(), assign_splits(frame))


def test_a_lesion_with_two_diagnoses_is_refused(frame):
    frame.loc[frame.index[-1], "dx"] = "nv"
    with pytest.raises(ValueError, match="1 lesions carry more than one diagnosis"):
        assign_splits(frame)


# --- the committed one


def test_the_committed_split_holds_all_of_ham10000_once(committed):
    assert len(committed) == committed["image_id"].nunique() == 10_015
    assert committed["lesion_id"].nunique() == 7_470
    assert set(committed["split"]) == set(SPLITS) and set(committed["dx"]) == set(HAM10000_CLASSES)


def test_no_lesion_straddles_the_committed_split(committed):
    assert straddling(committed) == 0


def test_the_committed_split_is_stratified(committed):
    lesions = committed.drop_duplicates("lesion_id")
    for split, share in {"train": 0.70, "validation": 0.15, "test": 0.15}.items():
        part = (lesions["split"] == split).groupby(lesions["dx"]).mean()
        assert (part - share).abs().max() < 0.01, split


def test_the_committed_split_is_what_the_script_makes(committed):
    assert assign_splits(committed).tolist() == committed["split"].tolist()
