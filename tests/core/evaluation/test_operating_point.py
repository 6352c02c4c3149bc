"""The 2x2 table at a threshold and what follows from it."""

import numpy as np
import pytest

from core.evaluation.bootstrap import draw_lesions, grouped_bootstrap
from core.evaluation.operating_point import OperatingPoint, operate, operating_intervals

POSITIVE = np.array([True, True, True, True, False, False, False, False, False, False])
SCORE = np.array([0.9, 0.8, 0.5, 0.1, 0.7, 0.4, 0.3, 0.2, 0.1, 0.0])


def test_counts_and_rates_by_hand():
    # At 0.5, which counts as called: three of four positives and one of six negatives.
    point = operate(POSITIVE, SCORE, 0.5)
    assert point == OperatingPoint(0.5, 3, 1, 1, 5)
    assert point.sensitivity == 3 / 4 and point.specificity == 5 / 6 and point.prevalence == 0.4


def test_predictive_values_follow_the_prevalence():
    point = operate(POSITIVE, SCORE, 0.5)
    # At the sample's own prevalence they are shares of its counts: 3 of 4 called, 5 of 6 not called.
    assert point.positive_predictive_value(0.4) == pytest.approx(3 / 4)
    assert point.negative_predictive_value(0.4) == pytest.approx(5 / 6)
    # Of 1,000 patients 20 are positive: a quarter is missed; of 980 others a sixth is called.
    assert point.missed_per_1000(0.02) == pytest.approx(5)
    assert point.false_alarms_per_1000(0.02) == pytest.approx(980 / 6)
    assert point.positive_predictive_value(0.02) == pytest.approx(15 / (15 + 980 / 6))
    assert point.negative_predictive_value(0.02) == pytest.approx((980 * 5 / 6) / (980 * 5 / 6 + 5))


def test_undefined_rates_are_nan():
    nobody_positive = operate(np.zeros(3, bool), np.array([0.1, 0.2, 0.3]), 0.5)
    assert np.isnan(nobody_positive.sensitivity) and nobody_positive.specificity == 1
    assert np.isnan(nobody_positive.positive_predictive_value(0.1))
    nobody_called = operate(POSITIVE, SCORE, 2.0)
    assert nobody_called.sensitivity == 0 and np.isnan(nobody_called.positive_predictive_value(0.4))
    assert np.isnan(operate(np.zeros(0, bool), np.zeros(0), 0.5).prevalence)


def test_intervals_are_those_of_the_grouped_bootstrap():
    lesions = np.array(list("aabbccddee"))
    found = operating_intervals(POSITIVE, SCORE, 0.5, draw_lesions(lesions, 200, seed=1))

    def sensitivity(positive, score):
        return operate(positive, score, 0.5).sensitivity

    expected = grouped_bootstrap(sensitivity, lesions, POSITIVE, SCORE, n_resamples=200, seed=1)
    assert found["sensitivity"] == expected
    assert found["specificity"].estimate == 5 / 6
