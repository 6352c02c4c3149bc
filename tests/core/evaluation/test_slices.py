"""Scores in parts of the data."""

import numpy as np
import pytest

from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.metrics import accuracy
from core.evaluation.scores import list_scores
from core.evaluation.slices import SLICE_COLUMNS, score_slice, score_slices, slice_rows
from tests.core.tables import make_table, random_table

CLASSES = ("bkl", "mel", "nv")


def slice_of(column: str, values: list, by: str) -> dict[str, list[int]]:
    """Rows of each slice of a table with these values in a column."""
    table = make_table([("nv", "nv", 0.9)] * len(values), CLASSES, **{column: values})
    return {name: np.flatnonzero(mask).tolist() for name, mask in slice_rows(table, by).items()}


def test_age_bands_begin_where_the_one_before_ends():
    found = slice_of("age", [0, 29, 30, 44.5, 45, 60, 75, 120, None], "age")
    assert found == {
        "0–29": [0, 1],
        "30–44": [2, 3],
        "45–59": [4],
        "60–74": [5],
        "75 and over": [6, 7],
        "unknown": [8],
    }


def test_age_in_words_counts_as_unknown_and_empty_bands_are_left_out():
    assert slice_of("age", ["50", "old"], "age") == {"45–59": [0], "unknown": [1]}


def test_values_come_by_size_with_unknown_last():
    found = slice_of("localization", ["unknown", "ear", "back", "back", None, "unknown"], "site")
    assert list(found) == ["back", "ear", "unknown"]
    assert found["unknown"] == [0, 4, 5]


def test_image_with_two_warnings_is_in_both_slices():
    found = slice_of("warnings", [None, "glare", "blurred; glare", ""], "quality")
    assert found == {"none": [0, 3], "glare": [1, 2], "blurred": [2]}


def test_structures_are_sliced_by_what_was_found_and_by_what_experts_saw():
    found = slice_of("structure_streaks", [0.5, 0.49, None, 0.9], "structure_streaks")
    assert found == {"likely": [0, 3], "unlikely": [1], "unknown": [2]}
    assert slice_of("streaks", [1, 0, None], "streaks") == {"present": [0], "absent": [1], "unknown": [2]}


@pytest.mark.parametrize("by", SLICE_COLUMNS)
def test_slices_cover_every_image(by: str):
    table = random_table(40, CLASSES, seed=2)
    assert np.logical_or.reduce(list(slice_rows(table, by).values())).all()


def test_slice_is_scored_like_a_table_of_its_own():
    table = random_table(80, CLASSES, seed=5)
    score = list_scores(table)["accuracy"]
    whole, *parts = score_slices(table, "sex", score, 0.5, n_resamples=30)
    assert (whole.name, whole.n_images, whole.n_lesions) == ("all", 80, 40)
    for part in parts:
        alone = table.take((table.frame["sex"] == part.name).to_numpy(bool))
        plain = grouped_bootstrap(accuracy, alone.lesions, alone.labels, alone.probabilities, n_resamples=30)
        assert part.n_images == len(alone)
        assert (part.interval.estimate, part.interval.low, part.interval.high) == pytest.approx(
            (plain.estimate, plain.low, plain.high)
        )


def test_counts_are_of_the_images_that_the_score_is_about():
    table = make_table([("mel", "mel", 0.9)] * 2 + [("nv", "nv", 0.9)] * 3, CLASSES)
    found = score_slice("x", table, list_scores(table)["sensitivity"], 0.5, 10)
    assert (found.n_images, found.n_lesions, found.interval.estimate) == (2, 2, 1.0)
    assert found.few


def test_thirty_lesions_are_enough():
    scores = list_scores(make_table([("nv", "nv", 0.9)], CLASSES))
    few, enough = (make_table([("nv", "nv", 0.9)] * n, CLASSES) for n in (29, 30))
    assert score_slice("x", few, scores["accuracy"], 0.5, 10).few
    assert not score_slice("x", enough, scores["accuracy"], 0.5, 10).few


def test_slice_that_the_score_is_not_about_is_undefined():
    table = make_table([("nv", "nv", 0.9), ("", "nv", 0.9)], CLASSES)
    sensitivity = list_scores(table)["sensitivity"]
    found = score_slice("x", table, sensitivity, 0.5, 10)
    assert (found.n_images, np.isnan(found.interval.estimate)) == (0, True)
    unlabelled = score_slice("x", table.take(np.array([1])), list_scores(table)["accuracy"], 0.5, 10)
    assert (unlabelled.n_images, np.isnan(unlabelled.interval.estimate)) == (0, True)


def test_one_lesion_has_no_interval():
    table = make_table([("nv", "nv", 0.9)], CLASSES)
    found = score_slice("x", table, list_scores(table)["accuracy"], 0.5, 10)
    assert found.interval.estimate == 1.0
    assert np.isnan(found.interval.low)
