"""Stages of training and their learning rates: by step, by plateau, and by layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np

PLATEAU_EPOCHS = 3


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one set of trainable layers and one learning-rate schedule.

    Attributes:
        name: for the log.
        epochs: how many.
        learning_rate: of "cosine" its peak, after a linear warm-up over the first tenth; of "plateau" where it begins.
        frozen_until: layers before the one with this name prefix are frozen; "" trains every layer.
        schedule: "cosine", or "plateau": halved whenever three epochs bring no better score.
        first_layer_share: of the learning rate, for the first layer; see `DiscriminativeAdamW`.
    """

    name: str
    epochs: int
    learning_rate: float
    frozen_until: str = ""
    schedule: Literal["cosine", "plateau"] = "cosine"
    first_layer_share: float = 1.0


def cosine_rate(peak: float, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """A linear rise from a twentieth of `peak` over the first tenth of `steps`, then a cosine to 1 % of it.

    Reference:
        Loshchilov and Hutter (2017), SGDR, arXiv:1608.03983; one cycle, with a warm-up.
    """
    warmup = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        peak / 20,
        max(1, steps - warmup),
        alpha=0.01,
        warmup_target=peak,
        warmup_steps=warmup,
    )


def plateau_rate(start: float, scores: Sequence[float]) -> float:
    """The learning rate after a stage's epochs so far: halved after every `PLATEAU_EPOCHS` without a best.

    Args:
        start: the rate of the first epoch.
        scores: of the epochs so far, higher is better.

    >>> plateau_rate(0.1, [0.5, 0.6, 0.6, 0.5, 0.6])
    0.05
    """
    rate, best, waited = start, float("-inf"), 0
    for score in scores:
        best, waited = (score, 0) if score > best else (best, waited + 1)
        if waited == PLATEAU_EPOCHS:
            rate, waited = rate / 2, 0
    return rate


class DiscriminativeAdamW(keras.optimizers.AdamW):
    """AdamW with discriminative learning rates: lower for the first layers than for the last.

    The learning rate rises geometrically from `first_share` of it at the first variable to all of it at the last.

    Reference:
        Howard and Ruder (2018), Universal language model fine-tuning, arXiv:1801.06146, section 3.2.
    """

    def __init__(self, learning_rate, first_share: float, **options):
        super().__init__(learning_rate, **options)
        self.first_share = first_share

    def build(self, variables) -> None:
        super().build(variables)
        self._shares = np.geomspace(self.first_share, 1, len(variables))

    def update_step(self, gradient, variable, learning_rate) -> None:
        share = self._shares[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * share)
