"""Per-image predictions as a table on disk: what `training.measure.evaluate` and the batch runner write.

Columns: `image_id`; `p_<code>` for every class; and, each optional, `dx` (the true class), `lesion_id`,
`p1_<code>` (one view instead of eight), `raw_<code>` (before temperature), `dice`, `jaccard`, `agreement`,
`warnings`, the dataset's facts (`dx_type`, `age`, `sex`, `localization`) and anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import DermalensError
from core.taxonomy import DIAGNOSES, suspicious_flags

UNKNOWN = -1
_SUM_TOLERANCE = 0.02
_ID_NAMES = ("image_id", "image", "isic_id")
# Where an image lies; only a run of this server may say so, never a file from outside.
IMAGE_PATH = "image_path"


class PredictionsError(DermalensError):
    """A predictions file cannot be used; the message says what is wrong and what to do."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """A table of predictions with its probabilities as arrays.

    Attributes:
        frame: N rows with at least `image_id` and `lesion_id` (the image id where it is not known).
        classes: K diagnosis codes.
        probabilities: (N, K), rows sum to 1.
        labels: (N,) int class numbers, `UNKNOWN` where the true class is not known.
        one_view: (N, K) with one view instead of eight, or None.
        uncalibrated: (N, K) before temperature, or None.
    """

    frame: pd.DataFrame
    classes: tuple[str, ...]
    probabilities: np.ndarray
    labels: np.ndarray
    one_view: np.ndarray | None = None
    uncalibrated: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def predicted(self) -> np.ndarray:
        """(N,) number of the most probable class."""
        return self.probabilities.argmax(axis=1)

    @property
    def lesions(self) -> np.ndarray:
        """(N,) str lesion of each image."""
        return self.frame["lesion_id"].to_numpy(object).astype(str)

    @property
    def labelled(self) -> np.ndarray:
        """(N,) bool: the true class is known."""
        return self.labels != UNKNOWN

    @property
    def suspicious_share(self) -> np.ndarray:
        """(N,) probability of all suspicious classes together."""
        return self.probabilities[:, suspicious_flags(self.classes)].sum(axis=1)

    def take(self, rows: np.ndarray) -> "Predictions":
        """The predictions of some rows, given as numbers or as an (N,) bool mask."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, dtype=np.int64)
        part = {name: getattr(self, name) for name in ("one_view", "uncalibrated")}
        return replace(
            self,
            frame=self.frame.iloc[rows].reset_index(drop=True),
            probabilities=self.probabilities[rows],
            labels=self.labels[rows],
            **{name: None if values is None else values[rows] for name, values in part.items()},
        )


def read_predictions(source: str | Path | bytes) -> Predictions:
    """Read a predictions table from a CSV file or its bytes.

    Probability columns may be named `p_mel` or just `mel`; the true class is a code in `dx`.

    Raises:
        PredictionsError: unreadable, empty, no probabilities, or values that are no probabilities.
    """
    try:
        frame = pd.read_csv(BytesIO(source) if isinstance(source, bytes) else source)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise PredictionsError(f"This is no readable CSV table: {error}") from error
    return from_frame(frame.drop(columns=IMAGE_PATH, errors="ignore"))


def from_frame(frame: pd.DataFrame) -> Predictions:
    """Check a table of predictions; see `read_predictions`."""
    frame = frame.rename(columns={name: "image_id" for name in _ID_NAMES[1:] if "image_id" not in frame})
    if frame.empty or "image_id" not in frame:
        raise PredictionsError(f"The table needs rows and a column {' or '.join(map(repr, _ID_NAMES))}.")
    classes, prefix = _find_classes(frame)
    identifiers = frame["image_id"].astype(str)
    lesions = frame["lesion_id"].fillna(identifiers) if "lesion_id" in frame else identifiers
    return Predictions(
        frame=frame.assign(image_id=identifiers, lesion_id=lesions.astype(str)).reset_index(drop=True),
        classes=classes,
        probabilities=_probabilities(frame, classes, prefix),
        labels=_labels(frame, classes),
        one_view=_optional(frame, classes, "p1_"),
        uncalibrated=_optional(frame, classes, "raw_"),
    )


def _find_classes(frame: pd.DataFrame) -> tuple[tuple[str, ...], str]:
    for prefix in ("p_", ""):
        classes = tuple(
            column.removeprefix(prefix)
            for column in frame.columns
            if column.startswith(prefix) and column.removeprefix(prefix) in DIAGNOSES
        )
        if len(classes) >= 2:
            return classes, prefix
    raise PredictionsError(
        "The table has no class probabilities. Name their columns p_<code>, for example "
        f"p_mel and p_nv; known codes: {', '.join(DIAGNOSES)}."
    )


def _probabilities(frame: pd.DataFrame, classes: Sequence[str], prefix: str) -> np.ndarray:
    columns = [f"{prefix}{code}" for code in classes]
    values = frame[columns].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    sums = values.sum(axis=1)
    bad = ~(np.isfinite(values).all(axis=1) & (values >= 0).all(axis=1) & (abs(sums - 1) < _SUM_TOLERANCE))
    if bad.any():
        first = frame["image_id"].iloc[int(bad.argmax())]
        raise PredictionsError(
            f"{int(bad.sum())} rows hold no probabilities that sum to 1 in {', '.join(columns)}; the first "
            f"is {first}. Give softmax probabilities, not logits or per cent, and leave failed images out."
        )
    return values / sums[:, None]  # 1 again after the file's rounding


def _optional(frame: pd.DataFrame, classes: Sequence[str], prefix: str) -> np.ndarray | None:
    present = all(f"{prefix}{code}" in frame for code in classes)
    return _probabilities(frame, classes, prefix) if present else None


def _labels(frame: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    if "dx" not in frame:
        return np.full(len(frame), UNKNOWN)
    numbers = {code: k for k, code in enumerate(classes)}
    codes = frame["dx"].astype("string").str.strip().str.lower()
    unknown = sorted(set(codes.dropna()) - set(numbers))
    if unknown:
        raise PredictionsError(
            f"The column dx holds {', '.join(map(repr, unknown[:5]))}, which no probability column "
            f"stands for. Use {', '.join(classes)}, or leave the cell empty where it is not known."
        )
    return codes.map(numbers).fillna(UNKNOWN).to_numpy(np.int64)
