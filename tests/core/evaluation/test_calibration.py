"""Reliability diagrams against hand computation, core.evaluation.metrics and scikit-learn."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from core.evaluation.bootstrap import draw_lesions, grouped_bootstrap
from core.evaluation.calibration import error_draws, measure_reliability, observed_intervals
from core.evaluation.metrics import expected_calibration_error


def test_bins_hold_what_a_hand_count_gives():
    # Two bins (0, 0.5] and (0.5, 1]: 0.2 and 0.5 in the first, of which one came true; 0.9 in the second.
    found = measure_reliability(np.array([0.2, 0.5, 0.9]), np.array([True, False, True]), n_bins=2)
    assert found.counts.tolist() == [2, 1]
    assert found.predicted == pytest.approx([0.35, 0.9])
    assert found.observed == pytest.approx([0.5, 1.0])
    assert found.edges.tolist() == [0, 0.5, 1]
    # (2 * |0.35 - 0.5| + 1 * |0.9 - 1|) / 3
    assert found.error == pytest.approx(0.4 / 3)


def test_empty_bin_is_undefined_and_weighs_nothing():
    found = measure_reliability(np.array([0.9]), np.array([False]), n_bins=2)
    assert np.isnan(found.predicted[0])
    assert np.isnan(found.observed[0])
    assert found.error == pytest.approx(0.9)


def test_no_image_gives_an_undefined_error():
    assert np.isnan(measure_reliability(np.empty(0), np.empty(0, bool)).error)


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    """(200, 3) probabilities and labels that follow them."""
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet([1, 1, 1], size=200)
    return probabilities, np.array([rng.choice(3, p=p) for p in probabilities])


@pytest.mark.parametrize("n_bins", [1, 7, 15])
def test_error_of_the_top_class_is_the_expected_calibration_error(answers, n_bins: int):
    probabilities, labels = answers
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    found = measure_reliability(confidence, right, n_bins)
    assert found.error == pytest.approx(expected_calibration_error(labels, probabilities, n_bins))


def test_diagram_of_one_class_is_that_of_scikit_learn(answers):
    probabilities, labels = answers
    found = measure_reliability(probabilities[:, 1], labels == 1, n_bins=10)
    observed, predicted = calibration_curve(labels == 1, probabilities[:, 1], n_bins=10)
    filled = found.counts > 0
    assert found.observed[filled] == pytest.approx(observed)
    assert found.predicted[filled] == pytest.approx(predicted)


def test_draws_are_those_of_the_plain_bootstrap(answers):
    probabilities, labels = answers
    lesions = np.arange(200) // 2
    probability, event = probabilities[:, 1], labels == 1
    resamples = draw_lesions(lesions, 50)
    error = resamples.interval(error_draws(probability, event, 5, resamples))
    plain = grouped_bootstrap(
        lambda p, e: measure_reliability(p, e, 5).error, lesions, probability, event, n_resamples=50
    )
    assert (error.estimate, error.low, error.high) == pytest.approx((plain.estimate, plain.low, plain.high))
    second_bin = observed_intervals(probability, event, 5, resamples)[1]
    plain = grouped_bootstrap(
        lambda p, e: measure_reliability(p, e, 5).observed[1], lesions, probability, event, n_resamples=50
    )
    assert (second_bin.estimate, second_bin.low) == pytest.approx((plain.estimate, plain.low))


def test_lengths_and_types_are_checked():
    with pytest.raises(ValueError, match="bool"):
        measure_reliability(np.array([0.5]), np.array([1]))
    with pytest.raises(ValueError, match="n_bins"):
        measure_reliability(np.array([0.5]), np.array([True]), 0)
