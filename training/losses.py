"""Losses and the training-time metrics of both networks; `keras.ops` only."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from core.loss_curves import weights_of_counts

EPSILON = 1e-6


def dice_coefficient(y_true, y_pred):
    """(N,) soft Dice of each image; `y_true`, `y_pred`: (N, H, W, 1) in [0, 1]."""
    axes = (1, 2, 3)
    y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
    overlap = ops.sum(y_true * y_pred, axis=axes)
    total = ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes)
    return (2 * overlap + EPSILON) / (total + EPSILON)


def hard_dice(y_true, y_pred):
    """(N,) Dice of each image after thresholding the prediction at 0.5."""
    return dice_coefficient(y_true, ops.cast(y_pred > 0.5, "float32"))


def boundary_weights(y_true, width_px: int, strength: float):
    """(N, H, W, 1) weights: 1 inside and outside, 1 + `strength` within `width_px` of the mask's edge."""
    size = 2 * width_px + 1
    dilated = ops.max_pool(y_true, size, strides=1, padding="same")
    eroded = -ops.max_pool(-y_true, size, strides=1, padding="same")
    return 1 + strength * (dilated - eroded)


def bce_dice_loss(boundary_strength: float = 0.0, boundary_width_px: int = 2):
    """Binary cross-entropy plus (1 - Dice), optionally heavier along the lesion's boundary."""

    def loss(y_true, y_pred):
        y_true = ops.cast(y_true, "float32")
        probability = ops.clip(y_pred, EPSILON, 1 - EPSILON)
        cross_entropy = -(y_true * ops.log(probability) + (1 - y_true) * ops.log(1 - probability))
        if boundary_strength:
            cross_entropy *= boundary_weights(y_true, boundary_width_px, boundary_strength)
        return ops.mean(cross_entropy, axis=(1, 2, 3)) + 1 - dice_coefficient(y_true, y_pred)

    return loss


def focal_loss(class_weights: Sequence[float], gamma: float, label_smoothing: float = 0.0):
    """Focal loss on logits with class weights; the targets are (N, K) shares of each class.

    Args:
        class_weights: (K,), multiplied in by the true class, or averaged over a mixture of classes.
        gamma: 0 gives weighted cross-entropy.
        label_smoothing: share of the target spread evenly over the classes.

    Reference:
        Lin et al. (2017), Focal loss for dense object detection, arXiv:1708.02002.
    """
    weights = np.asarray(class_weights, dtype="float32")
    n_classes = len(weights)

    def loss(y_true, logits):
        target = ops.cast(y_true, "float32")
        log_probability = ops.log_softmax(logits, axis=-1)
        smooth = target * (1 - label_smoothing) + label_smoothing / n_classes
        cross_entropy = -ops.sum(smooth * log_probability, axis=-1)
        weight = ops.sum(target * ops.convert_to_tensor(weights), axis=-1)
        if gamma == 0:
            return weight * cross_entropy
        true_probability = ops.exp(ops.sum(target * log_probability, axis=-1))
        # Away from 0, where the power has no finite slope: a sample the network is sure of would end in NaN.
        return weight * ops.maximum(1 - true_probability, EPSILON) ** gamma * cross_entropy

    return loss


def class_weights(labels: np.ndarray, n_classes: int, power: float) -> np.ndarray:
    """(K,) weights proportional to count**-power, with mean 1 over the samples.

    >>> class_weights(np.array([0, 0, 0, 1]), 2, power=1.0).round(2).tolist()
    [0.67, 2.0]
    """
    return weights_of_counts(np.bincount(labels, minlength=n_classes), power)
