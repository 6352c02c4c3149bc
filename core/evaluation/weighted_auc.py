"""Area under the ROC curve and average precision of a weighted sample, for many weightings at once."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Ranking:
    """Images in the order of their score, sorted once and then weighted in many ways.

    Attributes:
        positives: (P,) rows of the positives, falling score.
        negatives: (Q,) rows of the negatives, falling score.
        higher: (P,) how many negatives score higher than each positive.
        reaching: (P,) how many negatives score at least as high as each positive.
        peers: (P,) how many positives score at least as high as each positive.
    """

    positives: np.ndarray
    negatives: np.ndarray
    higher: np.ndarray
    reaching: np.ndarray
    peers: np.ndarray

    def score(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """AUC (ties count half) and average precision for (N, B) float32 counts, each (B,).

        NaN where one of the outcomes has no weight (AUC), or the positives have none (precision).

        Reference:
            Mann and Whitney (1947) for the area; the precision is that of scikit-learn: no interpolation.
        """
        positive = weights[self.positives]
        negatives, positives = _cumulate(weights[self.negatives]), _cumulate(positive)
        n_positive, n_negative = positives[-1].astype(np.float64), negatives[-1].astype(np.float64)
        reaching, found = negatives[self.reaching], positives[self.peers]
        losses = (negatives[self.higher] + reaching) / 2
        wins = n_positive * n_negative - np.einsum("pb,pb->b", positive, losses, dtype=np.float64)
        # Nobody found and nobody called is 0 of 1; such a positive has no weight anyway.
        precision = found / np.maximum(found + reaching, 1)
        hits = np.einsum("pb,pb->b", positive, precision, dtype=np.float64)
        return divide(wins, n_positive * n_negative), divide(hits, n_positive)


def rank(positive: np.ndarray, score: np.ndarray) -> Ranking:
    """Sort (N,) scores, higher for positive, of (N,) bool outcomes."""
    order = np.argsort(-score, kind="stable")
    positives, negatives = order[positive[order]], order[~positive[order]]
    wanted, falling = -score[positives], -score[negatives]
    return Ranking(
        positives,
        negatives,
        higher=np.searchsorted(falling, wanted, side="left"),
        reaching=np.searchsorted(falling, wanted, side="right"),
        peers=np.searchsorted(wanted, wanted, side="right"),
    )


def _cumulate(weights: np.ndarray) -> np.ndarray:
    """(n + 1, B) running totals, beginning with 0; exact for counts up to 2**24."""
    totals = np.zeros((len(weights) + 1, weights.shape[1]), np.float32)
    np.cumsum(weights, axis=0, out=totals[1:])
    return totals


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    undefined = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)
