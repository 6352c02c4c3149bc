"""Shift between two sets of images, by known distances and by chance."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from core.evaluation import shift
from core.evaluation.shift import MALIGNANCY, Verdict, compare_sets, judge, rank_farthest
from tests.core.tables import make_table

CLASSES = ("bkl", "mel", "nv")


def table(n: int, seed: int = 0, melanomas: float = 0.2, **measures):
    rng = np.random.default_rng(seed)
    answers = [("", "mel" if rng.random() < melanomas else "nv", float(p)) for p in rng.uniform(0.6, 0.9, n)]
    return make_table(answers, CLASSES, **measures)


def normal(n: int, mean: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.1, n)


def by_name(shifts):
    return {one.name: one for one in shifts}


def test_the_distance_is_that_of_scipy_also_with_ties_and_gaps():
    own, reference = np.round(normal(80, 0.55, 1), 1), np.round(normal(200, 0.5, 2), 1)
    own[:3] = np.nan
    found = by_name(compare_sets(table(80, brightness=own), table(200, 1, brightness=reference)))
    expected = ks_2samp(own[3:], reference).statistic
    assert found["brightness"].distance == pytest.approx(expected)
    assert found["brightness"].median == pytest.approx(np.nanmedian(own))


def test_a_darker_set_is_shifted_and_stands_first():
    own = table(100, brightness=normal(100, 0.4, 1), sharpness=normal(100, 0.7, 2))
    reference = table(300, 1, brightness=normal(300, 0.6, 3), sharpness=normal(300, 0.7, 4))
    shifts = compare_sets(own, reference)
    assert shifts[0].name == "brightness" and shifts[0].large and not by_name(shifts)["sharpness"].large
    assert judge(shifts, 100) is Verdict.SHIFTED
    assert judge(shifts, 29) is Verdict.TOO_FEW


def test_two_draws_of_one_distribution_are_alike():
    within = 0
    for seed in range(12):
        own = table(60, seed, novelty=normal(60, 0.5, seed))
        reference = table(200, 50 + seed, novelty=normal(200, 0.5, 50 + seed))
        within += not by_name(compare_sets(own, reference))["novelty"].beyond_chance
    assert within >= 9  # 0.95 each: fewer than 9 of 12 happens twice in 10,000 times


def test_more_melanomas_alone_are_another_mix():
    own = table(120, melanomas=0.7, brightness=normal(120, 0.5, 1))
    reference = table(300, 1, melanomas=0.1, brightness=normal(300, 0.5, 2))
    shifts = compare_sets(own, reference)
    assert shifts[-1].name == "mix" and shifts[-1].distance == pytest.approx(0.6, abs=0.1)
    assert by_name(shifts)[MALIGNANCY].large and judge(shifts, 120) is Verdict.MIX
    assert judge(compare_sets(reference, reference), 300) is Verdict.LIKE


def test_many_images_of_one_lesion_count_as_one():
    # 40 dark images of a single lesion differ from the rest, but one lesion can by chance.
    own = table(40, brightness=np.full(40, 0.2))
    own = shift.Predictions(own.frame.assign(lesion_id="one"), own.classes, own.probabilities, own.labels)
    found = compare_sets(own, table(100, 1, brightness=normal(100, 0.5, 1)))
    chance = by_name(found)["brightness"].by_chance
    alone = compare_sets(
        table(40, brightness=np.full(40, 0.2)), table(100, 1, brightness=normal(100, 0.5, 1))
    )
    assert chance > 2 * by_name(alone)["brightness"].by_chance


def test_tables_without_the_columns_are_compared_by_their_answers_alone():
    assert not shift.has_measures(table(10)) and shift.has_measures(table(10, sharpness=np.ones(10)))
    assert set(by_name(compare_sets(table(40), table(50, 1)))) == {"malignancy", "confidence", "mix"}


def test_the_farthest_images_come_first_and_unknown_ones_are_left_out():
    own = table(4, brightness=[0.5, 0.9, np.nan, 0.2])
    assert rank_farthest(own, table(3, brightness=[0.4, 0.5, 0.6]), "brightness").tolist() == [1, 3, 0]


def test_large_sets_are_compared_by_a_draw(monkeypatch):
    monkeypatch.setattr(shift, "MAX_IMAGES", 50)
    reference = table(200, 1, brightness=normal(200, 0.6, 3))
    assert (
        by_name(compare_sets(table(100, brightness=normal(100, 0.2, 1)), reference))["brightness"].distance
        > 0.9
    )


def test_tables_of_different_classes_are_compared_among_those_that_both_have():
    answers = [("", "mel", 0.6), ("", "nv", 0.6)] * 30
    found = compare_sets(make_table(answers, ("mel", "nv")), make_table(answers, ("scc", "nv", "mel")))
    # 0.6 and 0.2 + 0.2 become 0.75 and 0.25 among two classes; the answers stay.
    assert by_name(found)["mix"].distance == 0
    assert by_name(found)[MALIGNANCY].reference_median == pytest.approx(0.5)
