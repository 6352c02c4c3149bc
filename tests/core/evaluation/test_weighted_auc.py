"""Weighted area under the curve and average precision against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from core.evaluation.weighted_auc import rank


@pytest.mark.parametrize("decimals", [1, 9], ids=["many ties", "no ties"])
def test_weighted_scores_agree_with_scikit_learn(decimals):
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.3
    score = np.round(rng.random(300) + 0.3 * positive, decimals)
    weights = rng.integers(0, 4, size=(300, 5)).astype(np.float32)
    areas, precisions = rank(positive, score).score(weights)
    for column, area, precision in zip(weights.T, areas, precisions, strict=True):
        assert area == pytest.approx(roc_auc_score(positive, score, sample_weight=column))
        assert precision == pytest.approx(average_precision_score(positive, score, sample_weight=column))


def test_scores_by_hand():
    # Falling: + - + -. Pairs in order: 3 of 4; precision at the positives: 1/1 and 2/3.
    area, precision = rank(np.array([True, False, True, False]), np.array([4, 3, 2, 1.0])).score(
        np.ones((4, 1), np.float32)
    )
    assert area == pytest.approx([3 / 4]) and precision == pytest.approx([(1 + 2 / 3) / 2])


def test_a_draw_without_one_outcome_is_undefined():
    weights = np.array([[1, 0, 1], [1, 1, 0]], np.float32)
    area, precision = rank(np.array([True, False]), np.array([0.9, 0.1])).score(weights)
    assert area[0] == 1 and np.isnan(area[1:]).all()
    assert precision.tolist()[::2] == [1, 1] and np.isnan(precision[1])


def test_nobody_is_undefined():
    area, precision = rank(np.zeros(0, bool), np.zeros(0)).score(np.zeros((0, 2), np.float32))
    assert np.isnan(area).all() and np.isnan(precision).all()
