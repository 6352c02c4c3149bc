"""The sum of the seven-point checklist."""

import pytest

from core.diagnosis.seven_points import CRITERIA, SUSPICIOUS_FROM, total


def test_all_seven_make_ten_points():
    # Three of 2 points and four of 1.
    assert total([criterion.code for criterion in CRITERIA]) == 10


def test_a_major_and_a_minor_criterion_suffice_and_two_minor_ones_do_not():
    assert total(["network", "blotches"]) == SUSPICIOUS_FROM
    assert total(["streaks", "blotches"]) < SUSPICIOUS_FROM


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match="got hair"):
        total(["hair"])
