"""Put a part of the class prior back into a classifier that was trained on evened-out classes.

Training draws rare classes more often than they occur, so a network's probabilities lean towards them.
Adding s log(prior) to its logits takes that back: with s the power of the sampling all of it, which gives
the lowest log loss on data of the same mix and hides rare diagnoses; with 0 nothing of it; below 0 rare classes
count for still more. The validation split decides, by the mean of accuracy and balanced accuracy: neither is
to be paid for with the other. Neighbouring strengths differ there by less than chance, so that the best one alone
would be a throw of dice: we draw the lesions again a thousand times, see which strength is best each time, and take
the middle one of those.

References:
    Menon et al. (2021), Long-tail learning via logit adjustment, arXiv:2007.07314.
    Breiman (1996), Bagging predictors, doi:10.1007/BF00058655: what is chosen by a narrow lead steadies when the
    choice is made on many resamples.
"""

from collections.abc import Iterator

import keras
import numpy as np

from core.diagnosis.decision import apply_offsets, prior_offsets
from core.evaluation.bootstrap import grouped_draws
from core.evaluation.metrics import accuracy, balanced_accuracy
from training.bundle.validation import apply_temperature, fit_temperature, view_scores
from training.fit.losses import class_shares

STRENGTHS = (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # negative: rare classes count still more


RULE = (
    "the middle one of those with the best mean of accuracy and balanced accuracy on resamples of the validation "
    "split's lesions"
)


def choose_prior(
    view_probabilities: np.ndarray, labels: np.ndarray, lesions: np.ndarray, given: float | None = None
) -> tuple[dict, dict]:
    """(scores after temperature by strength, the manifest's entry: the chosen one and its offsets on the logits).

    Args:
        view_probabilities: (N, V, K), each view's softmax at temperature 1.
        labels: (N,) class numbers; their frequencies are the prior.
        lesions: (N,) lesion of each image; whole lesions are drawn again.
        given: the strength to take, whatever is best here; one of `STRENGTHS`.
    """
    prior = class_shares(labels, view_probabilities.shape[-1])
    calibrated = {}
    for strength in STRENGTHS:
        views = apply_offsets(view_probabilities, prior_offsets(prior, -strength))
        calibrated[strength] = apply_temperature(views, fit_temperature(views, labels))
    best, draws = grouped_draws(_best_strength, lesions, labels, np.stack(list(calibrated.values()), axis=1))
    middle = float(np.quantile(draws, 0.5, method="nearest")) if len(draws) else best
    chosen = middle if given is None else given
    entry = {
        "strength": chosen,
        "best_strength": best,
        "offsets": prior_offsets(prior, -chosen).tolist(),
        "origin": (RULE if given is None else f"given to the export; by itself it takes {RULE}")
        + "; in the biases",
    }
    return {f"{strength:.1f}": view_scores(labels, p) for strength, p in calibrated.items()}, entry


def _best_strength(labels: np.ndarray, calibrated: np.ndarray) -> float:
    """The strength with the best mean of accuracy and balanced accuracy; (N, S, K), a column a strength."""
    merits = [accuracy(labels, p) + balanced_accuracy(labels, p) for p in calibrated.swapaxes(0, 1)]
    return STRENGTHS[int(np.argmax(merits))]


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
