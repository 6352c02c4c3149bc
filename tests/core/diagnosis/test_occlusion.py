"""Occlusion and deletion on a classifier whose reason is known: how dark the middle of the image is."""

import numpy as np
import pytest

from core.diagnosis.occlusion import (
    BATCH,
    N_STEPS,
    check_heatmap,
    count_copies,
    deletion_curve,
    grid_shape,
    heatmap_order,
    occlusion_map,
    random_order,
    skin_colour,
)

SKIN = np.array([220, 180, 170], np.uint8)
SHAPE = (90, 120)


@pytest.fixture
def image() -> np.ndarray:
    """Skin with a dark square at rows 30 to 60, columns 45 to 75."""
    drawn = np.tile(SKIN, (*SHAPE, 1))
    drawn[30:60, 45:75] = 40
    return drawn


def dark_share(copies) -> np.ndarray:
    """The share of the dark square that is still there."""
    return np.array([(copy[30:60, 45:75, 0] < 100).mean() for copy in copies])


def square(value: float = 1.0) -> np.ndarray:
    heatmap = np.full(SHAPE, 1 - value, np.float32)
    heatmap[30:60, 45:75] = value
    return heatmap


def test_occlusion_is_highest_where_the_reason_lies_and_zero_elsewhere(image):
    found = occlusion_map(image, SKIN, dark_share)
    assert found.shape == grid_shape(SHAPE, 12) == (9, 12)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert 30 <= (row + 0.5) * 10 <= 60 and 45 <= (column + 0.5) * 10 <= 75
    # A patch of 20 x 20 px in a square of 30 x 30 px takes 400 of its 900 pixels.
    assert found.max() == pytest.approx(400 / 900, abs=0.03)
    assert found[0].tolist() == [0] * 12


def test_occlusion_is_negative_where_covering_raises_the_probability(image):
    found = occlusion_map(image, SKIN, lambda copies: 1 - dark_share(copies))
    assert found.min() < -0.3 and found.max() == 0


def test_a_check_reports_its_progress_and_asks_in_bounded_batches(image):
    done, sizes = [], []

    def predict(copies):
        sizes.append(len(copies))
        return dark_share(copies)

    check = check_heatmap(image, square(0.0), SKIN, predict, done.append)
    assert done == sorted(done) and done[-1] == 1
    assert sum(sizes) == count_copies(SHAPE) and max(sizes) == BATCH
    assert check.matters("occlusion") and not check.matters("gradcam")  # that heatmap avoids the square


def test_a_heatmap_that_marks_the_reason_falls_before_random_orders(image):
    told = deletion_curve(image, heatmap_order(square(), SHAPE), SKIN, dark_share)
    misled = deletion_curve(image, heatmap_order(square(0.0), SHAPE), SKIN, dark_share)
    chance = [deletion_curve(image, random_order(SHAPE, seed), SKIN, dark_share).area for seed in range(3)]
    assert told.area < min(chance) and misled.area > max(chance)
    # The square is 1/12 of the image: after an eighth nothing of it is left.
    assert told.at(0.125) == 0 and misled.at(0.5) == 1


def test_a_curve_begins_with_the_image_and_ends_with_bare_skin(image):
    seen = []
    deletion_curve(
        image, random_order(SHAPE, 0), SKIN, lambda copies: seen.extend(copies) or dark_share(copies)
    )
    assert len(seen) == N_STEPS + 1
    np.testing.assert_array_equal(seen[0], image)
    assert (seen[-1] == SKIN).all()


def test_every_cell_is_covered_once():
    for order in (heatmap_order(square(), SHAPE), random_order(SHAPE, 1)):
        assert sorted(order) == list(range(24 * 18))


def test_the_skin_is_the_median_outside_the_lesion(image):
    # The mask is of the full picture, twice as large.
    mask = np.zeros((180, 240), bool)
    mask[60:120, 90:150] = True
    np.testing.assert_array_equal(skin_colour(image, mask), SKIN)
    np.testing.assert_array_equal(skin_colour(image[31:59, 46:74], np.ones((28, 28), bool)), [40] * 3)
