"""Put a part of the class prior back into a classifier that was trained on evened-out classes.

Training draws rare classes more often than they occur, so a network's probabilities lean towards them.
Adding s log(prior) to its logits takes that back: with s the power of the sampling all of it, which gives
the lowest log loss on data of the same mix and hides rare diagnoses; with 0 nothing of it; below 0 rare classes
count for still more. The validation split decides, by the mean of accuracy and balanced accuracy: neither is
to be paid for with the other. Neighbouring strengths differ there by less than chance, so that the best one alone
would be a throw of dice; of all that are within one standard error of the best we take the lowest, which leans
least on how often each class occurs in this data set, since elsewhere that will differ.

References:
    Menon et al. (2021), Long-tail learning via logit adjustment, arXiv:2007.07314.
    Breiman et al. (1984), Classification and Regression Trees, section 3.4.3 (the one-standard-error rule).
"""

from collections.abc import Iterator

import keras
import numpy as np

from core.decision import apply_offsets, prior_offsets
from core.metrics import accuracy, balanced_accuracy
from core.uncertainty import grouped_bootstrap
from training.losses import class_shares
from training.validation import apply_temperature, fit_temperature, view_scores

STRENGTHS = (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # negative: rare classes count still more
ONE_STANDARD_ERROR = 0.683  # the share of a normal distribution within one standard error of its middle


def choose_prior(
    view_probabilities: np.ndarray, labels: np.ndarray, lesions: np.ndarray
) -> tuple[dict, dict]:
    """(scores after temperature by strength, the manifest's entry: the chosen one and its offsets on the logits).

    Args:
        view_probabilities: (N, V, K), each view's softmax at temperature 1.
        labels: (N,) class numbers; their frequencies are the prior.
        lesions: (N,) lesion of each image; the standard error is that of drawing lesions.
    """
    prior = class_shares(labels, view_probabilities.shape[-1])
    calibrated = {}
    for strength in STRENGTHS:
        views = apply_offsets(view_probabilities, prior_offsets(prior, -strength))
        calibrated[strength] = apply_temperature(views, fit_temperature(views, labels))
    best = max(STRENGTHS, key=lambda strength: _merit(labels, calibrated[strength]))
    chosen = next(s for s in STRENGTHS if _as_good(labels, calibrated[s], calibrated[best], lesions))
    entry = {
        "strength": chosen,
        "best_strength": best,
        "offsets": prior_offsets(prior, -chosen).tolist(),
        "origin": "the lowest within one standard error of the best mean of accuracy and balanced accuracy"
        " on the validation split; in the biases",
    }
    return {f"{strength:.1f}": view_scores(labels, p) for strength, p in calibrated.items()}, entry


def _merit(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return (accuracy(labels, probabilities) + balanced_accuracy(labels, probabilities)) / 2


def _as_good(labels: np.ndarray, probabilities: np.ndarray, best: np.ndarray, lesions: np.ndarray) -> bool:
    """Whether the merit of `probabilities` is at most one standard error below that of `best`, image by image."""
    lost = grouped_bootstrap(
        lambda truth, p, q: _merit(truth, q) - _merit(truth, p),
        lesions,
        labels,
        probabilities,
        best,
        confidence=ONE_STANDARD_ERROR,
    )
    return lost.estimate <= 0 or lost.low <= 0


def shift_logits(classifier: keras.Model, offsets: np.ndarray) -> None:
    """Add (K,) offsets to a classifier's logits, in the biases of its linear layer; of each member's if joined.

    Raises:
        ValueError: the network has no linear layer "logits" with K units.
    """
    found = [layer for layer in _linear_layers(classifier) if layer.units == len(offsets)]
    if not found:
        raise ValueError(f"{classifier.name} has no linear layer 'logits' with {len(offsets)} units.")
    for layer in found:
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel, bias + offsets])


def _linear_layers(model: keras.Model) -> Iterator[keras.layers.Dense]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _linear_layers(layer)
        elif isinstance(layer, keras.layers.Dense) and layer.name == "logits":
            yield layer
