"""Losses and the training-time metrics of both networks; `keras.ops` only."""

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from training.fit.loss_curves import weights_of_counts

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


def _cross_entropy(y_true, y_pred, boundary_strength: float, boundary_width_px: int = 2):
    """(N,) mean binary cross-entropy of each image, optionally heavier along the lesion's boundary."""
    probability = ops.clip(y_pred, EPSILON, 1 - EPSILON)
    cross_entropy = -(y_true * ops.log(probability) + (1 - y_true) * ops.log(1 - probability))
    if boundary_strength:
        cross_entropy *= boundary_weights(y_true, boundary_width_px, boundary_strength)
    return ops.mean(cross_entropy, axis=(1, 2, 3))


def focal_tversky(y_true, y_pred, miss_weight: float = 0.7, gamma: float = 0.75):
    """(N,) (1 - Tversky index)**`gamma`: missed lesion costs `miss_weight`, skin taken for lesion the rest.

    Reference:
        Abraham, Khan (2019), A novel focal Tversky loss function, arXiv:1810.07842.
    """
    axes = (1, 2, 3)
    overlap = ops.sum(y_true * y_pred, axis=axes)
    missed = ops.sum(y_true * (1 - y_pred), axis=axes)
    invented = ops.sum((1 - y_true) * y_pred, axis=axes)
    index = (overlap + EPSILON) / (overlap + miss_weight * missed + (1 - miss_weight) * invented + EPSILON)
    return ops.maximum(1 - index, EPSILON) ** gamma


SEGMENTATION_LOSSES = ("bce_dice", "bce", "dice", "focal_tversky")


def segmentation_loss(name: str = "bce_dice", boundary_strength: float = 0.0) -> Callable:
    """(N,) loss of masks: binary cross-entropy, 1 - Dice, their sum, or focal Tversky.

    Args:
        name: one of `SEGMENTATION_LOSSES`.
        boundary_strength: extra weight of the cross-entropy along the lesion's boundary.

    Raises:
        ValueError: there is no such loss; names those that exist.
    """
    if name not in SEGMENTATION_LOSSES:
        raise ValueError(f"`loss` must be one of {', '.join(SEGMENTATION_LOSSES)}; got {name!r}.")

    def loss(y_true, y_pred):
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        if name == "focal_tversky":
            return focal_tversky(y_true, y_pred)
        parts = []
        if "bce" in name:
            parts.append(_cross_entropy(y_true, y_pred, boundary_strength))
        if "dice" in name:
            parts.append(1 - dice_coefficient(y_true, y_pred))
        return sum(parts)

    return loss


def focal_loss(
    class_weights: Sequence[float],
    gamma: float,
    label_smoothing: float = 0.0,
    logit_shifts: Sequence[float] | None = None,
):
    """Focal loss on logits with class weights; the targets are (N, K) shares of each class.

    Args:
        class_weights: (K,), multiplied in by the true class, or averaged over a mixture of classes.
        gamma: 0 gives weighted cross-entropy.
        label_smoothing: share of the target spread evenly over the classes.
        logit_shifts: (K,), added to the logits here and not in use: see `log_priors`.

    References:
        Lin et al. (2017), Focal loss for dense object detection, arXiv:1708.02002.
        Menon et al. (2021), Long-tail learning via logit adjustment, arXiv:2007.07314.
    """
    weights = np.asarray(class_weights, dtype="float32")
    n_classes = len(weights)
    shifts = np.zeros(n_classes, "float32") if logit_shifts is None else np.float32(logit_shifts)

    def loss(y_true, logits):
        target = ops.cast(y_true, "float32")
        log_probability = ops.log_softmax(logits + ops.convert_to_tensor(shifts), axis=-1)
        smooth = target * (1 - label_smoothing) + label_smoothing / n_classes
        cross_entropy = -ops.sum(smooth * log_probability, axis=-1)
        weight = ops.sum(target * ops.convert_to_tensor(weights), axis=-1)
        if gamma == 0:
            return weight * cross_entropy
        true_probability = ops.exp(ops.sum(target * log_probability, axis=-1))
        # Away from 0, where the power has no finite slope: a sample the network is sure of would end in NaN.
        return weight * ops.maximum(1 - true_probability, EPSILON) ** gamma * cross_entropy

    return loss


def with_mask(loss: Callable, n_classes: int, mask_weight: float) -> Callable:
    """The (N,) loss of classes and lesion masks that one network answers with: see `build_classifier`'s `mask_cells`.

    Targets and answers are (N, K + M x M): those of `loss`, then the lesion's share of each cell and its logits.
    """

    def both(y_true, y_pred):
        y_true = ops.cast(y_true, "float32")
        share, logit = y_true[:, n_classes:], y_pred[:, n_classes:]
        cross_entropy = ops.mean(ops.softplus(logit) - share * logit, axis=-1)
        return loss(y_true[:, :n_classes], y_pred[:, :n_classes]) + mask_weight * cross_entropy

    return both


def class_weights(labels: np.ndarray, n_classes: int, power: float) -> np.ndarray:
    """(K,) weights proportional to count**-power, with mean 1 over the samples.

    >>> class_weights(np.array([0, 0, 0, 1]), 2, power=1.0).round(2).tolist()
    [0.67, 2.0]
    """
    return weights_of_counts(np.bincount(labels, minlength=n_classes), power)


def class_shares(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """(K,) share of each class among (N,) class numbers; one without samples counts as one sample."""
    counts = np.maximum(np.bincount(labels, minlength=n_classes), 1)
    return counts / counts.sum()


def log_priors(labels: np.ndarray, n_classes: int, strength: float) -> np.ndarray:
    """(K,) `strength` times the logarithm of each class's share.

    >>> log_priors(np.array([0, 0, 0, 1]), 2, strength=1.0).round(2).tolist()
    [-0.29, -1.39]
    """
    return strength * np.log(class_shares(labels, n_classes))
