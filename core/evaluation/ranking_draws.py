"""Area under the ROC curve and average precision of a sample and of each bootstrap draw from it.

Up to `MANY` images every draw is scored exactly. Beyond, scores are grouped into some thousand levels, so that a draw
is a product of two small matrices: a hundred draws of 100,000 images take a tenth of a second instead of ten.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from core.evaluation.bootstrap import Resamples
from core.evaluation.weighted_auc import Ranking, divide, rank

MANY = 20_000
_LEVELS = 1_000  # of the positives, and as many of the negatives

Outcome = tuple[np.ndarray, np.ndarray]


def ranking_draws(outcomes: Sequence[Outcome], resamples: Resamples) -> list[tuple[np.ndarray, np.ndarray]]:
    """AUC and average precision of each question, each (B + 1,): the sample, which is always exact, then the draws.

    Args:
        outcomes: of each question (M,) bool truth and (M,) score, higher for positive; M is N images or a multiple
            of them: K answers an image, one image after the other.
        resamples: draws of the N images.
    """
    n = len(resamples.lesion_of_row)
    if n > MANY:
        return [_grouped(outcome, resamples) for outcome in outcomes]
    rankings = [_rank_images(outcome, n) for outcome in outcomes]
    draws = resamples.map_weights(lambda weights: np.concatenate([one.score(weights) for one in rankings]))
    return list(zip(draws[0::2], draws[1::2], strict=True))


def _rank_images(outcome: Outcome, n: int) -> Ranking:
    """The ranking whose rows are images, also where an image has several answers."""
    ranking = rank(*outcome)
    answers = len(outcome[0]) // max(1, n)
    if answers < 2:
        return ranking
    rows = {name: getattr(ranking, name) // answers for name in ("positives", "negatives")}
    return Ranking(**rows, higher=ranking.higher, reaching=ranking.reaching, peers=ranking.peers)


def _grouped(outcome: Outcome, resamples: Resamples) -> tuple[np.ndarray, np.ndarray]:
    """The same with scores grouped into levels; what grouping costs the sample is taken from its draws too."""
    n = len(resamples.lesion_of_row)
    exact = _rank_images(outcome, n).score(np.ones((n, 1), np.float32))
    positive, score = outcome
    if positive.all() or not positive.any():
        return tuple(np.repeat(value, len(resamples.counts)) for value in exact)
    levels = _levels(positive, score)
    hits, misses = (_level_sums(levels, rows, resamples) for rows in (positive, ~positive))
    found, called = np.cumsum(hits, axis=1), np.cumsum(misses, axis=1)
    n_hits, n_misses = found[:, -1], called[:, -1]
    losses = (hits * (called - misses / 2)).sum(axis=1)
    areas = 1 - divide(losses, n_hits * n_misses)
    precision = found / np.maximum(found + called, 1)
    precisions = divide((hits * precision).sum(axis=1), n_hits)
    return tuple(
        draws + (value[0] - draws[0]) for draws, value in zip((areas, precisions), exact, strict=True)
    )


def _levels(positive: np.ndarray, score: np.ndarray) -> np.ndarray:
    """(M,) number of each score's level, falling: level 0 holds the highest scores."""
    shares = np.linspace(0, 1, _LEVELS + 1)
    edges = [np.quantile(score[rows], shares, method="inverted_cdf") for rows in (positive, ~positive)]
    edges = np.unique(np.concatenate(edges))
    return len(edges) - np.searchsorted(edges, score, side="right")


def _level_sums(levels: np.ndarray, rows: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B + 1, L) how often the sample and each draw hold an image of these rows on each level."""
    numbers = np.flatnonzero(rows)
    lesions = resamples.lesion_of_row[numbers // (len(levels) // len(resamples.lesion_of_row))]
    shape = (resamples.n_lesions, int(levels.max()) + 1)
    members = csr_array((np.ones(len(numbers), np.float32), (lesions, levels[numbers])), shape=shape)
    return (members.T @ resamples.counts.T).T.astype(np.float64)
