"""Mask metrics against hand derivations and scikit-learn."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference

from core.evaluation import mask_metrics as metrics

A = np.array([[True, True, False], [True, False, False]])  # 3 pixels
B = np.array([[True, False, False], [True, True, True]])  # 4 pixels, 2 shared
EMPTY, FULL = np.zeros((2, 3), bool), np.ones((2, 3), bool)


def test_overlap_metrics_by_hand():
    assert metrics.dice(A, B) == pytest.approx(2 * 2 / (3 + 4))
    assert metrics.jaccard(A, B) == pytest.approx(2 / 5)
    assert metrics.pixel_accuracy(A, B) == pytest.approx(3 / 6)  # both: 2, neither: 1
    assert metrics.mask_sensitivity(A, B) == pytest.approx(2 / 4)
    assert metrics.mask_specificity(A, B) == pytest.approx(1 / 2)


def test_overlap_of_equal_and_of_disjoint_masks():
    assert metrics.dice(A, A) == metrics.jaccard(A, A) == 1
    assert metrics.dice(A, ~A) == metrics.jaccard(A, ~A) == 0
    assert metrics.dice(A, EMPTY) == 0


def test_undefined_overlap_is_nan():
    assert math.isnan(metrics.dice(EMPTY, EMPTY)) and math.isnan(metrics.jaccard(EMPTY, EMPTY))
    assert math.isnan(metrics.thresholded_jaccard(EMPTY, EMPTY))
    assert math.isnan(metrics.mask_sensitivity(A, EMPTY)) and math.isnan(metrics.mask_specificity(A, FULL))
    assert math.isnan(metrics.pixel_accuracy(np.zeros((0, 3), bool), np.zeros((0, 3), bool)))


def test_overlap_agrees_with_scikit_learn_and_dice_follows_from_jaccard():
    rng = np.random.default_rng(1)
    for density in (0.05, 0.5, 0.95):
        a, b = rng.random((2, 31, 47)) < density
        flat = b.ravel(), a.ravel()
        assert metrics.dice(a, b) == pytest.approx(reference.f1_score(*flat))
        assert metrics.jaccard(a, b) == pytest.approx(reference.jaccard_score(*flat))
        assert metrics.pixel_accuracy(a, b) == pytest.approx(reference.accuracy_score(*flat))
        assert metrics.mask_sensitivity(a, b) == pytest.approx(reference.recall_score(*flat))
        assert metrics.mask_specificity(a, b) == pytest.approx(reference.recall_score(*flat, pos_label=False))
        j = metrics.jaccard(a, b)
        assert metrics.dice(a, b) == pytest.approx(2 * j / (1 + j))


@pytest.mark.parametrize("metric", [metrics.dice, metrics.jaccard, metrics.pixel_accuracy])
def test_overlap_is_symmetric(metric):
    assert metric(A, B) == metric(B, A)


def test_thresholded_jaccard_drops_failed_masks():
    assert metrics.thresholded_jaccard(A, B) == 0
    assert metrics.thresholded_jaccard(A, B, threshold=0.4) == pytest.approx(0.4)  # at the limit it passes


def test_segmentation_scores_leave_undefined_images_out():
    jaccards = np.array([0.9, 0.5, math.nan])
    scores = metrics.segmentation_scores(2 * jaccards / (1 + jaccards), jaccards)
    assert scores["jaccard"] == pytest.approx(0.7)
    assert scores["thresholded_jaccard"] == pytest.approx(0.45)
    assert scores["share_failed"] == 0.5 and scores["n_images"] == 2
    nothing = metrics.segmentation_scores(np.array([]), np.array([]))
    assert math.isnan(nothing["dice"]) and nothing["n_images"] == 0
    with pytest.raises(ValueError, match="jaccards"):
        metrics.segmentation_scores(np.zeros(3), np.zeros(2))


@pytest.mark.parametrize("bad", [A.astype(np.uint8), A[:, :2]])
def test_masks_of_other_type_or_shape_are_refused(bad):
    with pytest.raises(ValueError, match="bool and of one shape"):
        metrics.dice(A, bad)
