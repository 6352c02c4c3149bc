"""Labels that are probably wrong, by confident learning.

A class is confident of an image where it gives it more than its mean probability on the images that carry its label. An
image whose most confident class is another than its label is suspected. That is all that is used of the method, some
lines of numpy: the package cleanlab finds the same images, and would bring a dependency for them.

The predictions must come from networks that never learned these labels: what was learned by heart looks right.

Reference:
    Northcutt, Jiang and Chuang (2021), doi:10.1613/jair.1.12125.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from core.evaluation.predictions import Predictions


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """The suspected labels, the most probable error first.

    Attributes:
        rows: (M,) rows of the predictions.
        suggested: (M,) number of the class that is suggested instead.
        margins: (M,) probability of the suggested class minus that of the stated one.
        n_labelled: labels that were judged.
    """

    rows: np.ndarray
    suggested: np.ndarray
    margins: np.ndarray
    n_labelled: int

    def __len__(self) -> int:
        return len(self.rows)


def find_label_errors(predictions: Predictions) -> LabelErrors:
    """Every labelled image whose label is suspected.

    An image that the networks answer with its label is none, however confident another class is; a class that no image
    is labelled with is never suggested.
    """
    known = np.flatnonzero(predictions.labelled)
    shares, labels = predictions.probabilities[known], predictions.labels[known]
    confident = shares >= class_thresholds(shares, labels)
    # Of several confident classes the most probable one.
    guess = np.where(confident, shares, -1.0).argmax(axis=1)
    suspected = confident.any(axis=1) & (guess != labels) & (shares.argmax(axis=1) != labels)
    rows = np.flatnonzero(suspected)
    margins = shares[rows, guess[rows]] - shares[rows, labels[rows]]
    order = np.argsort(-margins, kind="stable")
    return LabelErrors(known[rows][order], guess[rows][order], margins[order], len(known))


def class_thresholds(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(K,) mean probability of each class over the (N,) images labelled with it; infinite for a class without any."""
    n_classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, probabilities[np.arange(len(labels)), labels], n_classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def count_pairs(predictions: Predictions, errors: LabelErrors) -> list[tuple[str, str, int]]:
    """(stated code, suggested code, images) of the pairs that occur, the most frequent first."""
    names = np.array(predictions.classes, object)
    pairs = zip(names[predictions.labels[errors.rows]], names[errors.suggested], strict=True)
    return [(*pair, count) for pair, count in Counter(pairs).most_common()]
