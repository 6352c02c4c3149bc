"""Two evaluations of the same images."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, norm

from core.evaluation.bootstrap import grouped_bootstrap
from core.evaluation.comparison import (
    ComparisonError,
    mcnemar,
    pair_predictions,
    score_differences,
)
from core.evaluation.metrics import accuracy
from core.evaluation.predictions import Predictions, from_frame
from tests.core.tables import make_table, random_table

CLASSES = ("bkl", "mel", "nv")


def rights(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = (both, only_first, only_second, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


# --- pairing


def test_shared_images_come_in_the_order_of_the_first():
    first = random_table(10, CLASSES, seed=1)
    second = first.take(np.array([7, 2, 5]))
    pair = pair_predictions(first, second)
    assert pair.first.frame["image_id"].tolist() == ["image_2", "image_5", "image_7"]
    assert pair.second.frame["image_id"].tolist() == ["image_2", "image_5", "image_7"]
    assert (pair.first.probabilities == pair.second.probabilities).all()
    assert len(pair) == 3


def test_classes_in_another_order_are_put_right():
    first = make_table([("mel", "nv", 0.7), ("", "bkl", 0.8)], CLASSES)
    second = from_frame(first.frame[["image_id", "dx", "p_nv", "p_mel", "p_bkl"]])
    assert second.classes == ("nv", "mel", "bkl")
    pair = pair_predictions(first, second)
    assert pair.second.classes == CLASSES
    assert pair.second.probabilities == pytest.approx(first.probabilities)
    assert pair.second.labels.tolist() == [1, -1]


def test_truth_that_one_file_knows_holds_for_both():
    first = make_table([("mel", "nv", 0.7), ("", "nv", 0.7)], CLASSES)
    second = make_table([("", "mel", 0.7), ("nv", "nv", 0.7)], CLASSES)
    pair = pair_predictions(first, second)
    assert pair.first.labels.tolist() == pair.second.labels.tolist() == [1, 2]


def test_contradicting_truths_are_left_out_and_counted():
    first = make_table([("mel", "nv", 0.7), ("nv", "nv", 0.7)], CLASSES)
    second = make_table([("bkl", "nv", 0.7), ("nv", "nv", 0.7)], CLASSES)
    pair = pair_predictions(first, second)
    assert pair.first.frame["image_id"].tolist() == ["image_1"]
    assert pair.n_contradictory == 1


def test_classes_that_only_one_knows_are_left_out_of_both():
    first = make_table([("mel", "mel", 0.8), ("bkl", "bkl", 0.9)], CLASSES)  # the rest has 0.1 and 0.05 each
    pair = pair_predictions(first, make_table([("mel", "nv", 0.6), ("nv", "nv", 0.6)], ("mel", "nv")))
    assert pair.left_out == ("bkl",) and pair.first.classes == pair.second.classes == ("mel", "nv")
    assert pair.first.probabilities[0] == pytest.approx([0.8 / 0.9, 0.1 / 0.9])
    # The second names image_1 a nevus; the first's label is none of the common classes.
    assert pair.first.labels.tolist() == [0, 1] and pair.n_contradictory == 0


def test_other_classes_or_no_common_image_cannot_be_compared():
    table = make_table([("nv", "nv", 0.7)], CLASSES)
    with pytest.raises(ComparisonError, match="different classes"):
        pair_predictions(table, make_table([("nv", "nv", 0.7)], ("nv", "vasc")))
    with pytest.raises(ComparisonError, match="no image in common"):
        pair_predictions(table, make_table([("nv", "nv", 0.7)], CLASSES, image_id=["other"]))


# --- differences


@pytest.fixture
def two() -> tuple[Predictions, Predictions]:
    """The same 60 images answered twice."""
    first = random_table(60, CLASSES, seed=1)
    other = np.random.default_rng(9).dirichlet(np.full(3, 0.5), size=60)
    return first, replace(first, probabilities=other)


def test_difference_is_the_paired_bootstrap_of_the_plain_difference(two):
    first, second = two
    found = score_differences(pair_predictions(first, second), (0.5, 0.5), n_resamples=40)["accuracy"]
    plain = grouped_bootstrap(
        lambda labels, a, b: accuracy(labels, b) - accuracy(labels, a),
        first.lesions,
        first.labels,
        first.probabilities,
        second.probabilities,
        n_resamples=40,
    )
    interval = found.difference
    assert (interval.estimate, interval.low, interval.high) == pytest.approx(
        (plain.estimate, plain.low, plain.high)
    )
    assert found.second - found.first == pytest.approx(plain.estimate)


def test_same_evaluation_differs_by_zero_in_everything(two):
    differences = score_differences(pair_predictions(two[0], two[0]), (0.5, 0.5), n_resamples=20)
    assert {"accuracy", "macro_roc_auc", "sensitivity", "dice", "log_loss"} <= set(differences)
    for one in differences.values():
        assert (one.difference.estimate, one.difference.low, one.difference.high) == (0, 0, 0)
        assert one.first == one.second


def test_each_is_judged_at_its_own_threshold(two):
    differences = score_differences(pair_predictions(two[0], two[0]), (0.0, 1.1), n_resamples=5)
    assert (differences["sensitivity"].first, differences["sensitivity"].second) == (1, 0)
    assert (differences["specificity"].first, differences["specificity"].second) == (0, 1)


def test_score_that_only_one_has_is_left_out(two):
    first, second = two
    bare = replace(second, frame=second.frame.drop(columns=["dice", "jaccard"]))
    assert "dice" not in score_differences(pair_predictions(first, bare), (0.5, 0.5), n_resamples=5)


def test_masks_that_only_one_scored_do_not_count(two):
    # The second has no mask for image 10: its Dice must not enter the mean of the first either.
    first, second = two
    frame = second.frame.copy()
    frame.loc[10, ["dice", "jaccard"]] = np.nan
    found = score_differences(
        pair_predictions(first, replace(second, frame=frame)), (0.5, 0.5), n_resamples=5
    )
    assert found["dice"].difference.estimate == 0


# --- McNemar


def test_few_discordant_pairs_are_tested_exactly():
    # b = 1, c = 5: two-sided binomial, 2 * (C(6,0) + C(6,1)) / 2^6 = 14 / 64.
    test = mcnemar(*rights(20, 1, 5, 3))
    assert (test.only_first, test.only_second, test.exact) == (1, 5, True)
    assert test.p_value == pytest.approx(14 / 64)


def test_exact_test_goes_up_to_24_discordant_pairs():
    test = mcnemar(*rights(0, 8, 16, 0))
    assert test.exact
    assert test.p_value == pytest.approx(2 * binom.cdf(8, 24, 0.5))
    assert not mcnemar(*rights(0, 8, 17, 0)).exact


def test_many_discordant_pairs_use_the_corrected_chi_squared():
    # b = 15, c = 35: (|15 - 35| - 1)^2 / 50 = 7.22; one degree of freedom is a squared normal.
    test = mcnemar(*rights(100, 15, 35, 10))
    assert not test.exact
    assert test.p_value == pytest.approx(2 * norm.sf(np.sqrt(7.22)))


def test_equal_numbers_are_no_evidence():
    assert mcnemar(*rights(0, 4, 4, 0)).p_value == pytest.approx(1)
    assert mcnemar(*rights(0, 20, 20, 0)).p_value == pytest.approx(1)


def test_without_disagreement_there_is_nothing_to_test():
    assert np.isnan(mcnemar(*rights(5, 0, 0, 5)).p_value)
    assert np.isnan(mcnemar(np.empty(0, bool), np.empty(0, bool)).p_value)
