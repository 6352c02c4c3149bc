"""The classic classifiers, for comparison on the same split.

Input: (N, S, S, 3), RGB, pixel values 0 to 255 in any dtype; the scaling belongs to the network.
Output: (N, K) logits. Like ours they have a layer "features" with the last feature map (N, h, w, C), so
that `models.efficientnet.split_classifier` cuts them too. The classic U-Nets are
`models.unet.build_unet` with other arguments.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
from keras import layers

from models.efficientnet import FEATURES_LAYER, build_backbone


# --- layers -----------------------------------------------------------------------------------------
def _logits(x, n_classes: int):
    """A linear layer; for two classes one unit z beside a constant 0, so that softmax is sigmoid(z)."""
    if n_classes > 2:
        return layers.Dense(n_classes, dtype="float32", name="logits")(x)
    z = layers.Dense(1, dtype="float32", name="logit")(x)
    zero = layers.Rescaling(0.0, dtype="float32", name="zero")(z)
    return layers.Concatenate(dtype="float32", name="logits")([zero, z])


# --- functional graphs ------------------------------------------------------------------------------
def build_dense_head_classifier(
    n_classes: int = 7,
    input_size_px: int = 224,
    backbone: str = "efficientnetv2b0",
    hidden: Sequence[int] = (512, 128),
    dropout: float = 0.3,
    imagenet_weights: str | Path | None = None,
) -> keras.Model:
    """EfficientNet under the usual stack: pooling, then batch norm, dropout and a dense layer, repeated.

    With the default `hidden`: GAP-BN-Dropout-512-BN-Dropout-128-BN-Dropout-logits.

    Args:
        n_classes: K, at least 2.
        input_size_px: side S of the square input.
        backbone: a key of `models.efficientnet.BACKBONES`.
        hidden: widths of the dense layers.
        dropout: rate of every dropout.
        imagenet_weights: see `models.efficientnet.build_backbone`.
    """
    inputs = keras.Input((input_size_px, input_size_px, 3), name="image")
    body = build_backbone(backbone, inputs, imagenet_weights)
    features = layers.Activation("linear", name=FEATURES_LAYER)(body.output)
    x = layers.GlobalAveragePooling2D(name="pooled")(features)
    for level, width in enumerate((*hidden, None)):
        x = layers.BatchNormalization(name=f"head_bn{level}")(x)
        x = layers.Dropout(dropout, name=f"head_dropout{level}")(x)
        if width:
            x = layers.Dense(width, activation="relu", name=f"head_dense{level}")(x)
    return keras.Model(inputs, _logits(x, n_classes), name=f"dense_head_{backbone}")


def build_plain_cnn(
    n_classes: int = 7,
    input_size_px: int = 128,
    filters: Sequence[int] = (32, 64, 128),
    hidden: int = 128,
    dropout: float = 0.5,
    further_pools: int = 0,
) -> keras.Model:
    """3x3 convolutions, each with ReLU and 2x2 max pooling; then flattened, one dense layer and logits.

    Args:
        n_classes: K, at least 2; with 2 the network has a single sigmoid unit (see `_logits`).
        input_size_px: side S of the square input.
        filters: widths of the convolutions.
        hidden: width of the dense layer.
        dropout: rate before the logits.
        further_pools: 2x2 max poolings before the dense layer, each of which divides its weights by four.
    """
    inputs = keras.Input((input_size_px, input_size_px, 3), name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    for level, width in enumerate(filters):
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{level}")(x)
        x = layers.MaxPooling2D(name=f"pool{level}")(x)
    for level in range(len(filters), len(filters) + further_pools):
        x = layers.MaxPooling2D(name=f"pool{level}")(x)
    features = layers.Activation("linear", name=FEATURES_LAYER)(x)
    x = layers.Flatten(name="flat")(features)
    x = layers.Dense(hidden, activation="relu", name="hidden")(x)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    return keras.Model(inputs, _logits(x, n_classes), name="plain_cnn")


BASELINES: dict[str, Callable[..., keras.Model]] = {
    "dense_head": build_dense_head_classifier,
    "plain_cnn": build_plain_cnn,
}
