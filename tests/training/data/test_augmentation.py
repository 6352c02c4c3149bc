"""Augmentation: nothing at zero strength, one geometry for image and mask, bounded colours."""

from dataclasses import replace

import numpy as np
import pytest

from core.images.preprocessing import Box, box_to_square, crop_square, lesion_box, sample_square
from training.data.augmentation import (
    TRAINING_CORRUPTIONS,
    Augmentation,
    augment_window,
    change_appearance,
    change_colours,
    darken_corners,
    random_affine,
    shrink_and_sample,
)
from training.data.corruptions import CORRUPTIONS, FILTERS

NONE = Augmentation(
    flip=False,
    rotation_degrees=0,
    zoom=(1, 1),
    stretch=0,
    shift=0,
    shear=0,
    brightness=0,
    contrast=0,
    saturation=0,
    channel_gain=0,
    gamma=0,
    vignette=0,
    blur=0,
)


@pytest.fixture
def image() -> np.ndarray:
    y, x = np.mgrid[:48, :64]
    return np.stack([40 + 3 * x, 200 - 3 * y, 90 + x], axis=-1).astype(np.uint8)


def corners(matrix: np.ndarray, size_px: int) -> np.ndarray:
    """Where the square's centre and corner pixels lie in the image, (5, 2) of (x, y)."""
    last = size_px - 1
    points = np.array([[last / 2, last / 2, 1], [0, 0, 1], [last, 0, 1], [last, last, 1], [0, last, 1]])
    return (matrix @ points.T).T[:, :2]


# --- geometry


@pytest.mark.parametrize("box", [Box(0, 0, 64, 48), Box(10.5, -4, 50.5, 36)])
def test_without_change_a_sample_is_the_crop_that_analysis_sees(image, box):
    matrix = random_affine(box, 48, NONE, np.random.default_rng(0))
    np.testing.assert_array_equal(sample_square(image, matrix, 48), crop_square(image, box, 48))


@pytest.mark.parametrize("seed", range(5))
def test_turning_keeps_the_centre_and_all_distances(seed):
    box, turning = Box(0, 0, 40, 40), replace(NONE, rotation_degrees=180, flip=True)
    points = corners(random_affine(box, 40, turning, np.random.default_rng(seed)), 40)
    np.testing.assert_allclose(points[0], [19.5, 19.5], atol=1e-9)
    np.testing.assert_allclose(np.hypot(*(points[1:] - points[0]).T), 19.5 * np.sqrt(2))


@pytest.mark.parametrize("seed", range(5))
def test_zoom_enlarges_the_content_within_its_range(seed):
    # Twice the zoom reads half the width: corner distances shrink by the zoom.
    zooming = replace(NONE, zoom=(1.25, 2.0))
    points = corners(random_affine(Box(0, 0, 40, 40), 40, zooming, np.random.default_rng(seed)), 40)
    assert 39 / 2.0 <= points[2, 0] - points[1, 0] <= 39 / 1.25


def test_flipping_happens_half_of_the_time():
    rng, flipping = np.random.default_rng(0), replace(NONE, flip=True)
    mirrored = [
        np.linalg.det(random_affine(Box(0, 0, 40, 40), 40, flipping, rng)[:2, :2]) < 0 for _ in range(400)
    ]
    assert 0.4 < np.mean(mirrored) < 0.6


def test_shift_is_a_share_of_the_window():
    shifting, rng = replace(NONE, shift=0.1), np.random.default_rng(0)
    centres = np.array(
        [corners(random_affine(Box(0, 0, 80, 80), 40, shifting, rng), 40)[0] for _ in range(99)]
    )
    offsets = np.abs(centres - 39.5)
    assert 6 < offsets.max() <= 8  # a tenth of 80 px


def test_image_and_mask_go_through_the_same_change():
    mask = np.zeros((60, 80), np.uint8)
    mask[20:45, 25:60] = 255
    image = np.repeat(mask[..., None], 3, axis=2)
    for seed in range(5):
        matrix = random_affine(lesion_box(mask > 0, 0.3), 48, Augmentation(), np.random.default_rng(seed))
        np.testing.assert_array_equal(
            sample_square(image, matrix, 48)[..., 1], sample_square(mask, matrix, 48)
        )


# --- colours


def test_colours_without_change_stay_within_a_level(image):
    changed = change_appearance(image, NONE, np.random.default_rng(0)).astype(int)
    assert np.abs(changed - image).max() <= 1  # tables are cut to whole levels


def test_the_same_seed_gives_the_same_sample_and_another_seed_another(image):
    def sample(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        matrix = random_affine(Box.whole(image), 48, Augmentation(), rng)
        return change_appearance(sample_square(image, matrix, 48), Augmentation(), rng)

    np.testing.assert_array_equal(sample(1), sample(1))
    assert (sample(1) != sample(2)).any()


def test_brightness_changes_within_its_range():
    grey = np.full((8, 8, 3), 100, np.uint8)
    brightening, rng = replace(NONE, brightness=0.2), np.random.default_rng(0)
    levels = [change_colours(grey, brightening, rng).mean() for _ in range(50)]
    assert 79 <= min(levels) < 90 and 110 < max(levels) <= 120


def test_white_balance_moves_the_channels_apart():
    grey = np.full((8, 8, 3), 100, np.uint8)
    changed = change_colours(grey, replace(NONE, channel_gain=0.2), np.random.default_rng(0))
    assert np.ptp(changed[0, 0].astype(int)) > 5


def test_dark_corners_leave_the_middle(image):
    square = np.full((60, 60, 3), 200, np.uint8)
    for seed in range(5):
        shaded = darken_corners(square, np.random.default_rng(seed))
        assert shaded[30, 30].min() >= 190
        assert shaded[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 140


# --- worse photographs


def test_learned_corruptions_are_corruptions_and_leave_most_unseen():
    assert set(TRAINING_CORRUPTIONS) < set(FILTERS)
    assert len(TRAINING_CORRUPTIONS) < len(CORRUPTIONS) / 2


def test_a_photograph_is_corrupted_before_it_is_cut_out(image):
    # Cut to a 2 x 2 px window and enlarged: the noise of one pixel fills a quarter of the square, where noise
    # of the square's own pixels would differ from one to the next.
    certain = replace(NONE, corruption=1.0)
    box = Box(20, 20, 22, 22)
    squares = [augment_window(image, box, 32, certain, np.random.default_rng(n))[0] for n in range(30)]
    plain, _ = augment_window(image, box, 32, NONE, np.random.default_rng(0))
    changed = [square for square in squares if abs(square.astype(int) - plain).mean() > 3]
    assert len(changed) > 10
    for square in changed:
        steps = abs(np.diff(square.astype(int), axis=1))
        assert np.median(steps) <= 4


def test_without_corruption_no_random_number_is_used_up(image):
    # Configurations from before there were corruptions must give the batches that they gave.
    box = Box.whole(image)
    square, matrix = augment_window(image, box, 32, Augmentation(), np.random.default_rng(3))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(matrix, random_affine(box, 32, Augmentation(), rng))
    expected = change_appearance(shrink_and_sample(image, matrix, 32), Augmentation(), rng)
    np.testing.assert_array_equal(square, expected)


@pytest.mark.parametrize("side_px", [8, 16, 32])
def test_a_coarse_square_is_read_as_the_analyser_reads_it(image, side_px):
    # Behind area averages where it is much coarser than the image, so that fine structure does not alias.
    box = Box.whole(image)
    read = shrink_and_sample(image, box_to_square(box, side_px), side_px)
    expected = crop_square(image, box, side_px)
    assert abs(read.astype(int) - expected).mean() < 2
