"""Stages of training, and how the learning rate goes in them: by steps, plateaus or the clock, and from layer to layer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import keras
import numpy as np

PLATEAU_EPOCHS = 3
WARMUP_SHARE = 0.1


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one set of trainable layers and one learning-rate schedule.

    Attributes:
        name: for the log.
        epochs: how many; of "clock" at most.
        learning_rate: of "cosine" and "clock" its peak, after a linear warm-up over the first tenth; of "plateau"
            where it begins.
        frozen_until: layers before the one with this name prefix are frozen; "" trains every layer.
        schedule: "cosine"; "plateau": halved whenever three epochs bring no better score; or "clock": a cosine
            over `minutes`, for a machine that is there for so long and nobody knows how fast.
        first_layer_share: of the learning rate, for the first layer; see `DiscriminativeAdamW`.
    """

    name: str
    epochs: int
    learning_rate: float
    frozen_until: str = ""
    schedule: Literal["cosine", "plateau", "clock"] = "cosine"
    first_layer_share: float = 1.0
    minutes: float = 0.0

    def __post_init__(self):
        if self.schedule == "clock" and not self.minutes > 0:
            raise ValueError(f"Stage {self.name!r} goes by the clock: `minutes` must be positive.")

    def share_gone(self, rows: list[dict[str, Any]], epochs_more: float = 0) -> float:
        """Of the minutes, by the history's rows of this stage; `epochs_more` would each take as long as the fastest.

        The first epoch, in which the backend compiles, says nothing of those that follow.
        """
        seconds = [row["seconds"] for row in rows if row["stage"] == self.name]
        return (sum(seconds) + epochs_more * min(seconds[1:], default=0.0)) / (60 * self.minutes)

    def time_is_up(self, rows: list[dict[str, Any]]) -> bool:
        """Whether another epoch would last longer than the stage may."""
        return self.schedule == "clock" and self.share_gone(rows, epochs_more=1) > 1


def without_clock(config, epochs: int | None):
    """The configuration with stages by the clock as cosines over so many epochs; None leaves it as it is."""
    if not epochs:
        return config
    stages = (
        replace(stage, schedule="cosine", epochs=epochs) if stage.schedule == "clock" else stage
        for stage in config.stages
    )
    return replace(config, stages=tuple(stages))


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


def clock_rate(peak: float, share: float) -> float:
    """The learning rate of an epoch when a `share` of the time has gone: `cosine_rate`, by the clock.

    Reference:
        Li, Yumer, Ramanan (2020), Budgeted training, arXiv:1905.04753.

    >>> [round(clock_rate(1.0, share), 2) for share in (0.0, 0.1, 0.55, 1.0)]
    [0.05, 1.0, 0.5, 0.01]
    """
    if share < WARMUP_SHARE:
        return peak * (0.05 + 0.95 * share / WARMUP_SHARE)
    progress = min(1.0, (share - WARMUP_SHARE) / (1 - WARMUP_SHARE))
    return peak * (0.01 + 0.99 * (1 + float(np.cos(np.pi * progress))) / 2)


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
    """AdamW that changes the first layers, which know most already, less than the last.

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
