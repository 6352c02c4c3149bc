"""Which images to look at first: confident mistakes, poor masks, views that disagree."""

from itertools import zip_longest

import numpy as np
import pandas as pd

from core.evaluation.predictions import Predictions


def confident_mistakes(predictions: Predictions) -> np.ndarray:
    """Rows whose most probable class is wrong: missed melanomas first, then the most confident."""
    wrong = predictions.labelled & (predictions.predicted != predictions.labels)
    melanoma = np.array([code == "mel" for code in predictions.classes])
    missed = predictions.labelled & melanoma[predictions.labels]
    order = np.lexsort([-predictions.probabilities.max(axis=1), ~missed])
    return order[wrong[order]]


def worst_masks(predictions: Predictions) -> np.ndarray:
    """Rows by rising Dice; images without one are left out."""
    return _rising(predictions.frame, "dice")


def disagreeing_views(predictions: Predictions) -> np.ndarray:
    """Rows whose test-time views do not all agree, the least agreement first."""
    rows = _rising(predictions.frame, "agreement")
    if not len(rows):
        return rows
    return rows[pd.to_numeric(predictions.frame["agreement"], errors="coerce").to_numpy()[rows] < 1]


def first_to_look_at(predictions: Predictions) -> list[str]:
    """Image ids of the three queues above in turn, each once: the first of each, the second of each, and so on."""
    queues = [find(predictions) for find in (confident_mistakes, worst_masks, disagreeing_views)]
    rows = [
        row for turn in zip_longest(*(queue.tolist() for queue in queues)) for row in turn if row is not None
    ]
    return predictions.frame["image_id"].iloc[list(dict.fromkeys(rows))].tolist()


def _rising(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Rows by rising value of a column, undefined ones left out; none without the column."""
    if column not in frame:
        return np.empty(0, np.int64)
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)
    order = np.argsort(values, kind="stable")
    return order[~np.isnan(values[order])]
