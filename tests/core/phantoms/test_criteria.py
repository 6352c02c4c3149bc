"""Drawn criteria: each changes the picture where it belongs, and nothing else."""

import numpy as np
import pytest

from core.diagnosis.seven_points import CRITERIA
from core.phantoms.criteria import DRAWINGS, draw_criteria

SIZE_PX = (180, 240)


def changed(code: str, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """(pixels that the criterion changed, lesion mask)."""
    bare, drawn = draw_criteria(seed, [], SIZE_PX), draw_criteria(seed, [code], SIZE_PX)
    return np.abs(drawn.image.astype(int) - bare.image).max(axis=-1) > 25, drawn.lesion_mask


def test_every_criterion_of_the_checklist_has_a_drawing():
    assert set(DRAWINGS) == {criterion.code for criterion in CRITERIA}


@pytest.mark.parametrize("code", sorted(set(DRAWINGS) - {"streaks"}))
def test_a_criterion_lies_in_the_lesion_and_not_all_over_it(code):
    where, mask = changed(code)
    assert where.sum() > 20 and where[mask].mean() < 0.75
    assert where[~mask].sum() < 0.2 * where.sum()


def test_streaks_leave_the_lesion_on_part_of_its_border():
    where, mask = changed("streaks")
    outside = where & ~mask
    assert outside.sum() > 20
    middle = np.argwhere(mask).mean(axis=0)
    angles = np.arctan2(*(np.argwhere(outside) - middle).T)
    assert len(np.unique(np.round(angles))) < 6  # of seven rounded angles


def test_the_same_arguments_give_the_same_pixels():
    first, again = (draw_criteria(5, ["veil", "network"], SIZE_PX).image for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match="got hair"):
        draw_criteria(1, ["hair"])
