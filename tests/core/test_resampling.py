"""Lesion draws as weights: the same draws as `grouped_bootstrap`, so the same intervals."""

import numpy as np
import pytest

from core.evaluation.bootstrap import grouped_bootstrap
from core.resampling import affordable_resamples, draw_lesions


@pytest.fixture
def lesions():
    return np.random.default_rng(3).integers(40, size=100).astype(str)


def test_interval_of_a_mean_is_that_of_the_grouped_bootstrap(lesions):
    values = np.random.default_rng(0).normal(size=100)
    ours = draw_lesions(lesions, 300, seed=2)
    theirs = grouped_bootstrap(np.mean, lesions, values, n_resamples=300, seed=2)
    interval = ours.interval(ours.means(values))
    assert (interval.estimate, interval.low, interval.high) == pytest.approx(
        (theirs.estimate, theirs.low, theirs.high)
    )


def test_first_weights_are_the_sample_and_lesions_stay_whole(lesions):
    resamples = draw_lesions(lesions, 5)
    weights = resamples.map_weights(lambda block: block)
    assert weights.shape == (100, 6) and resamples.n_draws == 5
    assert (weights[:, 0] == 1).all()
    for lesion in np.unique(lesions):
        assert (np.ptp(weights[lesions == lesion], axis=0) == 0).all()
    assert (resamples.counts.sum(axis=1) == len(np.unique(lesions))).all()


def test_sums_are_weighted_sums_of_rows(lesions):
    values = np.random.default_rng(1).normal(size=(100, 3))
    resamples = draw_lesions(lesions, 20)
    weights = resamples.map_weights(lambda block: block)
    np.testing.assert_allclose(resamples.sums(values), weights.T @ values)


def test_means_leave_undefined_values_out():
    resamples = draw_lesions(np.array(["a", "b"]), 50)
    means = resamples.means(np.array([2.0, np.nan]))
    # A draw of b twice has no value at all.
    only_b = resamples.counts[:, 0] == 0
    assert only_b.any() and np.isnan(means[only_b]).all() and (means[~only_b] == 2).all()


def test_one_lesion_has_no_limits():
    resamples = draw_lesions(np.array(["a", "a"]), 10)
    interval = resamples.interval(resamples.means(np.array([1.0, 3.0])))
    assert interval.estimate == 2 and np.isnan([interval.low, interval.high]).all()


def test_draws_become_fewer_for_many_images():
    assert affordable_resamples(0) == affordable_resamples(10_000) == 1000
    assert affordable_resamples(50_000) == 200
    assert affordable_resamples(10**7) == 100
