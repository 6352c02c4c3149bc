"""A tiny HAM10000, drawn from phantoms in the layout of the public release."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.datasets.ham10000 import (
    METADATA_COLUMNS,
    DatasetError,
    default_data_dir,
    load_masks,
    load_pixels,
    read_ham10000,
    read_mask,
    read_split,
)
from core.phantoms.lesions import draw_phantom

IDS = ("ISIC_3", "ISIC_1", "ISIC_2")
MASKS = "HAM10000_segmentations_lesion_tschandl"


@pytest.fixture(scope="module")
def phantoms():
    return {image_id: draw_phantom(seed, size_px=(90, 120)) for seed, image_id in enumerate(IDS)}


@pytest.fixture
def root(tmp_path, phantoms) -> Path:
    """Three images in two parts; masks at twice the images' size for the first two only."""
    for folder in ("HAM10000_images_part_1", "HAM10000_images_part_2", MASKS):
        (tmp_path / folder).mkdir()
    for index, (image_id, phantom) in enumerate(phantoms.items()):
        part = tmp_path / f"HAM10000_images_part_{1 + index % 2}"
        Image.fromarray(phantom.image).save(part / f"{image_id}.jpg", quality=95)
        if index < 2:
            mask = np.kron(phantom.lesion_mask, np.ones((2, 2))).astype(np.uint8) * 255
            Image.fromarray(mask).save(tmp_path / MASKS / f"{image_id}_segmentation.png")
    rows = [(f"HAM_{i}", image_id, "nv", "histo", 50.0, "male", "back") for i, image_id in enumerate(IDS)]
    pd.DataFrame(rows, columns=METADATA_COLUMNS).assign(extra=1).to_csv(
        tmp_path / "HAM10000_metadata.csv", index=False
    )
    return tmp_path


@pytest.fixture
def splits(tmp_path) -> Path:
    path = tmp_path / "splits.csv"
    path.write_text("# by lesion\nimage_id,split\nISIC_3,train\nISIC_1,train\nISIC_2,test\n")
    return path


# --- reading


def test_rows_are_sorted_and_name_their_files(root):
    frame = read_ham10000(root)
    assert list(frame["image_id"]) == ["ISIC_1", "ISIC_2", "ISIC_3"]
    assert list(frame.columns) == [*METADATA_COLUMNS, "image_path", "mask_path"]
    assert [Path(path).parent.name[-6:] for path in frame["image_path"]] == ["part_2", "part_1", "part_1"]
    assert [bool(path) for path in frame["mask_path"]] == [True, False, True]


def test_metadata_may_be_named_as_on_dataverse(root):
    (root / "HAM10000_metadata.csv").rename(root / "HAM10000_metadata")
    assert len(read_ham10000(str(root))) == 3


def test_a_split_holds_its_images_with_their_metadata(root, splits):
    frame = read_split(root, "train", splits)
    assert list(frame["image_id"]) == ["ISIC_3", "ISIC_1"]
    assert list(frame["dx"]) == ["nv", "nv"] and frame["image_path"].str.endswith(".jpg").all()


def test_pixels_and_masks_come_at_the_working_size(root, splits, phantoms):
    frame = read_split(root, "train", splits)
    images = load_pixels(frame, long_side_px=100)
    assert [image.shape for image in images] == [(75, 100, 3)] * 2
    for mask, image_id in zip(load_masks(frame, [(90, 120)] * 2), frame["image_id"], strict=True):
        np.testing.assert_array_equal(mask, phantoms[image_id].lesion_mask)


def test_palette_masks_are_read_by_their_colour_not_their_index(tmp_path):
    mask = np.zeros((80, 90), np.uint8)
    mask[20:60, 30:70] = 1
    image = Image.fromarray(mask).convert("P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(tmp_path / "mask.png")
    assert Image.open(tmp_path / "mask.png").mode == "P"
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), mask.astype(bool))


@pytest.mark.parametrize(
    ("value", "expected"), [("", None), ("  ", None), ("/data/ham", Path("/data/ham")), ("~/ham", "home")]
)
def test_the_default_folder_comes_from_the_environment(monkeypatch, value, expected):
    monkeypatch.setenv("DERMALENS_DATA", value)
    assert default_data_dir() == (Path.home() / "ham" if expected == "home" else expected)


# --- refusals


def test_without_a_folder_the_remedy_is_named():
    with pytest.raises(DatasetError, match="set DERMALENS_DATA"):
        read_ham10000(None)


def test_a_folder_without_metadata_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"No HAM10000_metadata.csv in"):
        read_ham10000(tmp_path)


def test_missing_columns_are_named(root):
    frame = pd.read_csv(root / "HAM10000_metadata.csv").drop(columns=["dx", "age"])
    frame.to_csv(root / "HAM10000_metadata.csv", index=False)
    with pytest.raises(DatasetError, match=r"lacks the column\(s\) dx, age"):
        read_ham10000(root)


def test_metadata_that_is_no_table_is_refused(root):
    (root / "HAM10000_metadata.csv").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"HAM10000_metadata\.csv: This is no readable CSV table"):
        read_ham10000(root)


def test_metadata_without_any_image_is_refused(root):
    for path in root.glob("HAM10000_images*/*.jpg"):
        path.unlink()
    with pytest.raises(DatasetError, match="No image in"):
        read_ham10000(root)


def test_an_unknown_split_lists_the_known_ones(root):
    with pytest.raises(DatasetError, match=r"train, validation, test; got 'dev'"):
        read_split(root, "dev")


def test_images_of_the_split_that_are_missing_are_counted(root, splits):
    next(root.glob("HAM10000_images*/ISIC_1.jpg")).unlink()
    with pytest.raises(
        DatasetError, match="1 of 2 images of the train split are missing, the first is ISIC_1"
    ):
        read_split(root, "train", splits)
    assert len(read_split(root, "test", splits)) == 1  # the other split is complete


def test_an_image_without_an_expert_mask_is_named(root, splits):
    with pytest.raises(DatasetError, match="1 images have no expert mask, the first is ISIC_2"):
        load_masks(read_split(root, "test", splits), [(90, 120)])


# --- the real thing


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("DERMALENS_DATA"), reason="set DERMALENS_DATA to the HAM10000 folder to run this"
)
def test_the_release_has_10015_images_of_7470_lesions_each_with_a_mask():
    frame = read_ham10000(default_data_dir())
    assert len(frame) == 10_015 and frame["lesion_id"].nunique() == 7_470
    assert (frame["image_path"] != "").all() and (frame["mask_path"] != "").all()
    counts = [len(read_split(default_data_dir(), split)) for split in ("train", "validation", "test")]
    assert sum(counts) == 10_015
