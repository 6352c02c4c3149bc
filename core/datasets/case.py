"""A case: one image with its expert mask, its facts and what was predicted, as one object.

Made from a row of a predictions table or of the catalogue; pages pass it from a click to the dialog.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.datasets.catalogue import FACTS, NOT_GIVEN
from core.diagnosis.classification import Classification
from core.evaluation.predictions import IMAGE_PATH, Predictions
from core.taxonomy import suspicious_flags

# Of the prediction, as far as its table has them.
MEASURES = ("dice", "jaccard", "agreement", "warnings")


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a system answered for one image.

    Attributes:
        classes: K diagnosis codes.
        probabilities: (K,), sums to 1.
        measures: those of `MEASURES` that are known; `agreement` is a share of the views.
    """

    classes: tuple[str, ...]
    probabilities: np.ndarray
    measures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The most probable class."""
        return self.classes[int(self.probabilities.argmax())]

    @property
    def malignancy(self) -> float:
        """Probability of malignancy: sum over the malignant, premalignant and in-situ classes."""
        return float(self.probabilities[suspicious_flags(self.classes)].sum())


@dataclass(frozen=True, eq=False)
class Case:
    """One image with all that is known about it.

    Attributes:
        image_id: its name in the table or the dataset.
        lesion_id: images of one lesion share it; the image id where it is not known.
        image_path: of the picture; None where it is not available.
        mask_path: of the expert's mask of this very picture; None where there is none.
        true_code: the true class; None where it is not known.
        facts: `core.datasets.catalogue.FACTS` as far as the table has these columns; None where unknown.
        prediction: None where nothing was predicted.
        split: of the dataset; "" where it is in none.
        source: what the image id is unique in, see `core.records.notebook.identify`; "" where nobody notes anything.
    """

    image_id: str
    lesion_id: str
    image_path: Path | None
    mask_path: Path | None
    true_code: str | None
    facts: Mapping[str, Any]
    prediction: Prediction | None = None
    split: str = ""
    source: str = ""

    def with_answer(self, answer: Classification) -> "Case":
        """The same case with what the networks answered now."""
        probabilities = np.asarray(answer.probabilities, np.float64)
        return replace(self, prediction=Prediction(tuple(answer.classes), probabilities))


def case_of_prediction(predictions: Predictions, row: int, dataset: pd.DataFrame | None) -> Case:
    """The case of a row of a predictions table.

    Args:
        predictions: the table.
        row: number of the image in it.
        dataset: rows of the dataset by image id, see `core.datasets.layouts.read_dataset`; None without one.
            It brings picture and mask; a batch run's image has its own picture, and the dataset's mask only
            if it is the very same file: the same name alone may be another patient's.
    """
    values = predictions.frame.iloc[row]
    image_id = str(values["image_id"])
    own = Path(values[IMAGE_PATH]) if IMAGE_PATH in values.index else None
    image, mask = _files(image_id, dataset)
    if own is not None:
        image, mask = own, mask if image is not None and image.resolve() == own.resolve() else None
    known = predictions.labelled[row]
    return Case(
        image_id=image_id,
        lesion_id=str(values["lesion_id"]),
        image_path=image,
        mask_path=mask,
        true_code=predictions.classes[predictions.labels[row]] if known else None,
        facts=_pick(values, FACTS),
        prediction=Prediction(predictions.classes, predictions.probabilities[row], _pick(values, MEASURES)),
    )


def case_of_record(record: pd.Series) -> Case:
    """The case of a row of `core.datasets.catalogue.build_catalogue`, without a prediction."""
    dx = record["dx"]
    return Case(
        image_id=record["image_id"],
        lesion_id=record["lesion_id"],
        image_path=_path(record["image_path"]),
        mask_path=_path(record["mask_path"]),
        true_code=None if dx == NOT_GIVEN else dx,
        facts=_pick(record.where(record != NOT_GIVEN), FACTS),
        split=record["split"],
    )


def _files(image_id: str, dataset: pd.DataFrame | None) -> tuple[Path | None, Path | None]:
    if dataset is None or image_id not in dataset.index:
        return None, None
    return _path(dataset.at[image_id, "image_path"]), _path(dataset.at[image_id, "mask_path"])


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _pick(values: pd.Series, names: tuple[str, ...]) -> dict[str, Any]:
    """The named values that the row has; None for what is missing."""
    return {name: None if pd.isna(values[name]) else values[name] for name in names if name in values.index}
