"""Several classifiers of one architecture as one network: feature maps concatenated, logits averaged.

Input: (N, S, S, 3), RGB, pixel values 0 to 255 in any dtype. Output: (N, K) logits.
Layer "features" holds (N, h, w, M x C): the members' last feature maps, one after another, so that
`models.efficientnet.split_classifier`, Grad-CAM and the novelty score need not know of members.

Reference:
    Lakshminarayanan et al. (2017), Simple and scalable predictive uncertainty estimation using deep
    ensembles, arXiv:1612.01474. We average logits, not probabilities, before the one temperature.
"""

from collections.abc import Sequence

import keras
from keras import layers

from models.efficientnet import FEATURES_LAYER, build_classifier, split_classifier


def build_ensemble(shares: Sequence[float] = (0.5, 0.5), **arguments) -> keras.Model:
    """Build the members and the network that joins them.

    Args:
        shares: of each of the M members in the logits.
        arguments: of `models.efficientnet.build_classifier`, the same for each member.

    Raises:
        ValueError: fewer than two members, or shares that are not positive with sum 1.
    """
    return join_classifiers([build_classifier(**arguments) for _ in shares], shares)


def join_classifiers(classifiers: Sequence[keras.Model], shares: Sequence[float]) -> keras.Model:
    """One network of classifiers that share input size, feature width and classes; weights are shared."""
    if len(shares) < 2 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"`shares` must be two or more positive numbers with sum 1; got {tuple(shares)}.")
    split = [split_classifier(classifier) for classifier in classifiers]
    parts = [(features, head.get_layer("head")) for features, head in split]
    for number, (features, head) in enumerate(parts):
        features.name, head.name = f"member{number}_features", f"member{number}_head"
    inputs = keras.Input(classifiers[0].input_shape[1:], name="image")
    maps = layers.Concatenate(name=FEATURES_LAYER)([features(inputs) for features, _ in parts])
    width = maps.shape[-1] // len(parts)
    logits = [
        layers.Rescaling(share, dtype="float32", name=f"share{k}")(
            head(maps[..., k * width : (k + 1) * width])
        )
        for k, (share, (_, head)) in enumerate(zip(shares, parts, strict=True))
    ]
    return keras.Model(inputs, layers.Add(dtype="float32", name="logits")(logits), name="ensemble")
