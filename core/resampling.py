"""The bootstrap over lesions as weights: how often each draw takes each lesion.

The draws are those of `core.evaluation.bootstrap.grouped_bootstrap` with the same seed, so the intervals are the
same; a statistic that is computed for all draws at once takes a hundredth of the time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from core.evaluation.bootstrap import Interval, percentile_interval

# Entries of a block of weights: large enough to be worth a call, small enough to keep memory low.
_BLOCK_SIZE = 100_000


@dataclass(frozen=True, eq=False)
class Resamples:
    """The sample itself and draws of whole lesions from it.

    Attributes:
        counts: (B + 1, G) float32, how often each draw holds each lesion; row 0 is the sample, all ones.
        lesion_of_row: (N,) int lesion number of each image.
    """

    counts: np.ndarray
    lesion_of_row: np.ndarray

    @property
    def n_draws(self) -> int:
        return len(self.counts) - 1

    def interval(self, values: np.ndarray) -> Interval:
        """Interval of a statistic given as (B + 1,) for the sample and each draw; NaN limits for one lesion."""
        draws = values[1:] if self.counts.shape[1] > 1 else values[:0]
        return percentile_interval(float(values[0]), draws)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of (N, M) values over the images of the sample and each draw, (B + 1, M) float64."""
        rows = np.arange(len(self.lesion_of_row))
        shape = (self.counts.shape[1], len(rows))
        members = csr_array((np.ones(len(rows)), (self.lesion_of_row, rows)), shape=shape)
        return self.counts.astype(np.float64) @ (members @ np.asarray(values, np.float64))

    def means(self, values: np.ndarray) -> np.ndarray:
        """(B + 1,) mean of (N,) values, NaN left out; NaN where a draw has none."""
        defined = ~np.isnan(values)
        totals = self.sums(np.column_stack([np.where(defined, values, 0.0), defined]))
        undefined = np.full(len(totals), np.nan)
        return np.divide(totals[:, 0], totals[:, 1], out=undefined, where=totals[:, 1] > 0)

    def map_weights(self, statistic: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Apply `statistic`, (N, b) float32 weights -> (M, b), block by block; returns (M, B + 1)."""
        return np.concatenate([statistic(block) for block in self._blocks()], axis=1)

    def _blocks(self) -> Iterator[np.ndarray]:
        size = max(16, _BLOCK_SIZE // max(1, len(self.lesion_of_row)))
        for start in range(0, len(self.counts), size):
            yield np.ascontiguousarray(self.counts[start : start + size].T)[self.lesion_of_row]


def draw_lesions(lesions: np.ndarray, n_resamples: int, seed: int = 0) -> Resamples:
    """Draw as many lesions as there are, with replacement, `n_resamples` times.

    Args:
        lesions: (N,) lesion of each image.
        n_resamples: number of draws.
        seed: of the draws.
    """
    names, lesion_of_row = np.unique(lesions, return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = np.ones((n_resamples + 1, len(names)), np.float32)
    for row in counts[1:]:
        row[:] = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
    return Resamples(counts, lesion_of_row)


def affordable_resamples(n_rows: int) -> int:
    """1000 draws up to 10,000 images, then fewer, so that 100,000 images take no longer; at least 100."""
    return int(np.clip(10_000_000 // max(1, n_rows), 100, 1000))
