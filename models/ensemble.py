"""Several classifiers of one architecture as one network: their feature maps side by side, their logits' mean.

Input: (N, S, S, 3), RGB, pixel values 0 to 255 in any dtype. Output: (N, K) logits.
Layer "features" holds (N, h, w, M x C): the members' last feature maps, one after another, so that
`models.efficientnet.split_classifier`, Grad-CAM and the novelty score need not know of members.

Reference:
    Lakshminarayanan et al. (2017), Simple and scalable predictive uncertainty estimation using deep
    ensembles, arXiv:1612.01474. We average logits, not probabilities, before the one temperature.
"""

import keras
from keras import layers

from models.efficientnet import FEATURES_LAYER, build_classifier, split_classifier


def build_ensemble(members: int = 2, **arguments) -> keras.Model:
    """Build the members and what joins them.

    Args:
        members: M, at least 2.
        arguments: of `models.efficientnet.build_classifier`, the same for each member.

    Raises:
        ValueError: fewer than two members.
    """
    if members < 2:
        raise ValueError(f"`members` must be 2 or more; got {members}.")
    return join_classifiers([build_classifier(**arguments) for _ in range(members)])


def join_classifiers(classifiers: list[keras.Model]) -> keras.Model:
    """One network of classifiers that share input size, feature width and classes; weights are shared."""
    split = [split_classifier(classifier) for classifier in classifiers]
    parts = [(features, head.get_layer("head")) for features, head in split]
    for number, (features, head) in enumerate(parts):
        features.name, head.name = f"member{number}_features", f"member{number}_head"
    inputs = keras.Input(classifiers[0].input_shape[1:], name="image")
    maps = layers.Concatenate(name=FEATURES_LAYER)([features(inputs) for features, _ in parts])
    width = maps.shape[-1] // len(parts)
    logits = [head(maps[..., k * width : (k + 1) * width]) for k, (_, head) in enumerate(parts)]
    return keras.Model(inputs, layers.Average(dtype="float32", name="logits")(logits), name="ensemble")
