"""Losses by hand: numbers small enough to check on paper."""

import math

import keras
import numpy as np
import pytest

from training.fit.losses import (
    boundary_weights,
    class_weights,
    dice_coefficient,
    focal_loss,
    hard_dice,
    log_priors,
    segmentation_loss,
    with_mask,
)

LN2 = math.log(2)


def one_hot(*labels: int, n_classes: int = 2) -> np.ndarray:
    """(N, K) float32 targets."""
    return np.eye(n_classes, dtype=np.float32)[list(labels)]


def masks(*rows) -> np.ndarray:
    """One image a row: (N, 1, W, 1) float32."""
    return np.array(rows, np.float32)[:, None, :, None]


# --- segmentation


def test_soft_dice_by_hand():
    # 2 * (1 * 0.5) / (1 + 0.5 + 0.5) = 0.5; a perfect and a disjoint prediction beside it.
    truth, predicted = masks([1, 0], [1, 0], [1, 0]), masks([0.5, 0.5], [1, 0], [0, 1])
    np.testing.assert_allclose(dice_coefficient(truth, predicted), [0.5, 1.0, 0.0], atol=1e-5)


def test_nothing_found_where_nothing_is_counts_as_perfect():
    np.testing.assert_allclose(dice_coefficient(masks([0, 0]), masks([0, 0])), [1.0])


def test_hard_dice_cuts_at_one_half():
    # 0.6 counts, 0.4 does not: 2 * 1 / (2 + 1).
    np.testing.assert_allclose(hard_dice(masks([1, 1]), masks([0.6, 0.4])), [2 / 3], rtol=1e-5)


def test_bce_dice_by_hand():
    # Cross-entropy of 0.5 is ln 2 for each pixel, and Dice is 0.5.
    loss = segmentation_loss()(masks([1, 0]), masks([0.5, 0.5]))
    np.testing.assert_allclose(loss, [LN2 + 1 - 0.5], rtol=1e-5)


def test_a_perfect_mask_costs_nothing_and_the_opposite_stays_finite():
    truth = masks([1, 0], [1, 0])
    perfect, opposite = np.asarray(segmentation_loss()(truth, masks([1, 0], [0, 1])))
    assert perfect == pytest.approx(0, abs=1e-5)
    assert opposite == pytest.approx(-math.log(1e-6) + 1, rel=0.02)  # probabilities are clipped at 1e-6


@pytest.mark.parametrize(
    ("name", "expected"),
    [("bce", LN2), ("dice", 0.5), ("bce_dice", LN2 + 0.5), ("focal_tversky", (1 - 0.5 / 1.0) ** 0.75)],
)
def test_each_segmentation_loss_by_hand(name, expected):
    # Half found, 0.5 missed at 0.7 and 0.5 invented at 0.3: the Tversky index is 0.5 / (0.5 + 0.35 + 0.15).
    loss = segmentation_loss(name)(masks([1, 0]), masks([0.5, 0.5]))
    np.testing.assert_allclose(loss, [expected], rtol=1e-5)


def test_focal_tversky_minds_missed_lesion_more_than_invented():
    missed, invented = segmentation_loss("focal_tversky")(
        masks([1, 1, 0], [1, 0, 0]), masks([1, 0, 0], [1, 1, 0])
    )
    assert float(missed) > float(invented)


def test_an_unknown_segmentation_loss_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"bce_dice.*focal_tversky"):
        segmentation_loss("lovasz")


def test_boundary_weights_surround_a_single_pixel():
    truth = np.zeros((1, 5, 5, 1), np.float32)
    truth[0, 2, 2] = 1
    expected = np.ones((5, 5))
    expected[1:4, 1:4] = 3  # within 1 px of the pixel: 1 + strength
    np.testing.assert_allclose(np.asarray(boundary_weights(truth, 1, 2.0))[0, ..., 0], expected)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_without_a_boundary_has_plain_weights(value):
    truth = np.full((1, 5, 5, 1), value, np.float32)
    np.testing.assert_allclose(boundary_weights(truth, 1, 2.0), np.ones((1, 5, 5, 1)))


def test_boundary_strength_weighs_errors_near_the_edge_more():
    truth = np.zeros((1, 9, 9, 1), np.float32)
    truth[0, :, :4] = 1
    near, far = np.copy(truth), np.copy(truth)
    near[0, 4, 4], far[0, 4, 8] = 0.9, 0.9  # the same error beside the edge and away from it
    plain, weighted = segmentation_loss(), segmentation_loss(boundary_strength=2.0)
    assert np.asarray(plain(truth, near)) == pytest.approx(np.asarray(plain(truth, far)))
    assert np.asarray(weighted(truth, near)) > np.asarray(weighted(truth, far)) + 0.01


# --- classification


def test_focal_loss_by_hand():
    # Two equal logits: p = 0.5, so (1 - 0.5)^2 * ln 2.
    loss = focal_loss([1.0, 1.0], gamma=2.0)(one_hot(1), np.zeros((1, 2), np.float32))
    np.testing.assert_allclose(loss, [0.25 * LN2], rtol=1e-6)


def test_focal_loss_without_gamma_is_cross_entropy():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(6, 3)).astype(np.float32), np.array([0, 1, 2, 2, 1, 0])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(probabilities[np.arange(6), labels])
    targets = one_hot(*labels, n_classes=3)
    np.testing.assert_allclose(focal_loss([1, 1, 1], gamma=0.0)(targets, logits), expected, rtol=1e-5)


def test_the_weight_is_that_of_the_true_class():
    logits = np.zeros((2, 2), np.float32)
    loss = focal_loss([3.0, 0.5], gamma=0.0)(one_hot(0, 1), logits)
    np.testing.assert_allclose(loss, [3 * LN2, 0.5 * LN2], rtol=1e-6)


def test_a_mixture_of_classes_costs_their_shares_of_both():
    # Shares 3/4 and 1/4: weight 0.75 * 3 + 0.25 * 0.5, cross-entropy against probabilities 0.8 and 0.2.
    logits = np.log(np.array([[0.8, 0.2]], np.float32))
    loss = focal_loss([3.0, 0.5], gamma=0.0)(np.array([[0.75, 0.25]], np.float32), logits)
    cross_entropy = -0.75 * math.log(0.8) - 0.25 * math.log(0.2)
    np.testing.assert_allclose(loss, [2.375 * cross_entropy], rtol=1e-5)


def test_gamma_takes_weight_from_what_is_already_right():
    logits = np.array([[4.0, 0.0], [0.0, 4.0]], np.float32)
    targets = one_hot(0, 0)  # the first is right, the second wrong
    plain, focal = (np.asarray(focal_loss([1, 1], gamma)(targets, logits)) for gamma in (0.0, 2.0))
    ratio = focal / plain
    assert ratio[0] < 0.01 and ratio[1] > 0.9


def test_label_smoothing_by_hand():
    # Targets 0.9 and 0.1 against probabilities 0.8 and 0.2.
    logits = np.log(np.array([[0.8, 0.2]], np.float32))
    loss = focal_loss([1, 1], gamma=0.0, label_smoothing=0.2)(one_hot(0), logits)
    np.testing.assert_allclose(loss, [-0.9 * math.log(0.8) - 0.1 * math.log(0.2)], rtol=1e-5)


@pytest.mark.parametrize("power", [0.0, 0.25, 1.0])
def test_class_weights_average_to_one_over_the_samples(power):
    labels = np.repeat([0, 1, 2], [70, 20, 10])
    weights = class_weights(labels, 3, power)
    assert weights[labels].mean() == pytest.approx(1)
    # Class 2 is seven times rarer than class 0, and weights follow count ** -power.
    assert weights[2] / weights[0] == pytest.approx(7**power)


def test_a_class_without_samples_has_a_finite_weight():
    assert np.isfinite(class_weights(np.array([0, 0, 1]), 3, 1.0)).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_sample_the_network_is_sure_of_moves_nothing(gamma):
    """(1 - p)**gamma has no finite slope at p = 1: the loss must not pass that on to the weights."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, kernel_initializer="ones")])
    model.layers[-1].set_weights([np.float32([[200, -200]]), np.zeros(2, np.float32)])
    model.compile(keras.optimizers.SGD(0.1), focal_loss([1, 1], gamma))
    model.train_on_batch(np.ones((4, 1), np.float32), one_hot(0, 0, 0, 0))
    np.testing.assert_allclose(model.layers[-1].get_weights()[0], [[200, -200]], atol=1e-3)


def test_logit_shifts_count_in_the_loss_alone():
    # Logits of 0 with the log of the shares 0.75 and 0.25 added are those very probabilities.
    shifts = log_priors(np.array([0, 0, 0, 1]), 2, strength=1.0)
    loss = focal_loss([1, 1], gamma=0.0, logit_shifts=shifts)(one_hot(0, 1), np.zeros((2, 2), np.float32))
    np.testing.assert_allclose(loss, [-math.log(0.75), -math.log(0.25)], rtol=1e-5)


def test_a_class_without_samples_shifts_no_logit_to_infinity():
    np.testing.assert_allclose(log_priors(np.array([0, 0]), 2, strength=2.0), 2 * np.log([2 / 3, 1 / 3]))


# --- a mask beside the classes


def test_the_loss_of_a_mask_is_added_by_its_weight():
    # Cells: probability 1/2 costs ln 2 whatever is true; logit ln 3 is probability 3/4, and the cell is lesion.
    truth = np.float32([[1, 0, 0, 1], [0, 1, 1, 0]])
    answer = np.float32([[0, 0, 0, math.log(3)], [0, 0, 0, 0]])
    loss = with_mask(focal_loss([1, 1], gamma=0), n_classes=2, mask_weight=0.5)(truth, answer)
    cells = [(LN2 + math.log(4 / 3)) / 2, LN2]
    np.testing.assert_allclose(loss, [LN2 + 0.5 * cell for cell in cells], rtol=1e-5)
