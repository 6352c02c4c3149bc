"""The drawn losses are those that training minimises."""

import math

import numpy as np
import pytest

from training.fit.loss_curves import (
    bce_dice_terms,
    draw_disc,
    focal_loss_of,
    shifted_disc_losses,
    weights_of_counts,
)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.5])
def test_focal_loss_agrees_with_the_one_of_training(gamma):
    losses = pytest.importorskip("training.fit.losses")
    probabilities = np.array([0.05, 0.5, 0.9])
    logits = np.log(np.stack([probabilities, 1 - probabilities], axis=1)).astype(np.float32)
    targets = np.array([[1.0, 0.0]] * 3, np.float32)
    trained = losses.focal_loss([1.5, 1.0], gamma)(targets, logits)
    np.testing.assert_allclose(
        focal_loss_of(probabilities, gamma, weight=1.5), np.asarray(trained), rtol=1e-4
    )


@pytest.mark.parametrize("shift_px", [0, 4, 20])
def test_bce_and_dice_agree_with_those_of_training(shift_px):
    losses = pytest.importorskip("training.fit.losses")
    truth = draw_disc(32, 6)
    predicted = np.where(draw_disc(32, 6, shift_px), 0.9, 0.1)
    trained = losses.segmentation_loss()(
        truth[None, ..., None], predicted[None, ..., None].astype(np.float32)
    )
    assert sum(bce_dice_terms(truth, predicted)) == pytest.approx(float(np.asarray(trained)[0]), rel=1e-4)


def test_cross_entropy_by_hand():
    # -ln 0.5; focal with gamma 2 takes a quarter of it.
    assert focal_loss_of(0.5, 0.0) == pytest.approx(math.log(2))
    assert focal_loss_of(0.5, 2.0) == pytest.approx(math.log(2) / 4)


def test_bce_and_dice_by_hand():
    # One of two pixels is lesion, both predicted at 0.5: BCE ln 2, Dice 2 * 0.5 / (1 + 1).
    terms = bce_dice_terms(np.array([[True, False]]), np.array([[0.5, 0.5]]))
    assert terms == pytest.approx((math.log(2), 0.5), abs=1e-5)


def test_weights_by_hand():
    # Counts 3 and 1, power 1: weights 1/3 and 1, scaled so that (3 * w0 + w1) / 4 = 1.
    np.testing.assert_allclose(weights_of_counts(np.array([3, 1]), 1.0), [2 / 3, 2])
    np.testing.assert_allclose(weights_of_counts(np.array([3, 1]), 0.0), [1, 1])
    assert np.isfinite(weights_of_counts(np.array([3, 0]), 1.0)).all()


def test_a_disc_covers_its_area_and_moves():
    disc = draw_disc(101, 20)
    assert disc.sum() == pytest.approx(math.pi * 20**2, rel=0.02)
    np.testing.assert_array_equal(draw_disc(101, 20, 7), np.roll(disc, 7, axis=1))


def test_losses_grow_with_the_shift_and_dice_minds_small_discs_more():
    shifts = np.array([0.0, 5.0, 10.0])
    small, large = (shifted_disc_losses(radius, shifts, 0.99, 96) for radius in (10, 30))
    for cross_entropy, dice_loss in (small, large):
        assert (np.diff(cross_entropy) > 0).all() and (np.diff(dice_loss) > 0).all()
    assert small[1][2] - small[1][0] > large[1][2] - large[1][0]
    assert small[0][2] - small[0][0] < large[0][2] - large[0][0]
