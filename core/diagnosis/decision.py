"""The class-balanced decision: the most probable class after correction for the class prior.

Probabilities reflect the class frequencies of the data, in which two thirds are nevi: choosing the largest one
maximises accuracy. Maximising balanced accuracy needs another rule: offsets on the log-probabilities, -t log(prior), with t from 0 (none) to 1 (the whole prior). `training.bundle.fit_trust`
chooses t on the validation split; nothing else in a bundle corrects for the frequency of classes.

Reference:
    Menon et al. (2021), Long-tail learning via logit adjustment, arXiv:2007.07314.
"""

from collections.abc import Sequence

import numpy as np

from core.diagnosis.classification import softmax


def prior_offsets(prior: np.ndarray, strength: float) -> np.ndarray:
    """(K,) offsets that undo a class prior: -strength log(prior), centred on 0.

    >>> prior_offsets(np.array([0.2, 0.8]), 1.0).round(3).tolist()
    [0.693, -0.693]
    """
    logs = np.log(prior)
    return -strength * (logs - logs.mean())


def apply_offsets(probabilities: np.ndarray, offsets: np.ndarray | Sequence[float]) -> np.ndarray:
    """(..., K) probabilities as they would be under another class prior; rows sum to 1."""
    logs = np.log(np.clip(probabilities, np.finfo(np.float64).tiny, None))
    return softmax(logs + np.asarray(offsets))


def decide(probabilities: np.ndarray, offsets: np.ndarray | Sequence[float]) -> np.ndarray:
    """(...) class number with the largest probability after the offsets."""
    return apply_offsets(probabilities, offsets).argmax(axis=-1)
