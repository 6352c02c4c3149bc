"""Attention blocks used by the classifier head and by the U-Net's skip connections.

All are functional builders on Keras tensors of shape (N, H, W, C), made of `keras.layers` and
`keras.ops` only, so they run on every Keras backend and stay flat (no nested models).
"""

import keras
from keras import layers, ops


def channel_attention(features: keras.KerasTensor, reduction: int = 16, name: str = "channel_attention"):
    """Reweight channels by a shared two-layer perceptron of average- and max-pooled features.

    Args:
        features: (N, H, W, C).
        reduction: how many times narrower the hidden layer is than C.
        name: prefix of the layer names.

    Returns:
        (N, H, W, C): `features` times a weight in [0, 1] for each channel.

    Reference:
        Woo et al. (2018), CBAM, doi:10.1007/978-3-030-01234-2_1, section 3.
    """
    channels = features.shape[-1]
    hidden = layers.Dense(
        max(channels // reduction, 4),
        activation="relu",
        kernel_initializer="he_normal",
        name=f"{name}_hidden",
    )
    score = layers.Dense(channels, name=f"{name}_score")
    average = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_average")(features)
    maximum = layers.GlobalMaxPooling2D(keepdims=True, name=f"{name}_maximum")(features)
    summed = layers.Add(name=f"{name}_sum")([score(hidden(average)), score(hidden(maximum))])
    weight = layers.Activation("sigmoid", name=f"{name}_weight")(summed)
    return layers.Multiply(name=name)([features, weight])


def spatial_attention(features: keras.KerasTensor, kernel_size: int = 7, name: str = "spatial_attention"):
    """Reweight positions by a convolution over the channel-wise mean and maximum.

    Args:
        features: (N, H, W, C).
        kernel_size: side of the convolution, in feature-map cells.
        name: prefix of the layer names.

    Returns:
        (N, H, W, C): `features` times a weight in [0, 1] for each position.

    Reference:
        Woo et al. (2018), as above.
    """
    mean = ops.mean(features, axis=-1, keepdims=True)
    maximum = ops.max(features, axis=-1, keepdims=True)
    pooled = layers.Concatenate(name=f"{name}_pooled")([mean, maximum])
    weight = layers.Conv2D(1, kernel_size, padding="same", activation="sigmoid", name=f"{name}_weight")(
        pooled
    )
    return layers.Multiply(name=name)([features, weight])


def cbam(features: keras.KerasTensor, reduction: int = 16, name: str = "cbam"):
    """Channel attention, then spatial attention: the convolutional block attention module."""
    attended = channel_attention(features, reduction, name=f"{name}_channel")
    return spatial_attention(attended, name=f"{name}_spatial")


def attention_gate(skip: keras.KerasTensor, gate: keras.KerasTensor, name: str):
    """Let the decoder choose which positions of a skip connection pass.

    Args:
        skip: (N, H, W, C) encoder features.
        gate: (N, H, W, G) decoder features of the same height and width.
        name: prefix of the layer names.

    Returns:
        (N, H, W, C): `skip` times a weight in [0, 1] for each position.

    Reference:
        Oktay et al. (2018), Attention U-Net, arXiv:1804.03999; additive gate, without its resampling.
    """
    inner = max(skip.shape[-1] // 2, 1)
    summed = layers.Add(name=f"{name}_sum")(
        [
            layers.Conv2D(inner, 1, name=f"{name}_skip")(skip),
            layers.Conv2D(inner, 1, name=f"{name}_gate")(gate),
        ]
    )
    active = layers.Activation("relu", name=f"{name}_relu")(summed)
    weight = layers.Conv2D(1, 1, activation="sigmoid", name=f"{name}_weight")(active)
    return layers.Multiply(name=name)([skip, weight])
