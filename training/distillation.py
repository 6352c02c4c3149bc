"""Let networks that are trained already teach another: they say how much each augmented window is of each class.

The teachers see exactly the window that the learner sees, augmented and blended, so that their answer says more
than the label and fits what is in the window. Or they see the same part of the photograph as it was taken
(`plain_teacher`): then the learner is to answer under other colours, artefacts and noise as they do without.

References:
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, arXiv:1503.02531.
    Beyer et al. (2022), Knowledge distillation: a good teacher is patient and consistent, arXiv:2106.05237.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from scipy.special import softmax

from training.engine import start_from


def build_teacher(
    build: Callable[[], keras.Model], runs: Sequence[str]
) -> Callable[[np.ndarray], np.ndarray] | None:
    """The mean of several finished runs as a function of windows (N, S, S, 3) to (N, K) shares; None without runs.

    Args:
        build: makes a network of the runs' architecture, answering with logits.
        runs: names in training/runs/; their logits are averaged, at temperature 1.

    Raises:
        FileNotFoundError: a run has no best weights yet; names the run to train first.
    """
    if not runs:
        return None
    networks = [build() for _ in runs]
    for network, run in zip(networks, runs, strict=True):
        start_from(network, run)

    def teach(windows: np.ndarray) -> np.ndarray:
        logits = [network.predict_on_batch(windows) for network in networks]
        return softmax(np.mean(logits, axis=0), axis=1)

    return teach
