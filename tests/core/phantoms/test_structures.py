"""Each dermoscopic structure has a drawn example that differs from the others."""

from itertools import combinations

import numpy as np
import pytest

from core.diagnosis.structures import STRUCTURE_WORDS
from core.phantoms.structures import SIDE_PX, draw_structure
from core.tables.columns import STRUCTURES


def test_every_structure_is_drawn_always_the_same_and_unlike_the_others():
    drawn = {name: draw_structure(name) for name in STRUCTURES}
    for name, image in drawn.items():
        assert image.shape == (SIDE_PX, SIDE_PX, 3) and image.dtype == np.uint8
        np.testing.assert_array_equal(image, draw_structure(name))
    for one, other in combinations(drawn.values(), 2):
        assert np.abs(one.astype(int) - other).mean() > 3


def test_every_structure_has_words():
    assert set(STRUCTURE_WORDS) == set(STRUCTURES)


def test_an_unknown_structure_is_refused():
    with pytest.raises(ValueError, match="must be of"):
        draw_structure("rosettes")
