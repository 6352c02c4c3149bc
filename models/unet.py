"""U-Net: image -> lesion probability map.

Input: (N, S, S, 3), RGB, pixel values 0 to 255 in any dtype; the scaling belongs to the network.
Output: (N, S, S, 1), float32 in [0, 1], the probability that a pixel is lesion.

The encoder is either the classic one, trained from scratch, or an ImageNet EfficientNet whose stages
feed the skip connections. The decoder is the same for both.

Reference:
    Ronneberger, Fischer, Brox (2015), U-Net, arXiv:1505.04597. We pad so that output and input sizes
    agree, add dropout and, by choice, attention gates (Oktay 2018) and multi-scale fusion of the skips.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from models.attention import attention_gate
from models.efficientnet import build_backbone

# Last tensor of each resolution (1/2, 1/4, 1/8, 1/16) and the bottleneck (1/32) of a backbone.
ENCODER_STAGES = {
    "efficientnetv2b0": (
        "block1a_project_activation",
        "block2b_add",
        "block3b_add",
        "block5e_add",
        "block6h_add",
    ),
    "efficientnetb0": (
        "block1a_project_bn",
        "block2b_add",
        "block3b_add",
        "block5c_add",
        "block6d_add",
    ),
}


# --- layers -----------------------------------------------------------------------------------------
def _double_convolution(x, filters: int, dropout: float, batch_norm: bool, name: str):
    """Two 3x3 convolutions with dropout between them."""
    for index in (1, 2):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=not batch_norm,
            kernel_initializer="he_normal",
            name=f"{name}_conv{index}",
        )(x)
        if batch_norm:
            x = layers.BatchNormalization(name=f"{name}_bn{index}")(x)
        x = layers.Activation("relu", name=f"{name}_relu{index}")(x)
        if index == 1 and dropout:
            x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return x


def _classic_encoder(inputs, filters: Sequence[int], dropouts: Sequence[float], batch_norm: bool):
    """The contracting path: skips from fine to coarse, and the bottleneck."""
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    skips = []
    for level, (width, dropout) in enumerate(zip(filters, dropouts, strict=True)):
        x = _double_convolution(x, width, dropout, batch_norm, f"encoder{level}")
        if level < len(filters) - 1:
            skips.append(x)
            x = layers.MaxPooling2D(name=f"pool{level}")(x)
    return skips, x


def _pretrained_encoder(inputs, backbone: str, imagenet_weights):
    """The stages of an EfficientNet as skips from fine to coarse, and its last block as bottleneck."""
    body = build_backbone(backbone, inputs, imagenet_weights)
    *skips, bottleneck = (body.get_layer(name).output for name in ENCODER_STAGES[backbone])
    return skips, bottleneck


def _fuse_scales(skips):
    """Give each skip what its finer and coarser neighbours saw, through 1x1 convolutions."""
    fused = []
    for level, skip in enumerate(skips):
        parts = [skip]
        if level > 0:
            parts.append(layers.AveragePooling2D(2, name=f"fuse{level}_down")(skips[level - 1]))
        if level < len(skips) - 1:
            parts.append(
                layers.UpSampling2D(interpolation="bilinear", name=f"fuse{level}_up")(skips[level + 1])
            )
        joined = layers.Concatenate(name=f"fuse{level}_join")(parts)
        fused.append(layers.Conv2D(skip.shape[-1], 1, activation="relu", name=f"fuse{level}")(joined))
    return fused


def _decoder(x, skips, filters, dropouts, batch_norm: bool, attention_gates: bool):
    """The expanding path from coarse to fine; one level for each width in `filters`."""
    for level in reversed(range(len(filters))):
        width = filters[level]
        x = layers.Conv2DTranspose(width, 2, strides=2, padding="same", name=f"up{level}")(x)
        skip = skips[level]
        if skip is not None:
            if attention_gates:
                skip = attention_gate(skip, x, name=f"gate{level}")
            x = layers.Concatenate(name=f"join{level}")([x, skip])
        x = _double_convolution(x, width, dropouts[level], batch_norm, f"decoder{level}")
    return x


# --- functional graph -------------------------------------------------------------------------------
def build_unet(
    base_filters: int = 16,
    depth: int = 4,
    input_size_px: int = 256,
    dropout: tuple[float, float] = (0.1, 0.3),
    batch_norm: bool = False,
    attention_gates: bool = False,
    multi_scale_fusion: bool = False,
    encoder: str | None = None,
    imagenet_weights: str | Path | None = None,
) -> keras.Model:
    """Build a U-Net as one flat functional model.

    Args:
        base_filters: width of the finest level; it doubles at each level (16 gives 16-32-64-128-256).
        depth: how often the classic encoder halves the resolution; with `encoder` it is always 5.
        input_size_px: side of the square input, divisible by 2**depth.
        dropout: rate at the finest and at the coarsest level; it rises linearly in between.
        batch_norm: normalise after each convolution of our own.
        attention_gates: gate the skip connections.
        multi_scale_fusion: mix each skip with its neighbours' scales.
        encoder: None for the classic encoder, or a key of `ENCODER_STAGES`.
        imagenet_weights: for `encoder`; see `models.efficientnet.build_backbone`.

    Raises:
        ValueError: the input size does not fit the depth, or the encoder is unknown.
    """
    depth = _checked_depth(depth, input_size_px, encoder)
    inputs = keras.Input((input_size_px, input_size_px, 3), name="image")
    dropouts, filters = _rise(*dropout, depth), [base_filters * 2**level for level in range(depth + 1)]
    if encoder:
        skips, x = _pretrained_encoder(inputs, encoder, imagenet_weights)
    else:
        skips, x = _classic_encoder(inputs, filters, dropouts, batch_norm)
    skips = _fuse_scales(skips) if multi_scale_fusion else skips
    if encoder:  # an EfficientNet has no full-resolution stage
        skips, filters = [None, *skips], [base_filters, *filters]
    x = _decoder(x, skips, filters[: len(skips)], dropouts, batch_norm, attention_gates)
    head = layers.Conv2D(1, 1, activation="sigmoid", dtype="float32", name="mask_probability")
    return keras.Model(inputs, head(x), name=f"unet_{encoder or base_filters}")


def _rise(lowest: float, highest: float, depth: int) -> list[float]:
    return [lowest + (highest - lowest) * level / depth for level in range(depth + 1)]


def _checked_depth(depth: int, input_size_px: int, encoder: str | None) -> int:
    if encoder is not None and encoder not in ENCODER_STAGES:
        raise ValueError(f"`encoder` must be None or one of {', '.join(ENCODER_STAGES)}; got {encoder!r}.")
    depth = 5 if encoder else depth
    if input_size_px % 2**depth:
        raise ValueError(
            f"`input_size_px` must be divisible by {2**depth} (depth {depth}); got {input_size_px}."
        )
    return depth
