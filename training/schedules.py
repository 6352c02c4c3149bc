"""How the learning rate goes during a stage: a cosine step by step, or halvings on a plateau of the score."""

from collections.abc import Sequence

import keras

PLATEAU_EPOCHS = 3


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
