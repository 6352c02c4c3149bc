"""What every view of the Evaluate page is given."""

from dataclasses import dataclass

from core.evaluation.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Context:
    """The predictions under evaluation.

    Attributes:
        name: what they are, for headings and file names.
        key: changes whenever the predictions do; caches are keyed on it instead of on arrays.
        predictions: all rows, labelled or not.
        threshold: decision threshold on the probability of malignancy, of the system that made the predictions.
    """

    name: str
    key: str
    predictions: Predictions
    threshold: float
