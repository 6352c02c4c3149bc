"""Scores in groups of people, their order and the gaps between them."""

import numpy as np
import pytest

from core.evaluation.fairness import COVERAGE, FALSE_ALARMS, SENSITIVITY, find_gaps, score_groups
from core.evaluation.slices import slice_rows
from tests.core.tables import make_table

CLASSES = ("bkl", "mel", "nv")
# 40 lesions a tone: 20 melanomas and 20 nevi. Tone 5: all right; tone 1: 10 melanomas missed, 5 false alarms.
LIGHT = [("mel", "mel", 0.9)] * 20 + [("nv", "nv", 0.9)] * 20
DARK = (
    [("mel", "mel", 0.9)] * 10
    + [("mel", "nv", 0.9)] * 10
    + [("nv", "nv", 0.9)] * 15
    + [("nv", "mel", 0.9)] * 5
)


@pytest.fixture
def table():
    return make_table(LIGHT + DARK, CLASSES, skin_tone_class=["5"] * 40 + ["1.0"] * 40)


def test_the_group_that_is_missed_most_comes_first_with_its_counts(table):
    worst, best = score_groups(table, "skin_tone", 0.5, n_resamples=200)
    assert (worst.name, best.name) == ("1 (dark)", "5 (very light)")
    assert (worst.n_images, worst.n_lesions, worst.n_malignant) == (40, 40, 20)
    assert worst.intervals[SENSITIVITY].estimate == 0.5 and worst.intervals[FALSE_ALARMS].estimate == 0.25
    assert worst.intervals[SENSITIVITY].low < 0.5 < worst.intervals[SENSITIVITY].high
    assert best.intervals[SENSITIVITY].estimate == 1


def test_a_gap_is_the_best_minus_the_worst_in_the_direction_that_is_worse(table):
    gaps = {gap.score: gap for gap in find_gaps(score_groups(table, "skin_tone", 0.5, n_resamples=400))}
    assert gaps[SENSITIVITY].interval.estimate == 0.5 and gaps[FALSE_ALARMS].interval.estimate == 0.25
    assert gaps[SENSITIVITY].interval.low > 0.2  # 0.5 +- 2 * sqrt(0.25 / 20) = 0.5 +- 0.22
    assert (gaps[SENSITIVITY].worst, gaps[SENSITIVITY].best) == ("1 (dark)", "5 (very light)")


def test_coverage_counts_the_true_class_in_the_set(table):
    # A class is in the set from a probability of 0.5 on: the answer alone.
    worst, best = score_groups(table, "skin_tone", 0.5, np.full(3, 0.5), n_resamples=20)
    assert worst.intervals[COVERAGE].estimate == 25 / 40 and best.intervals[COVERAGE].estimate == 1
    assert COVERAGE not in score_groups(table, "skin_tone", 0.5, n_resamples=20)[0].intervals


def test_groups_of_few_lesions_make_no_gap():
    few = make_table(LIGHT + DARK[:5], CLASSES, skin_tone_class=["5"] * 40 + ["1"] * 5)
    groups = score_groups(few, "skin_tone", 0.5, n_resamples=20)
    assert [group.few for group in groups] == [True, False] or [group.few for group in groups] == [
        False,
        True,
    ]
    assert find_gaps(groups) == []


def test_a_group_without_malignant_lesions_has_no_sensitivity_and_comes_last(table):
    benign = make_table(DARK + [("nv", "nv", 0.9)] * 3, CLASSES, skin_tone_class=["1"] * 40 + ["0"] * 3)
    last = score_groups(benign, "skin_tone", 0.5, n_resamples=20)[-1]
    assert last.name == "0 (very dark)" and np.isnan(last.intervals[SENSITIVITY].estimate)


def test_tones_are_ordered_from_dark_to_light_and_others_are_unknown():
    table = make_table(LIGHT[:5], CLASSES, skin_tone_class=["5", "0", None, "7", "0.0"])
    found = {name: np.flatnonzero(rows).tolist() for name, rows in slice_rows(table, "skin_tone").items()}
    assert list(found.items()) == [("0 (very dark)", [1, 4]), ("5 (very light)", [0]), ("unknown", [2, 3])]
