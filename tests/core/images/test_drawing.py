"""What is drawn over a picture: the lesion's outline, and faintly what was left out."""

import numpy as np

from core.images.drawing import OUTLINE_COLOUR, draw_overlay, draw_thin_outlines

IMAGE = np.full((200, 300, 3), 180, np.uint8)
NOTHING = np.zeros((200, 300), bool)
SQUARE = np.array([(50, 50), (120, 50), (120, 120), (50, 120)], np.float32)
OTHER = SQUARE + np.float32([120, 0])


def test_another_spot_is_drawn_fainter_than_the_lesion_and_leaves_the_rest_alone():
    drawn = draw_overlay(IMAGE, NOTHING, SQUARE, other_spots=[OTHER]).astype(int)
    outline, faint = drawn[50, 80], drawn[50, 200]
    assert np.abs(outline - OUTLINE_COLOUR).max() < 40
    assert 0 < np.abs(faint - 180).max() < np.abs(outline - 180).max()
    assert (drawn[150:] == 180).all()


def test_without_other_spots_the_overlay_is_the_outline_alone():
    np.testing.assert_array_equal(
        draw_overlay(IMAGE, NOTHING, SQUARE), draw_overlay(IMAGE, NOTHING, SQUARE, 0.0, [])
    )


def test_a_thin_outline_is_blue_on_the_border_of_a_smaller_mask_and_nowhere_else():
    mask = np.zeros((100, 150), bool)
    mask[25:60, 25:60] = True  # 50 to 120 in the picture
    drawn = draw_thin_outlines(IMAGE, [mask, np.zeros_like(mask)]).astype(int)
    column = drawn[85, :, 0]
    assert column[48:54].min() < 150 and (np.flatnonzero(column != 180) < 125).all()
    assert (drawn[85, 60:110] == 180).all() and drawn[85, 51, 2] > drawn[85, 51, 0]
