"""The examples in the docstrings of the shared components hold."""

import doctest

from pages.components.shared import notices


def test_examples_of_notices_hold():
    results = doctest.testmod(notices)
    assert results.attempted >= 2
    assert results.failed == 0
