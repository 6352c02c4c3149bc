"""The split: by lesion, stratified, reproducible; and the committed file."""

import pandas as pd
import pytest

from core.datasets.splits import HAM10000, SPLITS, read_splits
from core.taxonomy import HAM10000_CLASSES
from training.data.make_split import assign_splits, join_lesions
from training.data.sets import EXCLUDED


@pytest.fixture
def frame() -> pd.DataFrame:
    """200 nevi with one or two images each, and 40 melanomas with three."""
    lesions = [(f"nv{i}", "nv", 1 + i % 2) for i in range(200)] + [(f"mel{i}", "mel", 3) for i in range(40)]
    rows = [(lesion, dx) for lesion, dx, count in lesions for _ in range(count)]
    return pd.DataFrame(rows, columns=["lesion_id", "dx"]).assign(dataset=HAM10000)


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return read_splits(None)


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


@pytest.fixture
def several_sets(frame) -> pd.DataFrame:
    """The nevi and melanomas, 40 lesions of MILK10k of which the first ten are known, and a set for training alone."""
    milk = [("milk10k", f"m{i}", "mel" if i % 2 else "nv", f"nv{i}" if i < 10 else "") for i in range(40)]
    other = [("isic2020", f"o{i}", "nv", f"m{i}" if i < 20 else "") for i in range(30)]
    rows = pd.DataFrame(milk + other, columns=["dataset", "lesion_id", "dx", "ham_lesion_id"])
    whole = pd.concat([frame, rows], ignore_index=True)
    return whole.assign(image_id=[f"image{k}" for k in range(len(whole))])


def test_lesions_of_several_sets_are_one_where_an_id_says_so_or_the_skin_looks_the_same(several_sets):
    lesions = join_lesions(several_sets, same=[("image0", f"image{len(several_sets) - 1}")])
    of = dict(zip(several_sets["lesion_id"], lesions, strict=True))
    assert of["m3"] == of["nv3"] == of["o3"] == "nv3"  # through MILK10k's lesion
    assert of["m12"] == of["o12"] == "m12" and of["o25"] == "o25"
    assert of["o29"] == "nv0"  # by looks


def test_a_lesion_that_is_judged_in_one_set_is_never_learned_in_another(several_sets):
    several_sets["lesion_id"] = join_lesions(several_sets)
    several_sets["split"] = assign_splits(several_sets)
    kept = several_sets[several_sets["split"] != EXCLUDED]
    assert straddling(kept) == 0
    extra = several_sets[several_sets["dataset"] == "isic2020"]
    assert set(extra["split"]) == {"train", EXCLUDED}
    milk = several_sets[several_sets["dataset"] == "milk10k"].drop_duplicates("lesion_id")
    own = milk[milk["lesion_id"].str.startswith("m")]
    assert own["split"].value_counts().to_dict() == {"train": 24, "validation": 3, "test": 3}


# --- the committed one


def test_the_committed_split_holds_all_of_ham10000_once(committed):
    ham = committed[committed["dataset"] == HAM10000]
    assert len(ham) == ham["image_id"].nunique() == 10_015
    assert ham["lesion_id"].nunique() == 7_470
    assert set(ham["split"]) == set(SPLITS) and set(ham["dx"]) == set(HAM10000_CLASSES)


def test_no_lesion_straddles_the_committed_split(committed):
    assert straddling(committed[committed["split"] != EXCLUDED]) == 0
    assert not committed.duplicated(["dataset", "image_id"]).any()


@pytest.mark.parametrize(
    ("dataset", "shares"),
    [
        (HAM10000, {"train": 0.7, "validation": 0.15, "test": 0.15}),
        ("milk10k", {"validation": 0.1, "test": 0.1}),
    ],
)
def test_the_committed_split_is_stratified(committed, dataset, shares):
    lesions = committed[committed["dataset"] == dataset].drop_duplicates("lesion_id")
    frequent = lesions.groupby("dx").filter(lambda rows: len(rows) > 200)
    for split, share in shares.items():
        part = (frequent["split"] == split).groupby(frequent["dx"]).mean()
        assert (part - share).abs().max() < (0.01 if dataset == HAM10000 else 0.04), split


def test_the_committed_split_of_ham10000_is_what_the_command_makes(committed):
    ham = committed[committed["dataset"] == HAM10000]
    assert assign_splits(ham).tolist() == ham["split"].tolist()
