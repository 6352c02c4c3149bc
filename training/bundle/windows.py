"""Which windows of an image its classifier should see, by macro AUC on the validation split.

In all functions `masks` are the predicted lesion masks of the split's images, each (H, W) bool.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.diagnosis.classification import ClassifierInput
from core.images.symmetry import N_SYMMETRIES
from training.bundle.validation import LabelledImages, classify_all, view_scores

VIEWS_NAME = {1: "one_view", N_SYMMETRIES: "eight_views"}


def choose_margin(
    split: LabelledImages, masks, seen: ClassifierInput, margins: Sequence[float]
) -> tuple[dict[str, dict[str, float]], float]:
    """Scores of all windows for each margin around the lesion, one view each, and the best margin.

    Margins are shares of the lesion's longer side.
    """

    def see(window: str, margin: float) -> np.ndarray:
        own = replace(seen, windows=(window,), crop_margin=margin)
        answers = classify_all(split, masks, own, n_views=1)
        return np.stack([answer.probabilities for answer in answers])

    others = [see(window, seen.crop_margin) for window in seen.windows if window != "crop"]
    scores = {
        margin: view_scores(split.labels, np.mean([*others, see("crop", margin)], axis=0), split.sets)
        for margin in margins
    }
    best = max(margins, key=lambda margin: scores[margin]["macro_roc_auc"])
    return {f"{margin:.2f}": found for margin, found in scores.items()}, best


def choose_windows(
    split: LabelledImages, masks, seen: ClassifierInput, n_views: int
) -> tuple[dict, tuple[str, ...], np.ndarray]:
    """Scores of each set of windows, the best by macro AUC, and its (N, V, K) view probabilities.

    A set without the first window, the whole image, is scored but not taken: the novelty score needs that window.
    """
    answers = classify_all(split, masks, seen, n_views)
    views = np.stack([answer.view_probabilities for answer in answers])
    parts = dict(zip(seen.windows, np.split(views, len(seen.windows), axis=1), strict=True))
    options = {(window,): part for window, part in parts.items()} | {seen.windows: views}
    scores = {
        "+".join(windows): {
            "one_view": view_scores(split.labels, part[:, ::n_views].mean(axis=1), split.sets),
            VIEWS_NAME[n_views]: view_scores(split.labels, part.mean(axis=1), split.sets),
        }
        for windows, part in options.items()
    }
    eligible = [windows for windows in options if windows[0] == seen.windows[0]]
    best = max(eligible, key=lambda w: scores["+".join(w)][VIEWS_NAME[n_views]]["macro_roc_auc"])
    return scores, best, options[best]
