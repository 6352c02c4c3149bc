"""Datasets in every layout, drawn from phantoms, read into the one table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.datasets.ham10000 import METADATA_COLUMNS, DatasetError
from core.datasets.layouts import find_layout, read_dataset
from core.phantoms.lesions import draw_phantom

COLUMNS = [*METADATA_COLUMNS, "image_path", "mask_path"]
ONE_HOT_2018 = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n"
ONE_HOT_2019 = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n"


@pytest.fixture(scope="module")
def phantom():
    return draw_phantom(0, size_px=(70, 90))


@pytest.fixture
def put(tmp_path, phantom):
    """A function that writes an image, a mask (by its name) or a text below the dataset's folder."""

    def write(name: str, text: str | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
        elif name.endswith(".png"):
            Image.fromarray(phantom.lesion_mask.astype(np.uint8) * 255).save(path)
        else:
            Image.fromarray(phantom.image).save(path)
        return path

    return write


# --- ISIC 2018 task 3


@pytest.fixture
def task3(tmp_path, put) -> Path:
    put("ISIC2018_Task3_Training_Input/ISIC_2.jpg")
    put("ISIC2018_Task3_Training_Input/ISIC_1.jpg")
    rows = "ISIC_2,0.0,0.0,0.0,1.0,0.0,0.0,0.0\nISIC_1,1.0,0.0,0.0,0.0,0.0,0.0,0.0\nISIC_3,0,0,0,0,0,0,0\n"
    put("ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv", ONE_HOT_2018 + rows)
    return tmp_path


def test_one_hot_labels_become_codes(task3):
    frame = read_dataset(task3)
    assert frame.attrs["layout"] == "ISIC 2018 task 3"
    assert list(frame.columns) == COLUMNS
    assert list(frame["image_id"]) == ["ISIC_1", "ISIC_2", "ISIC_3"]
    assert list(frame["dx"][:2]) == ["mel", "akiec"] and pd.isna(frame["dx"][2])  # no 1 in its row
    assert [Path(p).name for p in frame["image_path"]] == ["ISIC_1.jpg", "ISIC_2.jpg", ""]


def test_without_groupings_each_image_is_its_own_lesion_and_facts_are_unknown(task3):
    frame = read_dataset(task3)
    assert list(frame["lesion_id"]) == list(frame["image_id"])
    assert frame[["dx_type", "age", "sex", "localization"]].isna().all(axis=None)


def test_lesion_groupings_give_lesions_and_ways_of_confirmation_in_the_codes_of_ham10000(task3, put):
    put(
        "ISIC2018_Task3_Training_LesionGroupings.csv",
        "image,lesion_id,diagnosis_confirm_type\nISIC_1,HAM_7,histopathology\nISIC_2,HAM_7,single image expert "
        "consensus\n",
    )
    frame = read_dataset(task3)
    assert list(frame["lesion_id"]) == ["HAM_7", "HAM_7", "ISIC_3"]
    assert list(frame["dx_type"][:2]) == ["histo", "consensus"] and pd.isna(frame["dx_type"][2])


def test_a_ground_truth_that_lies_in_the_folder_and_below_it_counts_once(task3, put):
    inner = task3 / "ISIC2018_Task3_Training_GroundTruth" / "ISIC2018_Task3_Training_GroundTruth.csv"
    put(inner.name, inner.read_text())
    assert len(read_dataset(task3)) == 3


def test_the_parts_of_a_challenge_are_stacked(task3, put):
    put("ISIC2018_Task3_Test_Input/ISIC_9.jpg")
    put("ISIC2018_Task3_Test_GroundTruth.csv", ONE_HOT_2018 + "ISIC_9,0,0,0,0,0,0,1\n")
    frame = read_dataset(task3)
    assert list(frame["dx"][[0, 3]]) == ["mel", "vasc"] and frame["image_path"][3].endswith("ISIC_9.jpg")


def test_masks_of_ham10000_serve_the_same_images(task3, put):
    put("HAM10000_segmentations_lesion_tschandl/ISIC_1_segmentation.png")
    assert [bool(path) for path in read_dataset(task3)["mask_path"]] == [True, False, False]


def test_a_table_without_the_needed_column_is_refused(task3, put):
    put("ISIC2018_Task3_Training_LesionGroupings.csv", "image,lesion\nISIC_1,HAM_7\n")
    with pytest.raises(DatasetError, match=r"lacks the column\(s\) lesion_id, diagnosis_confirm_type"):
        read_dataset(task3)


# --- ISIC 2019


def test_isic_2019_has_eight_classes_and_patient_facts(tmp_path, put):
    put("ISIC_2019_Training_Input/ISIC_1.jpg")
    rows = "ISIC_1,0,0,0,1,0,0,0,0,0\nISIC_2,0,0,0,0,0,0,0,1,0\nISIC_3,0,0,0,0,0,0,0,0,1\n"
    put("ISIC_2019_Training_GroundTruth.csv", ONE_HOT_2019 + rows)
    put(
        "ISIC_2019_Training_Metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex\n"
        "ISIC_1,55.0,anterior torso,MSK_1,female\nISIC_2,,,,male\n",
    )
    frame = read_dataset(tmp_path)
    assert frame.attrs["layout"] == "ISIC 2019" and list(frame.columns) == COLUMNS
    assert list(frame["dx"][:2]) == ["akiec", "scc"] and pd.isna(frame["dx"][2])  # UNK
    assert frame["age"][0] == 55 and frame["age"][1:].isna().all()
    assert list(frame["lesion_id"]) == ["MSK_1", "ISIC_2", "ISIC_3"]
    assert frame["localization"][0] == "anterior torso" and list(frame["sex"][:2]) == ["female", "male"]


# --- ISIC 2018 task 1


def test_a_segmentation_dataset_has_masks_and_no_labels(tmp_path, put):
    for image_id in ("ISIC_2", "ISIC_1"):
        put(f"ISIC2018_Task1-2_Training_Input/{image_id}.jpg")
    put("ISIC2018_Task1_Training_GroundTruth/ISIC_1_segmentation.png")
    put("ISIC2018_Task1-2_Training_Input/ATTRIBUTION.txt", "names")
    frame = read_dataset(tmp_path)
    assert frame.attrs["layout"] == "ISIC 2018 task 1" and list(frame.columns) == COLUMNS
    assert list(frame["image_id"]) == ["ISIC_1", "ISIC_2"] and frame["dx"].isna().all()
    assert [bool(path) for path in frame["mask_path"]] == [True, False]


# --- one folder a class


def test_folders_named_by_codes_are_labels(tmp_path, put):
    for name in ("mel/b.jpg", "NV/a.jpg", "NV/more/c.jpg", "blue thing/d.jpg", ".hidden/e.jpg"):
        put(name)
    put("notes/readme.txt", "no images")
    frame = read_dataset(tmp_path)
    assert frame.attrs["layout"] == "folder per class" and list(frame.columns) == COLUMNS
    labels = dict(zip(frame["image_id"], frame["dx"], strict=True))
    assert labels == {"a": "nv", "b": "mel", "c": "nv", "d": "blue thing"}


# --- HAM10000 and refusals


def test_ham10000_is_recognised_first_and_read_by_its_own_reader(tmp_path, put):
    put("HAM10000_images_part_1/ISIC_1.jpg")
    put("HAM10000_metadata.csv", ",".join(METADATA_COLUMNS) + "\nHAM_1,ISIC_1,nv,histo,50.0,male,back\n")
    put("ISIC2018_Task1-2_Training_Input/ISIC_7.jpg")
    frame = read_dataset(str(tmp_path))
    assert frame.attrs["layout"] == "HAM10000" and list(frame["image_id"]) == ["ISIC_1"]
    assert list(frame.columns) == COLUMNS


def test_an_unknown_folder_is_told_everything_that_was_looked_for(tmp_path, put):
    put("photos/a.jpg")
    with pytest.raises(DatasetError) as caught:
        read_dataset(tmp_path)
    for wanted in ("HAM10000_metadata.csv", "ISIC2018_Task3_", "ISIC_2019_", "ISIC2018_Task1-2_", "akiec"):
        assert wanted in str(caught.value)


def test_labels_without_any_image_are_refused(tmp_path, put):
    put("ISIC2018_Task3_Training_GroundTruth.csv", ONE_HOT_2018 + "ISIC_1,1,0,0,0,0,0,0\n")
    with pytest.raises(DatasetError, match=r"holds no image\. Unpack ISIC2018_Task3"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00 no text"])
def test_a_damaged_table_is_named(tmp_path, data):
    (tmp_path / "ISIC2018_Task3_Training_GroundTruth.csv").write_bytes(data)
    with pytest.raises(DatasetError, match=r"GroundTruth\.csv: This is no readable CSV table"):
        read_dataset(tmp_path)


def test_a_ground_truth_without_classes_is_refused(tmp_path, put):
    put("ISIC2018_Task3_Training_GroundTruth.csv", "image\nISIC_1\n")
    with pytest.raises(DatasetError, match="no class column"):
        read_dataset(tmp_path)


def test_a_folder_without_rights_is_said(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # root may read everything, so rights cannot be taken away
    with pytest.raises(DatasetError, match=r"could not be read: Permission denied\. Check its rights"):
        find_layout(tmp_path)


@pytest.mark.parametrize(("root", "message"), [(None, "set DERMALENS_DATA"), ("nowhere/at/all", "No folder")])
def test_no_folder_is_said(root, message):
    with pytest.raises(DatasetError, match=message):
        find_layout(root)
