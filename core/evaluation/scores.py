"""Single scores for a sample and its bootstrap draws: used by slices and comparisons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation import confusion, metrics
from core.evaluation.bootstrap import Resamples
from core.evaluation.predictions import Predictions
from core.evaluation.ranking_draws import ranking_draws
from core.evaluation.score_table import (
    SUSPICIOUS,
    binary_outcomes,
    binary_targets,
    calibration_draws,
    confusion_draws,
    mask_values,
)

TOP = "top"


@dataclass(frozen=True)
class Score:
    """A score of predictions.

    Attributes:
        name: for readers.
        about: predictions -> (N,) bool, the images that the score is about: labelled for accuracy,
            suspicious for sensitivity, with a mask for Dice.
        draws: predictions (labelled rows if `needs_labels`), decision threshold on the probability of malignancy and
            resamples of their lesions -> (B + 1,) the score of the sample and each draw.
        needs_labels: only labelled rows count.
        lower_is_better: for errors and losses.
    """

    name: str
    about: Callable[[Predictions], np.ndarray]
    draws: Callable[[Predictions, float, Resamples], np.ndarray]
    needs_labels: bool = True
    lower_is_better: bool = False

    def usable(self, predictions: Predictions) -> np.ndarray:
        """(N,) bool rows that may enter the draws."""
        return predictions.labelled if self.needs_labels else self.about(predictions)


def list_scores(predictions: Predictions) -> dict[str, Score]:
    """The scores that this table can have, by identifier, in the order a page shows them."""
    found: dict[str, Score] = {}
    if predictions.labelled.any():
        found |= _classification_scores(predictions.classes)
    for column, name in (("dice", "Dice"), ("jaccard", "Jaccard")):
        if column in mask_values(predictions.frame):
            found[column] = _mask_score(column, name)
    return found


def calibration_question(predictions: Predictions, target: str) -> tuple[np.ndarray, np.ndarray]:
    """(N,) predicted probability and (N,) bool whether it occurred.

    Args:
        predictions: labelled rows.
        target: `TOP` for the most probable class, `SUSPICIOUS`, or a class code.
    """
    if target == TOP:
        return predictions.probabilities.max(axis=1), predictions.predicted == predictions.labels
    event, probability = binary_outcomes(predictions, target)
    return probability, event


def _classification_scores(classes: Sequence[str]) -> dict[str, Score]:
    binary = SUSPICIOUS in binary_targets(classes)
    return {
        "balanced_accuracy": _labelled("Balanced accuracy", _from_confusion(confusion.balanced_accuracy)),
        "accuracy": _labelled("Accuracy", _from_confusion(confusion.accuracy)),
        "macro_roc_auc": _labelled("Macro AUC", _macro_auc),
        "macro_f1": _labelled("Macro F1", _from_confusion(confusion.macro_f1)),
        **(_binary_scores() if binary else {}),
        **({"recall_mel": _melanoma_recall(classes.index("mel"))} if "mel" in classes else {}),
        "log_loss": _labelled("Log-loss", _log_loss, lower_is_better=True),
        "expected_calibration_error": _labelled("Calibration error", _calibration, lower_is_better=True),
    }


def _binary_scores() -> dict[str, Score]:
    """Malignant against benign: AUC, and sensitivity and specificity at the decision threshold."""
    return {
        "roc_auc_suspicious": _labelled("ROC AUC, malignant against benign", _suspicious_auc),
        "sensitivity": Score(
            "Sensitivity for malignancy", lambda p: p.labelled & _suspicious(p), _sensitivity
        ),
        "specificity": Score(
            "Specificity for malignancy", lambda p: p.labelled & ~_suspicious(p), _specificity
        ),
    }


def _labelled(name: str, draws: Callable, lower_is_better: bool = False) -> Score:
    return Score(name, lambda predictions: predictions.labelled, draws, lower_is_better=lower_is_better)


def _melanoma_recall(mel: int) -> Score:
    """Share of melanomas whose most probable class is melanoma."""

    def draws(known: Predictions, threshold: float, resamples: Resamples) -> np.ndarray:
        return resamples.means(np.where(known.labels == mel, known.predicted == mel, np.nan))

    return Score("Melanoma recall", lambda predictions: predictions.labels == mel, draws)


def _mask_score(column: str, name: str) -> Score:
    def values(predictions: Predictions) -> np.ndarray:
        return mask_values(predictions.frame).get(column, np.full(len(predictions), np.nan))

    return Score(
        name,
        lambda predictions: ~np.isnan(values(predictions)),
        lambda known, threshold, resamples: resamples.means(values(known)),
        needs_labels=False,
    )


def _from_confusion(score: Callable[[np.ndarray], np.ndarray]) -> Callable:
    return lambda known, threshold, resamples: score(confusion_draws(known, resamples))


def _macro_auc(known: Predictions, threshold: float, resamples: Resamples) -> np.ndarray:
    draws = ranking_draws([binary_outcomes(known, code) for code in known.classes], resamples)
    return confusion.mean_of_defined(np.stack([areas for areas, _ in draws], axis=-1))


def _suspicious_auc(known: Predictions, threshold: float, resamples: Resamples) -> np.ndarray:
    [(areas, _)] = ranking_draws([binary_outcomes(known, SUSPICIOUS)], resamples)
    return areas


def _sensitivity(known: Predictions, threshold: float, resamples: Resamples) -> np.ndarray:
    positive, score = binary_outcomes(known, SUSPICIOUS)
    return resamples.means(np.where(positive, score >= threshold, np.nan))


def _specificity(known: Predictions, threshold: float, resamples: Resamples) -> np.ndarray:
    positive, score = binary_outcomes(known, SUSPICIOUS)
    return resamples.means(np.where(positive, np.nan, score < threshold))


def _suspicious(predictions: Predictions) -> np.ndarray:
    """(N,) bool; meaningless where the class is not known."""
    return binary_outcomes(predictions, SUSPICIOUS)[0]


def _log_loss(known: Predictions, threshold: float, resamples: Resamples) -> np.ndarray:
    return resamples.means(metrics.image_log_losses(known.labels, known.probabilities))


def _calibration(known: Predictions, threshold: float, resamples: Resamples) -> np.ndarray:
    return calibration_draws(known, resamples)
