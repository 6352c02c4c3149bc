"""One row an image: the dataset's facts, its split and the shipped model's prediction.

Without the dataset the split file lists the images, and their facts come from the file that ships or from the
predictions; with it, every row has its facts and its files.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.evaluation.predictions import Predictions
from core.evaluation.slices import FOUND_STRUCTURES
from core.taxonomy import DIAGNOSES

NOT_GIVEN, NO_WARNING = "not given", "none"
NO_SPLIT = "none"
RIGHT, WRONG, NOT_PREDICTED = "right", "wrong", "not predicted"
AGE_BAND_YEARS = 10
# HAM10000's codes for how a diagnosis was confirmed.
CONFIRMATIONS = {
    "histo": "histopathology",
    "follow_up": "follow-up",
    "consensus": "expert consensus",
    "confocal": "confocal microscopy",
}
FACTS = ("dx_type", "age", "sex", "localization")
# What only some datasets record; `NOT_GIVEN` everywhere in the others.
RARE_FACTS = ("skin_tone_class", "thickness")
FILES = ("image_path", "mask_path")

# Lesion size as a share of the image: limits near the quintiles of the test split (6, 13, 22, 37, 54 %
# are its percentiles 10, 25, 50, 75 and 90).
SIZE_LIMITS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0)
SIZE_BANDS = ("under 5 %", "5–10 %", "10–20 %", "20–40 %", "40–60 %", "over 60 %")
_SIZE_ORDER = (*SIZE_BANDS, NOT_GIVEN)


def build_catalogue(
    dataset: pd.DataFrame | None,
    assignment: pd.DataFrame,
    predictions: Sequence[Predictions] = (),
    facts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Join what is known about each image.

    Args:
        dataset: rows of `core.datasets.ham10000.read_ham10000` or another layout; None where there is no dataset.
        assignment: `image_id`, `lesion_id`, `dx`, `split`, as in `training/splits/`.
        predictions: tables that share no image, e.g. the validation and the test split.
        facts: `image_id` and `FACTS` for a catalogue without a dataset; those of the predictions if None.

    Returns:
        Sorted by image id, with `lesion_id`, `dx`, `split` (`NO_SPLIT` where it has none), the `FACTS`
        and `RARE_FACTS` (text, `NOT_GIVEN` where unknown; `age` in years or NaN), `FILES` ("" without a file),
        `images_of_lesion` (int), `age_band` (its first year), `prediction`, `confidence`, `answer` (`RIGHT`, `WRONG`,
        `NOT_PREDICTED`), `dice`, `lesion_area_fraction`, `size_band`, `warnings` (codes separated by ";") and
        `structures` (what the bundle's probe finds and what it does not, separated by ";").
    """
    answers = _answers(predictions)
    if dataset is None:
        rows = assignment[["image_id", "lesion_id", "dx"]].merge(
            (answers if facts is None else facts).reindex(columns=["image_id", *FACTS]),
            on="image_id",
            how="left",
        )
    else:
        rows = dataset.reset_index(drop=True)
    rows = rows.reindex(columns=["image_id", "lesion_id", "dx", *FACTS, *RARE_FACTS, *FILES])
    rows = rows.merge(assignment[["image_id", "split"]], on="image_id", how="left")
    rows = rows.merge(answers.drop(columns=list(FACTS), errors="ignore"), on="image_id", how="left")
    return _tidy(rows.sort_values("image_id", ignore_index=True))


def _answers(predictions: Sequence[Predictions]) -> pd.DataFrame:
    """The model's predictions, one row an image."""
    columns = ["image_id", *FACTS, "dice", "lesion_area_fraction", "warnings"]
    parts = [
        part.frame.reindex(columns=columns).assign(
            prediction=np.array(part.classes, object)[part.predicted],
            confidence=part.probabilities.max(axis=1),
            structures=describe_structures(part.frame),
        )
        for part in predictions
    ]
    empty = pd.DataFrame(columns=[*columns, "prediction", "confidence", "structures"])
    return pd.concat(parts, ignore_index=True).drop_duplicates("image_id") if parts else empty


def describe_structures(frame: pd.DataFrame) -> list[str]:
    """For each row of predictions, the dermoscopic structures that are likely and, behind "no", those that are not.

    >>> describe_structures(pd.DataFrame({"structure_globules": [0.9, 0.1, None]}))
    ['globules', 'no globules', '']
    """
    found = [""] * len(frame)
    for column, name in FOUND_STRUCTURES.items():
        if column in frame:
            title = name.replace("_", " ")
            words = [_likely(p, title) for p in pd.to_numeric(frame[column], errors="coerce")]
            found = [";".join(filter(None, pair)) for pair in zip(found, words, strict=True)]
    return found


def _likely(probability: float, title: str) -> str:
    if np.isnan(probability):
        return ""
    return title if probability >= 0.5 else f"no {title}"


def _tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Fill missing values and derive the columns that the facets need."""
    text = {
        name: _text(rows[name], NOT_GIVEN) for name in ("dx", "dx_type", "sex", "localization", *RARE_FACTS)
    }
    blank = {name: _text(rows[name], "") for name in (*FILES, "prediction")}
    numbers = ("age", "dice", "lesion_area_fraction", "confidence")
    rows = rows.assign(
        split=_text(rows["split"], NO_SPLIT),
        lesion_id=rows["lesion_id"].fillna(rows["image_id"]).astype(str),
        **text,
        **blank,
        **{name: pd.to_numeric(rows[name], errors="coerce") for name in numbers},
    )
    right = np.where(rows["prediction"] == rows["dx"], RIGHT, WRONG)
    unlabelled = (rows["prediction"] == "") | (rows["dx"] == NOT_GIVEN)
    return rows.assign(
        answer=np.where(unlabelled, NOT_PREDICTED, right),
        age_band=rows["age"] // AGE_BAND_YEARS * AGE_BAND_YEARS,
        warnings=np.where(rows["prediction"] == "", NOT_GIVEN, _text(rows["warnings"], NO_WARNING)),
        structures=_text(rows["structures"], NOT_GIVEN),
        images_of_lesion=rows.groupby("lesion_id")["image_id"].transform("size"),
        size_band=_size_bands(rows["lesion_area_fraction"].to_numpy(float)),
    )


def _text(column: pd.Series, missing: str) -> np.ndarray:
    values = column.astype("string").fillna("").str.strip().to_numpy(object)
    return np.where(values == "", missing, values)


def _size_bands(shares: np.ndarray) -> np.ndarray:
    """(N,) the band of each share of the image in [0, 1]; `NOT_GIVEN` for NaN."""
    numbers = np.searchsorted(SIZE_LIMITS[1:-1], shares, side="right")
    return np.array(_SIZE_ORDER, object)[np.where(np.isnan(shares), len(SIZE_BANDS), numbers)]


def diagnosis_name(code: str) -> str:
    """The class's name; a code that the taxonomy does not know stands for itself.

    >>> diagnosis_name("mel"), diagnosis_name("xyz")
    ('Melanoma', 'xyz')
    """
    return DIAGNOSES[code].name if code in DIAGNOSES else code
