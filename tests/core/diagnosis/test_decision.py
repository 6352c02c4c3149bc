"""The decision for balanced accuracy."""

import numpy as np
import pytest

from core.diagnosis.decision import apply_offsets, decide, prior_offsets


def test_the_whole_prior_undone_turns_a_posterior_into_a_likelihood():
    # Bayes: p(x | k) is proportional to p(k | x) / p(k): 0.6 / 0.8 and 0.4 / 0.2, so 0.75 to 2.
    prior = np.array([0.8, 0.2])
    adjusted = apply_offsets(np.array([0.6, 0.4]), prior_offsets(prior, 1.0))
    np.testing.assert_allclose(adjusted, np.array([0.75, 2.0]) / 2.75)
    assert decide(np.array([0.6, 0.4]), prior_offsets(prior, 1.0)) == 1


def test_strength_0_changes_nothing():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    offsets = prior_offsets(np.array([0.7, 0.1, 0.1, 0.1]), 0.0)
    np.testing.assert_allclose(apply_offsets(probabilities, offsets), probabilities)
    np.testing.assert_array_equal(decide(probabilities, offsets), probabilities.argmax(axis=1))


def test_an_even_prior_needs_no_offsets():
    np.testing.assert_allclose(prior_offsets(np.full(5, 0.2), 1.0), 0, atol=1e-12)


def test_a_probability_of_0_stays_defined():
    adjusted = apply_offsets(np.array([1.0, 0.0]), [0.0, 3.0])
    assert np.isfinite(adjusted).all() and adjusted.sum() == pytest.approx(1)
    assert decide(np.array([1.0, 0.0]), [0.0, 3.0]) == 0
