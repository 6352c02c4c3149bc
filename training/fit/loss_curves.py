"""The losses of training.fit.losses as curves to look at, on numpy: pages must not import Keras.

tests/training/fit/test_loss_curves.py checks that they agree with what training minimises.
"""

import numpy as np

EPSILON = 1e-6  # as in training.fit.losses


def focal_loss_of(probability: np.ndarray, gamma: float, weight: float = 1.0) -> np.ndarray:
    """Focal loss by the probability given to the true class, in nats; `gamma` 0 is cross-entropy.

    >>> focal_loss_of(np.array([0.5, 1.0]), gamma=0.0).round(3).tolist()
    [0.693, 0.0]
    """
    probability = np.asarray(probability, np.float64)
    return weight * (1 - probability) ** gamma * -np.log(probability) + 0.0  # + 0 turns -0 into 0


def weights_of_counts(counts: np.ndarray, power: float) -> np.ndarray:
    """(K,) class weights proportional to count**-power, with mean 1 over the samples."""
    counts = np.maximum(np.asarray(counts, np.float64), 1)
    weights = counts**-power
    return weights * counts.sum() / (weights * counts).sum()


def draw_disc(size_px: int, radius_px: float, shift_px: float = 0.0) -> np.ndarray:
    """(S, S) bool disc in the middle of a square, shifted to the right."""
    ys, xs = np.mgrid[:size_px, :size_px] - (size_px - 1) / 2
    return (xs - shift_px) ** 2 + ys**2 <= radius_px**2


def bce_dice_terms(truth: np.ndarray, probability: np.ndarray) -> tuple[float, float]:
    """Mean binary cross-entropy in nats, and 1 - soft Dice; training minimises their sum.

    Args:
        truth: (H, W) bool.
        probability: (H, W) in [0, 1].
    """
    clipped = np.clip(probability, EPSILON, 1 - EPSILON)
    cross_entropy = -np.where(truth, np.log(clipped), np.log(1 - clipped)).mean()
    overlap = 2 * probability[truth].sum() + EPSILON
    return float(cross_entropy), float(1 - overlap / (truth.sum() + probability.sum() + EPSILON))


def shifted_disc_losses(
    radius_px: float, shifts_px: np.ndarray, confidence: float, size_px: int = 192
) -> tuple[np.ndarray, np.ndarray]:
    """Both terms for a disc predicted off its place: `confidence` inside it and 1 - `confidence` outside.

    Returns:
        (N,) binary cross-entropy and (N,) 1 - Dice, one for each shift.
    """
    truth = draw_disc(size_px, radius_px)
    terms = [
        bce_dice_terms(truth, np.where(draw_disc(size_px, radius_px, s), confidence, 1 - confidence))
        for s in shifts_px
    ]
    cross_entropy, dice_loss = np.array(terms).T
    return cross_entropy, dice_loss
