"""Scores in groups of people, their order and the gaps between them."""

import numpy as np
import pytest

from core.evaluation.fairness import COVERAGE, FALSE_ALARMS, SENSITIVITY, find_gaps, score_groups
from core.evaluation.slices import slice_rows
from tests.core.tables import make_table

CLASSES = ("bkl", "mel", "nv")
# 80 lesions a tone: 40 melanomas and 40 nevi. Tone 5: all right; tone 1: 20 melanomas missed, 10 false alarms.
LIGHT = [("mel", "mel", 0.9)] * 40 + [("nv", "nv", 0.9)] * 40
DARK = (
    [("mel", "mel", 0.9)] * 20
    + [("mel", "nv", 0.9)] * 20
    + [("nv", "nv", 0.9)] * 30
    + [("nv", "mel", 0.9)] * 10
)


@pytest.fixture
def table():
    return make_table(LIGHT + DARK, CLASSES, skin_tone_class=["5"] * 80 + ["1.0"] * 80)


def test_the_group_that_is_missed_most_comes_first_with_its_counts(table):
    worst, best = score_groups(table, "skin_tone", 0.5, n_resamples=200)
    assert (worst.name, best.name) == ("1 (dark)", "5 (very light)")
    assert (worst.n_images, worst.n_lesions, worst.n_malignant) == (80, 80, 40)
    assert worst.intervals[SENSITIVITY].estimate == 0.5 and worst.intervals[FALSE_ALARMS].estimate == 0.25
    assert worst.intervals[SENSITIVITY].low < 0.5 < worst.intervals[SENSITIVITY].high
    assert best.intervals[SENSITIVITY].estimate == 1


def test_a_gap_is_the_best_minus_the_worst_in_the_direction_that_is_worse(table):
    gaps = {gap.score: gap for gap in find_gaps(score_groups(table, "skin_tone", 0.5, n_resamples=400))}
    assert gaps[SENSITIVITY].interval.estimate == 0.5 and gaps[FALSE_ALARMS].interval.estimate == 0.25
    assert gaps[SENSITIVITY].interval.low > 0.3  # 0.5 +- 2 * sqrt(0.50 / 80) = 0.5 +- 0.16
    assert (gaps[SENSITIVITY].worst, gaps[SENSITIVITY].best) == ("1 (dark)", "5 (very light)")


def test_coverage_counts_the_true_class_in_the_set(table):
    # A class is in the set from a probability of 0.5 on: the answer alone.
    worst, best = score_groups(table, "skin_tone", 0.5, np.full(3, 0.5), n_resamples=20)
    assert worst.intervals[COVERAGE].estimate == 50 / 80 and best.intervals[COVERAGE].estimate == 1
    assert COVERAGE not in score_groups(table, "skin_tone", 0.5, n_resamples=20)[0].intervals


def test_few_malignant_lesions_come_last_and_make_no_gap_in_sensitivity():
    # Tone 1 has 5 melanomas, all missed, and 40 nevi.
    few = make_table(LIGHT + DARK[20:25] + LIGHT[40:], CLASSES, skin_tone_class=["5"] * 80 + ["1"] * 45)
    groups = score_groups(few, "skin_tone", 0.5, n_resamples=20)
    assert [group.name for group in groups] == ["5 (very light)", "1 (dark)"]
    assert groups[1].intervals[SENSITIVITY].estimate == 0 and groups[1].few(SENSITIVITY)
    assert {SENSITIVITY, FALSE_ALARMS} & {gap.score for gap in find_gaps(groups)} == {FALSE_ALARMS}


def test_a_group_without_malignant_lesions_has_no_sensitivity_and_comes_last(table):
    benign = make_table(DARK + [("nv", "nv", 0.9)] * 3, CLASSES, skin_tone_class=["1"] * 80 + ["0"] * 3)
    last = score_groups(benign, "skin_tone", 0.5, n_resamples=20)[-1]
    assert last.name == "0 (very dark)" and np.isnan(last.intervals[SENSITIVITY].estimate)


def test_tones_are_ordered_from_dark_to_light_and_others_are_unknown():
    table = make_table(LIGHT[:5], CLASSES, skin_tone_class=["5", "0", None, "7", "0.0"])
    found = {name: np.flatnonzero(rows).tolist() for name, rows in slice_rows(table, "skin_tone").items()}
    assert list(found.items()) == [("0 (very dark)", [1, 4]), ("5 (very light)", [0]), ("unknown", [2, 3])]


def test_intersections_of_two_facts_leave_out_who_lacks_one(table):
    sexes = (["female"] * 20 + ["male"] * 20) * 4
    crossed = make_table(LIGHT + DARK, CLASSES, skin_tone_class=["5"] * 80 + ["1"] * 79 + [None], sex=sexes)
    groups = score_groups(crossed, "skin_tone", 0.5, n_resamples=20, second="sex")
    counts = {group.name: (group.n_images, group.n_malignant) for group in groups}
    # The last dark image has no tone. Of the dark melanomas the first 20, of women, are all found.
    assert counts == {
        "1 (dark) × male": (39, 20),
        "1 (dark) × female": (40, 20),
        "5 (very light) × female": (40, 20),
        "5 (very light) × male": (40, 20),
    }
    by_name = {group.name: group for group in groups}
    assert by_name["1 (dark) × male"].intervals[SENSITIVITY].estimate == 0
    assert by_name["1 (dark) × female"].intervals[SENSITIVITY].estimate == 1
    assert not any(group.too_small for group in groups) and all(group.few(SENSITIVITY) for group in groups)
