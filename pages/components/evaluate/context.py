"""What every view of the Evaluate page is given."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from core.evaluation.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Context:
    """The predictions under evaluation.

    Attributes:
        name: what they are, for headings and file names.
        key: changes whenever the predictions do; caches are keyed on it instead of on arrays.
        predictions: all rows, labelled or not.
        source: what the image ids are unique in; the visitor's tags and notes go by it; "" for none.
        threshold: decision threshold on the probability of malignancy, of the system that made the predictions.
    """

    name: str
    key: str
    predictions: Predictions
    threshold: float
    source: str = ""

    def take(self, rows: np.ndarray, name: str) -> "Context":
        """The context of some images, given as an (N,) bool mask, under a longer name and a key of its own."""
        return replace(
            self,
            name=f"{self.name}, {name}",
            key=f"{self.key}:{zlib.crc32(rows.tobytes()):08x}",
            predictions=self.predictions.take(rows),
        )
