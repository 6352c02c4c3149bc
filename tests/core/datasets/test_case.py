"""Cases: picture, expert mask, facts and prediction of one image, from a row of a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.datasets.case import case_of_prediction, case_of_record
from core.datasets.catalogue import build_catalogue
from core.evaluation.predictions import IMAGE_PATH, Predictions, from_frame

ASSIGNMENT = pd.DataFrame({"image_id": ["a"], "lesion_id": ["l1"], "dx": ["nv"], "split": ["train"]})


def make_predictions(**columns: list) -> Predictions:
    """One melanoma, image "a", called a nevus with 0.7."""
    row = {"image_id": ["a"], "dx": ["mel"], "p_mel": [0.3], "p_nv": [0.7]}
    return from_frame(pd.DataFrame(row | columns))


def make_dataset(folder: Path) -> pd.DataFrame:
    row = {"image_id": ["a"], "image_path": [str(folder / "a.jpg")], "mask_path": [str(folder / "a.png")]}
    return pd.DataFrame(row).set_index("image_id", drop=False)


def test_case_of_a_prediction_holds_truth_answer_and_measures():
    case = case_of_prediction(make_predictions(dice=[0.9], age=[np.nan], sex=["male"]), 0, None)
    assert (case.image_id, case.lesion_id, case.true_code, case.prediction.code) == ("a", "a", "mel", "nv")
    assert case.prediction.malignancy == pytest.approx(0.3)
    assert (case.facts, case.prediction.measures) == ({"age": None, "sex": "male"}, {"dice": 0.9})
    assert case.image_path is None and case.mask_path is None


def test_picture_and_mask_are_the_datasets(tmp_path: Path):
    case = case_of_prediction(make_predictions(), 0, make_dataset(tmp_path))
    assert (case.image_path, case.mask_path) == (tmp_path / "a.jpg", tmp_path / "a.png")


@pytest.mark.parametrize(("own", "mask"), [("a.jpg", "a.png"), ("elsewhere/a.jpg", None)])
def test_picture_of_a_run_gets_the_mask_of_the_very_same_file_only(
    tmp_path: Path, own: str, mask: str | None
):
    predictions = make_predictions(**{IMAGE_PATH: [str(tmp_path / own)]})
    case = case_of_prediction(predictions, 0, make_dataset(tmp_path))
    assert case.image_path == tmp_path / own
    assert case.mask_path == (mask and tmp_path / mask)


def test_case_of_the_catalogue_knows_its_split_and_leaves_out_what_is_not_given():
    case = case_of_record(build_catalogue(None, ASSIGNMENT).iloc[0])
    assert (case.true_code, case.split, case.prediction) == ("nv", "train", None)
    assert set(case.facts.values()) == {None}
