"""Curve points against scikit-learn; thinning; averages."""

import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score, roc_curve

from core.evaluation.curves import average_precision_recall, average_roc, trace_curve
from core.evaluation.operating_point import operate


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    positive = rng.random(20_000) < 0.05
    return positive, np.round(rng.normal(size=20_000) + 1.5 * positive, 6)


def test_points_are_those_of_scikit_learn(scored):
    positive, score = (values[:300] for values in scored)
    curve = trace_curve(positive, score)
    false_alarms, sensitivity, thresholds = roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, false_alarms[1:])
    np.testing.assert_allclose(curve.sensitivity, sensitivity[1:])
    np.testing.assert_allclose(curve.thresholds, thresholds[1:])
    precision, recall, _ = precision_recall_curve(positive, score)
    np.testing.assert_allclose(curve.precision, precision[-2::-1])
    np.testing.assert_allclose(curve.sensitivity, recall[-2::-1])


def test_thinned_curve_keeps_ends_area_and_true_points(scored):
    positive, score = scored
    curve = trace_curve(positive, score)
    assert 200 < len(curve.thresholds) <= 402
    assert curve.thresholds[0] == score.max() and curve.sensitivity[-1] == curve.false_positive_rate[-1] == 1
    area = auc(np.append(0, curve.false_positive_rate), np.append(0, curve.sensitivity))
    assert area == pytest.approx(roc_auc_score(positive, score), abs=0.002)
    point = operate(positive, score, curve.thresholds[100])
    assert point.sensitivity == pytest.approx(curve.sensitivity[100])
    assert 1 - point.specificity == pytest.approx(curve.false_positive_rate[100])


def test_ties_are_one_point():
    curve = trace_curve(np.array([True, False, True]), np.array([0.5, 0.5, 0.2]))
    assert curve.thresholds.tolist() == [0.5, 0.2]
    assert curve.sensitivity.tolist() == [0.5, 1] and curve.false_positive_rate.tolist() == [1, 1]


@pytest.mark.parametrize("positive", [np.zeros(3, bool), np.ones(3, bool), np.zeros(0, bool)])
def test_one_outcome_has_no_curve(positive):
    assert trace_curve(positive, np.arange(len(positive), dtype=float)) is None


def test_averages_lie_between_their_curves():
    perfect = trace_curve(np.array([True, False]), np.array([0.9, 0.1]))
    useless = trace_curve(np.array([True, False]), np.array([0.5, 0.5]))
    rates, sensitivity = average_roc([perfect, useless])
    # Sensitivity 1 and the diagonal: (1 + x) / 2; at 0 the perfect curve jumps from 0 to 1.
    np.testing.assert_allclose(sensitivity[1:], (1 + rates[1:]) / 2)
    recalls, precision = average_precision_recall([perfect, useless])
    # Precision 1 and the prevalence of a half.
    np.testing.assert_allclose(precision, 0.75)
    assert recalls[0] > 0 and recalls[-1] == 1
