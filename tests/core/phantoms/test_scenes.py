"""Drawn pictures that are no lesion: the right kind of array, the same every time, and unlike each other."""

import numpy as np
import pytest

from core.phantoms.scenes import SCENES, draw_scene

SIZE = (60, 80)


@pytest.mark.parametrize("kind", SCENES)
def test_every_kind_is_an_rgb_picture_of_the_asked_size(kind):
    for size in (SIZE, (90, 45)):
        image = draw_scene(kind, 3, size)
        assert image.shape == (*size, 3) and image.dtype == np.uint8
        assert image.std() > 1  # at least a camera's noise


@pytest.mark.parametrize("kind", SCENES)
def test_a_seed_always_draws_the_same_picture_and_another_seed_another(kind):
    first = draw_scene(kind, 0, SIZE)
    np.testing.assert_array_equal(draw_scene(kind, 0, SIZE), first)
    assert np.abs(draw_scene(kind, 1, SIZE).astype(int) - first).mean() > 3


def test_kinds_differ_with_the_same_seed():
    pictures = [draw_scene(kind, 5, SIZE).astype(int) for kind in SCENES]
    for number, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 3 for other in pictures[:number])


def test_a_page_of_text_is_mostly_paper_with_dark_ink():
    grey = draw_scene("text", 0, (300, 400)).mean(axis=-1)
    assert np.median(grey) > 180
    assert 0.01 < (grey < 130).mean() < 0.3


def test_an_unknown_kind_and_a_tiny_size_are_refused():
    with pytest.raises(ValueError, match="must be one of text, form"):
        draw_scene("cat", 0)
    with pytest.raises(ValueError, match="at least 32"):
        draw_scene("text", 0, (31, 400))
