"""The drawn dataset: HAM10000's layout, one look a class, the same pictures every time."""

import numpy as np
import pandas as pd
import pytest

from core.datasets.drawn import choose_rows
from core.datasets.ham10000 import read_ham10000, read_mask
from core.datasets.splits import read_splits
from core.images.reading import read_image
from core.phantoms.dataset import is_drawn, spec_of_class, write_dataset

SIZE = (72, 96)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Two images of one melanoma and one of a nevus."""
    columns = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
    table = (
        ("HAM_1", "ISIC_1", "mel", "histo", 50, "male", "back"),
        ("HAM_1", "ISIC_2", "mel", "histo", 50, "male", "back"),
        ("HAM_2", "ISIC_3", "nv", "histo", None, "female", "face"),
    )
    return pd.DataFrame(table, columns=columns)


def test_a_drawn_dataset_is_read_as_ham10000_with_pictures_and_exact_masks(rows, tmp_path):
    counts = []
    root = write_dataset(tmp_path / "drawn", rows, SIZE, lambda done, total: counts.append((done, total)))
    frame = read_ham10000(root)
    assert list(frame["dx"]) == ["mel", "mel", "nv"] and is_drawn(root)
    for image, mask in zip(frame["image_path"], frame["mask_path"], strict=True):
        assert read_image(image).pixels.shape == (*SIZE, 3)
        assert 0.05 < read_mask(mask).mean() < 0.6
    assert counts == [(1, 3), (2, 3), (3, 3)]
    assert [path.name for path in tmp_path.iterdir()] == ["drawn"]


def test_images_of_one_lesion_show_it_mirrored(rows, tmp_path):
    frame = read_ham10000(write_dataset(tmp_path / "drawn", rows, SIZE))
    first, second = (read_mask(path) for path in frame["mask_path"][:2])
    np.testing.assert_array_equal(first, second[::-1])
    assert not np.array_equal(first, second)


def test_a_folder_that_is_there_is_left_as_it_is(rows, tmp_path):
    (tmp_path / "drawn").mkdir()
    write_dataset(tmp_path / "drawn", rows, SIZE)
    assert list((tmp_path / "drawn").iterdir()) == [] and len(list(tmp_path.iterdir())) == 1


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match="must be one of akiec"):
        spec_of_class("xyz", 1)


def test_the_chosen_rows_are_forty_of_each_class_out_of_all_splits():
    rows = choose_rows()
    assert len(rows) == 280 and rows["image_id"].is_unique
    assert set(rows["dx"].value_counts()) == {40} and rows["dx"].nunique() == 7


def test_wanted_images_get_a_picture_but_leave_half_of_a_class_to_the_others():
    before = choose_rows()
    melanomas = read_splits().query("split == 'test' and dx == 'mel'")["image_id"]
    rare = [*melanomas[~melanomas.isin(before["image_id"])][:15], "not in the set"]
    after = set(choose_rows(rare)["image_id"])
    assert after >= set(rare[:10]) and not after & set(rare[10:])
    assert len(after) == 280 and len(after & set(before["image_id"])) == 270
