"""Grouped bootstrap against scipy, against its own definition and at its edges."""

import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from core.evaluation.bootstrap import Interval, affordable_resamples, draw_lesions, grouped_bootstrap
from core.evaluation.metrics import macro_roc_auc


def test_bootstrap_of_single_image_groups_matches_scipy():
    values = np.random.default_rng(4).normal(size=200)
    ours = grouped_bootstrap(np.mean, np.arange(200), values, n_resamples=2000)
    theirs = bootstrap((values,), np.mean, n_resamples=2000, method="percentile", rng=0).confidence_interval
    assert ours.estimate == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.02) and ours.high == pytest.approx(
        theirs.high, abs=0.02
    )


def test_bootstrap_resamples_lesions_not_images():
    # Fifty lesions with ten identical images each: 500 images, but only 50 independent values, so the
    # interval is that of 50 and about sqrt(10) times as wide as image resampling would claim.
    values = np.random.default_rng(5).normal(size=50)
    lesions = np.repeat(np.arange(50), 10)
    by_lesion = grouped_bootstrap(np.mean, lesions, np.repeat(values, 10))
    by_value = grouped_bootstrap(np.mean, np.arange(50), values)
    by_image = grouped_bootstrap(np.mean, np.arange(500), np.repeat(values, 10))
    assert (by_lesion.low, by_lesion.high) == pytest.approx((by_value.low, by_value.high))
    ratio = (by_lesion.high - by_lesion.low) / (by_image.high - by_image.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.15)


def test_bootstrap_keeps_groups_whole_and_rows_together():
    groups = np.array(["b", "a", "b", "c"])
    rows, copies = np.arange(4), 10 * np.arange(4)
    seen = []

    def statistic(x, y):
        assert (y == 10 * x).all()
        assert np.count_nonzero(x == 0) == np.count_nonzero(x == 2)  # both images of lesion b
        seen.append(len(x))
        return 0.0

    grouped_bootstrap(statistic, groups, rows, copies, n_resamples=50)
    assert len(seen) == 51 and min(seen) >= 3 and max(seen) <= 6


def test_bootstrap_is_reproducible_and_tolerates_undefined_draws():
    rng = np.random.default_rng(0)
    y_true, probabilities = np.repeat(np.arange(3), 4), rng.dirichlet(np.ones(3), size=12)

    def run(seed: int) -> Interval:
        return grouped_bootstrap(
            macro_roc_auc,
            np.arange(12),
            y_true,
            probabilities,
            n_resamples=200,
            seed=seed,
        )

    assert run(1) == run(1) and run(1) != run(2)
    assert 0 <= run(1).low <= run(1).estimate <= run(1).high <= 1

    sometimes = grouped_bootstrap(
        lambda x: math.nan if (x == 0).sum() == 1 else float(x.mean()), np.arange(8), np.arange(8.0)
    )
    assert math.isnan(sometimes.estimate) and not math.isnan(sometimes.low)


def test_bootstrap_limits_are_nan_when_undefined():
    one_lesion = grouped_bootstrap(np.mean, np.zeros(5), np.arange(5.0))
    assert one_lesion.estimate == 2 and math.isnan(one_lesion.low) and math.isnan(one_lesion.high)
    never = grouped_bootstrap(lambda x: math.nan, np.arange(5), np.arange(5.0))
    assert math.isnan(never.estimate) and math.isnan(never.high)


def test_bootstrap_refuses_bad_arguments():
    with pytest.raises(ValueError, match="rows"):
        grouped_bootstrap(np.mean, np.arange(5), np.arange(4))
    with pytest.raises(ValueError, match="rows"):
        grouped_bootstrap(np.mean, np.arange(5))
    with pytest.raises(ValueError, match="confidence"):
        grouped_bootstrap(np.mean, np.arange(5), np.arange(5), confidence=95)


# --- draws as weights


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
