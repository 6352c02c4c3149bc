"""What comes first among the errors."""

import pytest

from core.evaluation.mistakes import confident_mistakes, disagreeing_views, first_to_look_at, worst_masks
from tests.core.tables import make_table

CLASSES = ("bkl", "mel", "nv")


def test_missed_melanomas_come_first_then_the_surest_mistakes():
    table = make_table(
        [
            ("nv", "nv", 0.9),  # right
            ("nv", "mel", 0.8),
            ("mel", "nv", 0.6),  # missed
            ("bkl", "nv", 0.95),
            ("", "nv", 0.9),  # nobody knows
            ("mel", "bkl", 0.7),  # missed, surer
            ("mel", "mel", 0.9),  # right
        ],
        CLASSES,
    )
    assert confident_mistakes(table).tolist() == [5, 2, 3, 1]


def test_classes_without_melanoma_still_have_mistakes():
    table = make_table([("nv", "bkl", 0.6), ("bkl", "nv", 0.9)], ("bkl", "nv"))
    assert confident_mistakes(table).tolist() == [1, 0]


def test_masks_come_by_rising_dice_without_undefined_ones():
    table = make_table([("nv", "nv", 0.9)] * 4, CLASSES, dice=[0.9, None, 0.1, 0.5])
    assert worst_masks(table).tolist() == [2, 3, 0]


def test_views_that_all_agree_are_no_disagreement():
    table = make_table([("nv", "nv", 0.9)] * 4, CLASSES, agreement=[1.0, 0.5, None, 0.25])
    assert disagreeing_views(table).tolist() == [3, 1]


@pytest.mark.parametrize("find", [worst_masks, disagreeing_views])
def test_file_without_the_column_has_none(find):
    assert find(make_table([("nv", "nv", 0.9)], CLASSES)).tolist() == []


def test_the_queues_take_turns_and_name_each_image_once():
    table = make_table(
        [("nv", "bkl", 0.9), ("nv", "bkl", 0.8), ("nv", "nv", 0.9)],
        CLASSES,
        dice=[0.1, None, 0.9],  # queue: 0, 2
        agreement=[1.0, 0.5, 0.25],  # queue: 2, 1
    )
    assert first_to_look_at(table) == ["image_0", "image_2", "image_1"]
