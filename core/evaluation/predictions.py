"""Per-image predictions as a table on disk: what `training.measure.evaluate` and the batch runner write.

Columns: `image_id` (text, whatever it looks like); `path` from the run's folder; `p_<code>` for every class; and,
each optional, `dx` (the true class), `lesion_id`, `p1_<code>` (one view instead of eight), `raw_<code>` (before temperature), `dice`, `jaccard`, `agreement`,
`warnings`, the dataset's facts (`dx_type`, `age`, `sex`, `localization`) and anything else.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import DermalensError
from core.tables.columns import (
    FACT_NAMES,
    ID_NAMES,
    LABEL_NAMES,
    find_column,
    read_facts,
    require_ids,
    to_numbers,
    to_types,
)
from core.tables.reading import TableError, list_headings, read_table
from core.taxonomy import DIAGNOSES, read_code, suspicious_flags

UNKNOWN = -1
_SUM_TOLERANCE = 0.035  # seven classes, each rounded to two decimals
_ROUNDING = 1e-6
_NUMBER_FACTS = {"age"}
_TEXTS = {*FACT_NAMES, *ID_NAMES, *LABEL_NAMES, "prediction", "warnings", "error"} - _NUMBER_FACTS
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
        notes: messages on what was left out, counted once or scaled while reading.
    """

    frame: pd.DataFrame
    classes: tuple[str, ...]
    probabilities: np.ndarray
    labels: np.ndarray
    one_view: np.ndarray | None = None
    uncalibrated: np.ndarray | None = None
    notes: tuple[str, ...] = ()

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
    def malignancy_probability(self) -> np.ndarray:
        """(N,) probability of malignancy."""
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

    def restrict(self, classes: Sequence[str]) -> "Predictions":
        """The same answers among fewer classes: the others' probability is shared out in proportion.

        For a dataset that cannot hold some classes of the bundle. A label that is left out becomes `UNKNOWN`.

        Raises:
            ValueError: a class is not one of the table's.
        """
        if unknown := set(classes) - set(self.classes):
            raise ValueError(
                f"`classes` must be of {', '.join(self.classes)}; got {', '.join(sorted(unknown))}."
            )
        places = [self.classes.index(code) for code in classes]
        number = np.full(len(self.classes) + 1, UNKNOWN)  # the last entry is that of `UNKNOWN` itself
        number[places] = np.arange(len(places))

        def part(values: np.ndarray | None) -> np.ndarray | None:
            if values is None:
                return None
            kept = values[:, places]
            sums = kept.sum(axis=1, keepdims=True)
            return np.where(sums > 0, kept / np.where(sums > 0, sums, 1), 1 / len(places))

        return replace(
            self,
            classes=tuple(classes),
            probabilities=part(self.probabilities),
            labels=number[self.labels],
            one_view=part(self.one_view),
            uncalibrated=part(self.uncalibrated),
        )


def read_predictions(source: str | Path | bytes) -> Predictions:
    """Read a predictions table from a file or its bytes, in any dialect of `core.tables.reading`.

    Probability columns may be named `p_mel`, `mel` or `MEL`; the true class stands under any of
    `core.tables.columns.LABEL_NAMES`. Rows of images that could not be analysed are left out.

    Raises:
        PredictionsError: unreadable, empty, no probabilities, values that are no probabilities, or an
            image twice with different values.
    """
    try:
        table = read_table(source)
        ids, label = require_ids(table), find_column(table, LABEL_NAMES)
    except TableError as error:
        raise PredictionsError(str(error)) from error
    typed = to_types(table.drop(columns=IMAGE_PATH, errors="ignore"), _TEXTS).assign(image_id=ids)
    facts = read_facts(table)
    for name in facts.keys() & _NUMBER_FACTS:
        typed[name] = to_numbers(facts[name])
    for name in facts.keys() - _NUMBER_FACTS:
        typed[name] = facts[name].replace("", None).astype("str")
    if label:
        typed["dx"] = table[label]
    return from_frame(typed)


def from_frame(frame: pd.DataFrame) -> Predictions:
    """Check a table of predictions with typed columns; see `read_predictions`."""
    name = find_column(frame, ID_NAMES)
    if frame.empty or name is None:
        wanted = " or ".join(map(repr, ID_NAMES[:3]))
        raise PredictionsError(f"The table needs rows and a column {wanted}. {list_headings(frame)}")
    frame = frame.assign(image_id=frame[name].astype(str))
    frame, failed = _without_failed(frame)
    frame, repeated = _without_repeats(frame)
    classes, prefix, columns = _find_classes(frame)
    frame = frame.rename(columns=columns)
    values, rescaled = _probabilities(frame, classes, prefix)
    labels, unknown = _labels(frame, classes)
    lesions = frame["lesion_id"].fillna(frame["image_id"]) if "lesion_id" in frame else frame["image_id"]
    return Predictions(
        frame=frame.assign(lesion_id=lesions.astype(str)).reset_index(drop=True),
        classes=classes,
        probabilities=values,
        labels=labels,
        one_view=_optional(frame, classes, "p1_"),
        uncalibrated=_optional(frame, classes, "raw_"),
        notes=tuple(filter(None, (failed, repeated, rescaled, unknown))),
    )


# --- rows -------------------------------------------------------------------------------------------
def _without_failed(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out images that were refused: rows that have an error and no numbers."""
    if "error" not in frame:
        return frame, ""
    failed = (frame["error"].fillna("").astype(str).str.strip() != "").to_numpy()
    if failed.all():
        raise PredictionsError("Every row of the table has an error: no image was analysed.")
    return frame[~failed], f"left out, because they have an error: {failed.sum():,}" if failed.any() else ""


def _without_repeats(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Count identical rows once; an image that is there with different values cannot be counted at all."""
    repeated = np.flatnonzero(frame["image_id"].duplicated(keep=False))  # the others differ in their id
    again = np.zeros(len(frame), bool)
    again[repeated] = frame.iloc[repeated].astype(str).duplicated()
    once = frame[~again]
    again = once["image_id"][once["image_id"].duplicated()].unique()
    if len(again):
        shown = ", ".join(again[:5]) + (f" and {len(again) - 5} more" if len(again) > 5 else "")
        raise PredictionsError(
            f"{len(again)} images are there more than once with different values: {shown}. Keep one row each."
        )
    left_out = len(frame) - len(once)
    return once, f"identical rows, counted once: {left_out:,}" if left_out else ""


# --- probabilities ----------------------------------------------------------------------------------
def _find_classes(frame: pd.DataFrame) -> tuple[tuple[str, ...], str, dict[str, str]]:
    """The classes, their columns' prefix, and those columns' names by the codes that they stand for."""
    for prefix in ("p_", ""):
        codes = {
            column: read_code(column.removeprefix(prefix))
            for column in frame
            if str(column).startswith(prefix)
        }
        codes = {column: code for column, code in codes.items() if code in DIAGNOSES}
        if len(set(codes.values())) < len(codes):
            raise PredictionsError(
                f"Two columns stand for one class: {', '.join(codes)}. Remove one of the two."
            )
        if len(codes) >= 2:
            return (
                tuple(codes.values()),
                prefix,
                {column: f"{prefix}{code}" for column, code in codes.items()},
            )
    headings = frame.drop(columns="image_id") if find_column(frame, ID_NAMES[1:]) else frame
    raise PredictionsError(
        "The table has no class probabilities. Name their columns p_<code>, for example "
        f"p_mel and p_nv; known codes: {', '.join(DIAGNOSES)}. {list_headings(headings)}"
    )


def _probabilities(frame: pd.DataFrame, classes: Sequence[str], prefix: str) -> tuple[np.ndarray, str]:
    """(N, K) that sum to 1, and a message on what was changed to reach that."""
    columns = [f"{prefix}{code}" for code in classes]
    values = np.column_stack([to_numbers(frame[column]) for column in columns])
    values = np.where((values < 0) & (values >= -_ROUNDING), 0.0, values)
    sums, note = values.sum(axis=1), ""
    rest = to_numbers(frame[f"{prefix}unk"]) if f"{prefix}unk" in frame else np.zeros(len(frame))
    if (rest > _ROUNDING).any() and (abs(sums + rest - 1) < _SUM_TOLERANCE).all() and (sums > 0).all():
        values, sums = values / sums[:, None], np.ones(len(sums))
        note = f"{prefix}unk is no class: the other probabilities were scaled to sum to 1"
    bad = ~(np.isfinite(values).all(axis=1) & (values >= 0).all(axis=1) & (abs(sums - 1) < _SUM_TOLERANCE))
    if bad.any():
        raise PredictionsError(_describe_bad(frame, bad, columns, classes))
    return values / sums[:, None], note  # 1 again after the file's rounding


def _describe_bad(
    frame: pd.DataFrame, bad: np.ndarray, columns: Sequence[str], classes: Sequence[str]
) -> str:
    message = (
        f"{int(bad.sum())} rows hold no probabilities that sum to 1 in {', '.join(columns)}; the first "
        f"is {frame['image_id'].iloc[int(bad.argmax())]}. Give softmax probabilities, not logits or per cent, and "
        "leave failed images out."
    )
    codes = {read_code(cell) for cell in frame["dx"].dropna()} if "dx" in frame else set()
    lacking = sorted((codes & set(DIAGNOSES)) - set(classes))
    return f"{message} No column stands for {', '.join(lacking)}, which dx names." if lacking else message


def _optional(frame: pd.DataFrame, classes: Sequence[str], prefix: str) -> np.ndarray | None:
    present = all(f"{prefix}{code}" in frame for code in classes)
    return _probabilities(frame, classes, prefix)[0] if present else None


def _labels(frame: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, str]:
    """(N,) class numbers, and a message on labels that are no class of the table."""
    if "dx" not in frame:
        return np.full(len(frame), UNKNOWN), ""
    numbers = {code: k for k, code in enumerate(classes)}
    codes = [read_code(cell) if isinstance(cell, str) else "" for cell in frame["dx"]]
    unknown = Counter(code for code in codes if code and code not in numbers)
    note = ", ".join(f"{code} ({count:,})" for code, count in unknown.most_common(8))
    labels = np.array([numbers.get(code, UNKNOWN) for code in codes], np.int64)
    return labels, f"without a label, because no probability column stands for theirs: {note}" if note else ""
