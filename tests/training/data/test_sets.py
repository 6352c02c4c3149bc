"""Several sets at once: what is found, which split it belongs to, how often it is drawn."""

import cv2
import numpy as np
import pandas as pd
import pytest

from core.datasets.ham10000 import DatasetError
from training.data.sets import draw_chances, find_sets, read_split


@pytest.fixture
def data(tmp_path):
    """Two sets of plain images with labels, as folders."""
    for name, rows in {
        "milk10k": [("a", "mel", "L1"), ("b", "nv", "L2")],
        "acral": [("c", "nv", "L3"), ("d", "mel", "L4")],
    }.items():
        (tmp_path / name / "images").mkdir(parents=True)
        pd.DataFrame(rows, columns=["image", "dx", "lesion_id"]).to_csv(
            tmp_path / name / "labels.csv", index=False
        )
        for image, _, _ in rows:
            cv2.imwrite(str(tmp_path / name / "images" / f"{image}.png"), np.zeros((70, 80, 3), np.uint8))
    return tmp_path


@pytest.fixture
def split_file(tmp_path):
    file = tmp_path / "splits.csv"
    file.write_text(
        "dataset,image_id,lesion_id,dx,split\n"
        "milk10k,a,H9,mel,test\nmilk10k,b,L2,nv,train\nacral,c,L3,nv,train\nacral,d,L4,mel,excluded\n"
        "isic2020,e,L5,mel,train\n"
    )
    return file


def test_only_the_folders_that_are_there_are_sets(data):
    assert list(find_sets(data)) == ["milk10k", "acral"]


def test_a_folder_without_any_set_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="none of the folders ham10000, milk10k"):
        find_sets(tmp_path)


def test_a_split_holds_the_images_on_disk_with_the_lesions_of_the_split_file(data, split_file):
    train = read_split(data, "train", split_file=split_file)
    assert train[["dataset", "image_id"]].to_numpy().tolist() == [["milk10k", "b"], ["acral", "c"]]
    test = read_split(data, "test", split_file=split_file)
    assert test["lesion_id"].tolist() == ["H9"]
    with pytest.raises(DatasetError, match="No image of the validation split"):
        read_split(data, "validation", split_file=split_file)


def test_every_set_is_drawn_by_its_share_and_classes_by_the_square_root():
    # 9 nevi and 1 melanoma: square roots 3 and 1, so three in four draws of the set are nevi.
    frame = pd.DataFrame(
        {"dataset": ["ham10000"] * 10 + ["acral"] * 2, "dx": ["nv"] * 9 + ["mel"] + ["nv", "mel"]}
    )
    chances = draw_chances(frame, {"ham10000": 0.6, "acral": 0.2, "isic2020": 0.2}, class_power=0.5)
    shares = [chances[:9].sum(), chances[9], chances[10], chances[11]]
    np.testing.assert_allclose(shares, [0.75 * 0.75, 0.75 * 0.25, 0.125, 0.125])


def test_a_set_without_a_share_is_refused():
    with pytest.raises(DatasetError, match="no share to acral"):
        draw_chances(pd.DataFrame({"dataset": ["acral"], "dx": ["nv"]}), {"ham10000": 1.0}, 0.5)
