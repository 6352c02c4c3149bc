"""Averaging the weights of two runs."""

import numpy as np

from training.average import average_weights


def test_an_average_lies_between_the_runs_by_its_share():
    first, second = [np.zeros(2), np.ones((1, 2))], [np.full(2, 4.0), np.ones((1, 2))]
    [a, b] = average_weights(first, second, 0.25)
    assert a.tolist() == [1.0, 1.0]  # a quarter of the way from 0 to 4
    assert b.tolist() == [[1.0, 1.0]]


def test_shares_of_nothing_and_everything_give_the_runs_themselves():
    first, second = [np.array([1.0, 2.0])], [np.array([3.0, 5.0])]
    np.testing.assert_array_equal(average_weights(first, second, 0.0)[0], first[0])
    np.testing.assert_array_equal(average_weights(first, second, 1.0)[0], second[0])
