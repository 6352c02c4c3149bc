"""EfficientNet classifier with a channel-and-spatial-attention head.

Input: (N, S, S, 3), RGB, pixel values 0 to 255 in any dtype; the scaling belongs to the network.
Output: (N, K) logits, before softmax. Layer "features" holds the last feature map (N, h, w, C).
Options: the lesion's mask as an input channel, or as a second output; training compared them (training/results/ablations.csv).

Reference:
    Tan and Le (2019), EfficientNet, arXiv:1905.11946; (2021), EfficientNetV2, arXiv:2104.00298.
    Woo et al. (2018), CBAM, doi:10.1007/978-3-030-01234-2_1.
"""

from pathlib import Path

import keras
from keras import layers

from models.attention import cbam

BACKBONES = {
    "efficientnetb0": keras.applications.EfficientNetB0,
    "efficientnetv2b0": keras.applications.EfficientNetV2B0,
}
FEATURES_LAYER = "features"


# --- layers -----------------------------------------------------------------------------------------
def build_backbone(name: str, inputs: keras.KerasTensor, imagenet_weights: str | Path | None = None):
    """A flat EfficientNet without its top, on `inputs`.

    Args:
        name: a key of `BACKBONES`.
        inputs: (N, S, S, 3), values 0 to 255.
        imagenet_weights: None (random), "imagenet" (Keras downloads them) or a `.weights.h5` path.

    Raises:
        ValueError: unknown backbone.
        FileNotFoundError: the weights path does not exist.
    """
    if name not in BACKBONES:
        raise ValueError(f"`name` must be one of {', '.join(BACKBONES)}; got {name!r}.")
    download = imagenet_weights == "imagenet"
    if imagenet_weights and not download and not Path(imagenet_weights).is_file():
        raise FileNotFoundError(
            f"No ImageNet weights at {imagenet_weights}. Give a path that exists, or 'imagenet' to download."
        )
    backbone = BACKBONES[name](
        include_top=False, weights="imagenet" if download else None, input_tensor=inputs
    )
    if imagenet_weights and not download:
        backbone.load_weights(str(imagenet_weights))
    return backbone


def attach_head(features: keras.KerasTensor, n_classes: int, attention: bool, dropout: float):
    """Attention, global average pooling, dropout and a linear layer: (N, h, w, C) -> (N, K) logits."""
    attended = cbam(features) if attention else features
    pooled = layers.GlobalAveragePooling2D(name="pooled")(attended)
    dropped = layers.Dropout(dropout, name="head_dropout")(pooled)
    return layers.Dense(n_classes, dtype="float32", name="logits")(dropped)


def tint_by_mask(inputs: keras.KerasTensor):
    """(N, S, S, 4) image and mask -> (N, S, S, 3): the image, tinted where the mask is; not at all before training."""
    tint = layers.Conv2D(3, 3, padding="same", kernel_initializer="zeros", name="mask_tint")
    return layers.Add(name="tinted")([inputs[..., :3], tint(inputs[..., 3:])])


def attach_mask_head(features: keras.KerasTensor, mask_cells: int):
    """(N, h, w, C) -> (N, M x M) logits of the lesion's share of each of M x M cells, row by row.

    Raises:
        ValueError: `mask_cells` M is no multiple of h and w.
    """
    height, width = features.shape[1:3]
    if mask_cells % height or mask_cells % width:
        raise ValueError(f"`mask_cells` must be a multiple of {height} and {width}; got {mask_cells}.")
    rows, columns = mask_cells // height, mask_cells // width
    cells = layers.Conv2D(rows * columns, 1, dtype="float32", name="mask_logits")(features)
    blocks = layers.Reshape((height, width, rows, columns), name="mask_blocks")(cells)
    in_order = layers.Permute((1, 3, 2, 4), name="mask_rows")(blocks)
    return layers.Flatten(name="mask")(in_order)


# --- functional graph -------------------------------------------------------------------------------
def build_classifier(
    n_classes: int = 7,
    input_size_px: int = 192,
    backbone: str = "efficientnetv2b0",
    attention: bool = True,
    dropout: float = 0.3,
    imagenet_weights: str | Path | None = None,
    mask_channel: bool = False,
    mask_cells: int = 0,
) -> keras.Model:
    """Build the classifier as one functional model, flat unless it has a mask channel.

    Args:
        n_classes: K, at least 2.
        input_size_px: side S of the square input.
        backbone: a key of `BACKBONES`.
        attention: put CBAM between the backbone and the pooling.
        dropout: rate before the last layer.
        imagenet_weights: see `build_backbone`.
        mask_channel: the input is (N, S, S, 4), the lesion's mask from 0 to 255 behind the colours.
        mask_cells: M; the output is (N, K + M x M), see `attach_mask_head`. 0 answers with classes alone.
    """
    image = keras.Input((input_size_px, input_size_px, 3), name="image")
    body = build_backbone(backbone, image, imagenet_weights)
    inputs = keras.Input((input_size_px, input_size_px, 4), name="image_and_mask") if mask_channel else image
    last = body(tint_by_mask(inputs)) if mask_channel else body.output
    features = layers.Activation("linear", name=FEATURES_LAYER)(last)
    outputs = attach_head(features, n_classes, attention, dropout)
    if mask_cells:
        outputs = layers.Concatenate(name="logits_and_mask")(
            [outputs, attach_mask_head(features, mask_cells)]
        )
    return keras.Model(inputs, outputs, name=f"classifier_{backbone}")


def split_classifier(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a classifier at its feature map: (image -> features, features -> logits), sharing weights.

    With the two apart, Grad-CAM for every class costs one forward pass and gradients through the head.
    The head begins with a layer "features" of its own, which such a gradient can name as its target.
    """
    features = model.get_layer(FEATURES_LAYER).output
    head = keras.Model(features, model.output, name="head")
    inputs = keras.Input(features.shape[1:])
    target = layers.Activation("linear", name=FEATURES_LAYER)(inputs)
    return (
        keras.Model(model.input, features, name="feature_network"),
        keras.Model(inputs, head(target), name="head_network"),
    )
