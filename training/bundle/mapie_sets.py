"""Split-conformal sets by MAPIE, from probabilities that are already computed.

The engine needs no more than MAPIE's quantile (see `core.diagnosis.conformal`); MAPIE itself fits and compares.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores import APSConformityScore, BaseClassificationScore, LACConformityScore
from sklearn.base import BaseEstimator, ClassifierMixin

SCORES: dict[str, type[BaseClassificationScore]] = {"lac": LACConformityScore, "aps": APSConformityScore}


class GivenProbabilities(ClassifierMixin, BaseEstimator):
    """A classifier whose input is its answer: (N, K) probabilities."""

    def __init__(self, n_classes: int):
        self.n_classes = n_classes
        self.classes_ = np.arange(n_classes)
        self.is_fitted_ = True

    def predict_proba(self, probabilities: np.ndarray) -> np.ndarray:
        return np.asarray(probabilities)

    def predict(self, probabilities: np.ndarray) -> np.ndarray:
        return np.asarray(probabilities).argmax(axis=1)


@dataclass(frozen=True, eq=False)
class Conformalized:
    """MAPIE's classifier after calibration, and the quantile it found."""

    classifier: SplitConformalClassifier
    quantile: float


def conformalize(
    probabilities: np.ndarray, labels: np.ndarray, confidence_level: float, score: str
) -> Conformalized:
    """Calibrate one quantile for all classes.

    Args:
        probabilities: (N, K) of the calibration images.
        labels: (N,) int class numbers.
        confidence_level: share of the images to be covered.
        score: a key of `SCORES`.
    """
    conformity = SCORES[score]()
    classifier = SplitConformalClassifier(
        GivenProbabilities(probabilities.shape[1]),
        confidence_level=confidence_level,
        conformity_score=conformity,
        prefit=True,
        random_state=0,
    )
    with warnings.catch_warnings():  # a class may be missing from a small calibration set
        warnings.simplefilter("ignore")
        classifier.conformalize(probabilities, labels)
    classifier.predict_set(probabilities[:1])  # MAPIE takes the quantile when it first predicts
    return Conformalized(classifier, float(np.ravel(conformity.quantiles_)[0]))


def mapie_sets(fitted: Conformalized, probabilities: np.ndarray) -> np.ndarray:
    """(N, K) bool sets as MAPIE gives them."""
    return fitted.classifier.predict_set(probabilities)[1][..., 0]
