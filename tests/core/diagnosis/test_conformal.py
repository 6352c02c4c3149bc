"""Prediction sets: quantiles worked out by hand, what a set holds, and how often it holds the truth."""

import math

import numpy as np
import pytest

from core.diagnosis.conformal import fit_class_quantiles, fit_quantile, prediction_set
from core.evaluation.coverage import coverage


def test_quantile_is_the_order_statistic_with_the_finite_sample_correction():
    # ceil((n + 1) c): n = 9, c = 0.9 -> the 9th smallest; n = 19 -> the 18th; c = 0.5, n = 4 -> the 3rd.
    assert fit_quantile(np.arange(1, 10) / 10, 0.9) == 0.9
    assert fit_quantile(np.arange(19, 0, -1) / 20, 0.9) == 18 / 20
    assert fit_quantile(np.array([0.4, 0.1, 0.3, 0.2]), 0.5) == 0.3


@pytest.mark.parametrize("n", [0, 1, 8])
def test_too_few_images_for_the_level_let_every_class_in(n):
    assert fit_quantile(np.zeros(n), 0.9) == 1.0
    assert prediction_set(np.array([1.0, 0.0]), fit_quantile(np.zeros(n), 0.9)).all()


@pytest.mark.parametrize("level", [0, 1, -0.1, math.nan])
def test_a_level_outside_0_to_1_is_refused(level):
    with pytest.raises(ValueError, match="confidence_level"):
        fit_quantile(np.array([0.1]), level)


def test_class_quantiles_look_at_images_of_their_class_only():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    labels = np.array([0, 0, 0, 1])
    # Class 0: 1 - p = 0.1, 0.4, 0.3; ceil(4 x 0.5) = 2nd smallest. Class 1: 0.2; ceil(2 x 0.5) = 1st.
    np.testing.assert_allclose(fit_class_quantiles(probabilities, labels, 0.5), [0.3, 0.2])
    # Class 1 without images: everything is let in.
    np.testing.assert_allclose(fit_class_quantiles(probabilities[:3], labels[:3], 0.5), [0.3, 1.0])


def test_set_holds_the_classes_within_the_quantile_and_those_on_it():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.29, 0.42, 0.29]])
    assert prediction_set(probabilities, 0.7).tolist() == [[True, True, False], [False, True, False]]
    assert prediction_set(probabilities[0], np.array([0.4, 0.8, 0.7])).tolist() == [False, True, False]


def test_set_may_be_empty_and_may_hold_all():
    even = np.full(4, 0.25)
    assert not prediction_set(even, 0.5).any()
    assert prediction_set(even, 1.0).all()


def test_larger_quantiles_never_take_a_class_out():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 50)
    small, large = prediction_set(probabilities, 0.6), prediction_set(probabilities, 0.8)
    assert (large >= small).all() and large.sum() > small.sum()


def test_sets_cover_new_images_as_often_as_promised():
    # Labels drawn from the probabilities themselves, so calibration and new images are exchangeable.
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.full(4, 0.5), 6000)
    labels = (rng.random((6000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(max=3)
    known, new = slice(0, 3000), slice(3000, None)
    quantiles = fit_class_quantiles(probabilities[known], labels[known], 0.9)
    found = coverage(probabilities[new], labels[new], quantiles, np.arange(3000).astype(str))
    assert found["overall"]["estimate"] == pytest.approx(0.9, abs=0.02)
    assert [entry["estimate"] for entry in found["by_class"]] == pytest.approx([0.9] * 4, abs=0.04)


def test_coverage_counts_by_hand():
    probabilities = np.array([[0.8, 0.15, 0.05], [0.5, 0.45, 0.05], [0.9, 0.05, 0.05], [0.34, 0.33, 0.33]])
    labels = np.array([0, 1, 1, 0])
    # With 0.6: {0}, {0, 1}, {0}, {} -> covered: yes, yes, no, no.
    found = coverage(probabilities, labels, 0.6, np.array(["a", "b", "c", "d"]))
    assert found["overall"]["estimate"] == 0.5 and found["overall"]["n_images"] == 4
    assert [entry["estimate"] for entry in found["by_class"][:2]] == [0.5, 0.5]
    assert (found["mean_size"], found["share_single"], found["share_empty"]) == (1.0, 0.5, 0.25)
    absent = found["by_class"][2]
    assert math.isnan(absent["estimate"]) and absent["n_images"] == 0


def test_interval_of_coverage_resamples_lesions():
    rng = np.random.default_rng(2)
    probabilities, labels = rng.dirichlet(np.ones(3), 60), rng.integers(0, 3, 60)
    alone = coverage(probabilities, labels, 0.7, np.arange(60).astype(str))["overall"]
    grouped = coverage(probabilities, labels, 0.7, np.repeat(["a", "b"], 30))["overall"]
    one = coverage(probabilities, labels, 0.7, np.repeat(["a"], 60))["overall"]
    assert alone["low"] < alone["estimate"] < alone["high"]
    assert grouped["estimate"] == alone["estimate"] and grouped["low"] != alone["low"]
    assert math.isnan(one["low"])
