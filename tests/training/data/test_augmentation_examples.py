"""One augmentation at a time: the right thing changes, by the right amount."""

from dataclasses import replace

import numpy as np
import pytest

from core.images.preprocessing import Box, crop_square
from core.phantoms.lesions import draw_phantom
from training.data.augmentation import Augmentation
from training.data.augmentation_examples import (
    BY_CHANCE,
    NOTHING,
    PARAMETERS,
    FixedDraws,
    augment,
    draw_examples,
    draw_samples,
    read_augmentation,
)

SIZE_PX = 64  # no fewer than two thirds of the image, or PLAIN would be averaged first
IMAGE = draw_phantom(5, size_px=(60, 80)).image
PLAIN = crop_square(IMAGE, Box.whole(IMAGE), SIZE_PX)


@pytest.fixture(scope="module")
def examples() -> dict:
    drawn = draw_examples(IMAGE, Augmentation(), 1.0, SIZE_PX)
    return {example.parameter: example for example in drawn}


def test_nothing_changes_nothing():
    for dice in (FixedDraws(-1), FixedDraws(1), np.random.default_rng(0)):
        difference = augment(IMAGE, NOTHING, dice, SIZE_PX).astype(int) - PLAIN
        assert abs(difference).max() <= 1  # tables of colours round down


def test_every_parameter_has_an_example(examples):
    assert list(examples) == list(PARAMETERS)
    for name, example in examples.items():
        assert example.high.shape == (SIZE_PX, SIZE_PX, 3) and example.high.dtype == np.uint8
        assert abs(example.high.astype(int) - PLAIN).mean() > 0.3, name


def test_both_ends_differ_unless_they_are_the_same_half_turn(examples):
    for name, example in examples.items():
        if name != "rotation_degrees":
            assert (example.low != example.high).any(), name
    assert (examples["rotation_degrees"].high == PLAIN[::-1, ::-1]).mean() > 0.5


def test_what_happens_by_chance_stands_beside_the_unchanged_image(examples):
    flat = replace(NOTHING, flip=False)
    for name in BY_CHANCE:
        np.testing.assert_array_equal(examples[name].low, augment(IMAGE, flat, FixedDraws(-1), SIZE_PX))
        assert examples[name].low_label == "as it is"
    assert examples["flip"].high_label == "50% of the time"
    assert examples["vignette"].high_label == "10% of the time"


def test_brightness_goes_both_ways(examples):
    dark, bright = examples["brightness"].low.mean(), examples["brightness"].high.mean()
    assert dark < PLAIN.mean() < bright
    assert (examples["brightness"].low_label, examples["brightness"].high_label) == ("−15.0%", "+15.0%")


def test_channel_gain_moves_green_against_red_and_blue(examples):
    change = examples["channel_gain"].high.mean((0, 1)) - PLAIN.mean((0, 1))
    assert change[0] > 0 and change[1] < 0 and change[2] > 0


@pytest.mark.parametrize(
    ("share", "labels"),
    [(1.0, ("× 0.50", "× 2.00")), (0.5, ("× 0.71", "× 1.41"))],  # log-uniform: half way is sqrt(2)
)
def test_zoom_is_labelled_by_its_factor(share, labels):
    drawn = draw_examples(IMAGE, Augmentation(zoom=(0.5, 2.0)), share, SIZE_PX)
    [zoom] = [example for example in drawn if example.parameter == "zoom"]
    assert (zoom.low_label, zoom.high_label) == labels


def test_samples_follow_from_the_seed():
    first, again = (draw_samples(IMAGE, Augmentation(), 3, 4, SIZE_PX) for _ in range(2))
    other = draw_samples(IMAGE, Augmentation(), 4, 4, SIZE_PX)
    np.testing.assert_array_equal(first, again)
    assert all((a != b).any() for a, b in zip(first, other, strict=True))
    assert (first[0] != first[1]).any()


def test_a_record_gives_the_augmentation_that_was_trained_with():
    settings = {"zoom": [0.5, 2.0], "blur": 0.3, "not_known_any_more": 1}
    assert read_augmentation(settings) == Augmentation(zoom=(0.5, 2.0), blur=0.3)
    assert read_augmentation({}) == Augmentation()
