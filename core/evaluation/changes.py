"""Two evaluations joined image by image: what the second answers otherwise than the first."""

from dataclasses import dataclass

import numpy as np

from core.evaluation.comparison import Pair
from core.evaluation.predictions import Predictions

# Of an image: wrong only in the second, right only in the second, another answer that is as wrong or cannot be judged,
# the same answer.
WORSE, BETTER, OTHER, SAME = KINDS = ("worse", "better", "other", "same")
ORDERS = ("distance", "rise", "fall")


@dataclass(frozen=True, eq=False)
class Changes:
    """What changed from the first to the second, one entry an image of the pair.

    Attributes:
        kinds: (N,) of `KINDS`.
        distance: (N,) total variation distance of the two distributions, in [0, 1].
        malignancy: (N,) probability of malignancy, second minus first.
    """

    kinds: np.ndarray
    distance: np.ndarray
    malignancy: np.ndarray

    def count(self, kind: str) -> int:
        """Images of a kind."""
        return int((self.kinds == kind).sum())

    def rows(self, kinds: tuple[str, ...], order: str) -> np.ndarray:
        """(M,) rows of some kinds.

        Args:
            kinds: of `KINDS`.
            order: of `ORDERS`: the largest change first, or the largest rise or fall of the probability of malignancy.
        """
        key = {"distance": -self.distance, "rise": -self.malignancy, "fall": self.malignancy}[order]
        rows = np.argsort(key, kind="stable")
        return rows[np.isin(self.kinds[rows], kinds)]


def list_changes(pair: Pair) -> Changes:
    """Compare the two answers of every image."""
    first, second = pair.first, pair.second
    right, right_now = _right(first), _right(second)
    same = first.predicted == second.predicted
    return Changes(
        kinds=np.select([same, right & ~right_now, ~right & right_now], [SAME, WORSE, BETTER], OTHER),
        distance=abs(second.probabilities - first.probabilities).sum(axis=1) / 2,
        malignancy=second.malignancy_probability - first.malignancy_probability,
    )


def _right(predictions: Predictions) -> np.ndarray:
    return predictions.labelled & (predictions.predicted == predictions.labels)
