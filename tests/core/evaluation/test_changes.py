"""Two evaluations joined: what kind of change, how large, in which order."""

import pytest

from core.evaluation.changes import BETTER, KINDS, OTHER, SAME, WORSE, list_changes
from core.evaluation.comparison import pair_predictions
from tests.core.tables import make_table

CLASSES = ("bkl", "mel", "nv")
FIRST = [("nv", "nv", 0.8), ("mel", "nv", 0.9), ("mel", "nv", 0.6), ("", "nv", 0.6), ("nv", "nv", 0.5)]
SECOND = [("nv", "mel", 0.8), ("mel", "mel", 0.9), ("mel", "bkl", 0.6), ("", "mel", 0.9), ("nv", "nv", 0.9)]
CHANGES = list_changes(pair_predictions(make_table(FIRST, CLASSES), make_table(SECOND, CLASSES)))


def test_each_image_has_one_kind_of_change():
    assert CHANGES.kinds.tolist() == [WORSE, BETTER, OTHER, OTHER, SAME]
    assert [CHANGES.count(kind) for kind in KINDS] == [1, 1, 2, 1]


def test_the_distance_is_the_probability_that_moved():
    # Image 4: nv from 0.5 to 0.9; image 2: nv 0.6 -> 0.2, bkl 0.2 -> 0.6.
    assert CHANGES.distance == pytest.approx([0.7, 0.85, 0.4, 0.7, 0.4])
    assert CHANGES.malignancy == pytest.approx([0.7, 0.85, 0.0, 0.7, -0.2])


def test_rows_come_by_change_or_by_the_way_malignancy_went():
    assert CHANGES.rows((WORSE, BETTER, OTHER), "distance").tolist() == [1, 0, 3, 2]
    assert CHANGES.rows(KINDS, "rise").tolist() == [1, 0, 3, 2, 4]
    assert CHANGES.rows(KINDS, "fall").tolist()[0] == 4
    assert CHANGES.rows((BETTER,), "fall").tolist() == [1]
