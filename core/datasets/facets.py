"""Filtering a catalogue by facets, with the counts that each further choice would leave.

A facet is a column with a handful of values; within one facet choices are alternatives, between facets
all must hold. The count beside an option takes every filter into account but the option's own facet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.datasets.catalogue import (
    CONFIRMATIONS,
    NO_SPLIT,
    NO_WARNING,
    NOT_GIVEN,
    NOT_PREDICTED,
    RIGHT,
    SIZE_BANDS,
    WRONG,
    diagnosis_name,
)
from core.datasets.ham10000 import SPLITS
from core.taxonomy import DIAGNOSES


@dataclass(frozen=True)
class Facet:
    """A column to filter by: its name in the address, its label and the order of its options."""

    name: str
    column: str
    label: str
    order: tuple[str, ...] = ()
    several: bool = False  # a cell holds several values, separated by ";"


FACETS = (
    Facet("class", "dx", "Diagnosis", (*DIAGNOSES, NOT_GIVEN)),
    Facet("answer", "answer", "Model's answer", (RIGHT, WRONG, NOT_PREDICTED)),
    Facet("split", "split", "Split", (*SPLITS, NO_SPLIT)),
    Facet("sex", "sex", "Sex", ("female", "male", "unknown", NOT_GIVEN)),
    Facet("site", "localization", "Body site"),
    Facet("confirmed", "dx_type", "Confirmed by"),
    Facet("tone", "skin_tone_class", "Skin tone (0 very dark to 5 very light)"),
    Facet("thickness", "thickness", "Melanoma thickness (mm)"),
    Facet("quality", "warnings", "Image warnings", (NO_WARNING,), several=True),
    Facet("structure", "structures", "Dermoscopic structures (found)", several=True),
    Facet("images", "images_of_lesion", "Images of the lesion"),
    Facet("size", "size_band", "Lesion size", (*SIZE_BANDS, NOT_GIVEN)),
)


@dataclass(frozen=True)
class Selection:
    """What the user selected; everything by default.

    Attributes:
        values: chosen options by facet name; a facet without a choice is left out.
        age: youngest and oldest age in years, both included; rows without an age are then left out.
        text: part of an image or lesion id.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    age: tuple[int, int] | None = None
    text: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.values and self.age is None and not self.text


@dataclass(frozen=True, eq=False)
class FacetIndex:
    """Which rows each option of a facet holds: `members` is (options, rows) bool."""

    options: tuple[str, ...]
    members: np.ndarray


@dataclass(frozen=True, eq=False)
class Explorer:
    """A catalogue made ready for filtering; build it once with `build_explorer`.

    Attributes:
        frame: N rows, one an image.
        indices: of the facets, by name.
        shown: (N,) bool, rows that may be found at all, e.g. those with a tag; None for all.
    """

    frame: pd.DataFrame
    indices: Mapping[str, FacetIndex]
    shown: np.ndarray | None = None

    def find(self, selection: Selection) -> np.ndarray:
        """(N,) bool: the rows that match the whole selection."""
        return np.logical_and.reduce([self._other(selection), *self._chosen(selection).values()])

    def count(self, selection: Selection) -> dict[str, dict[str, int]]:
        """Rows for each option of each facet, given the choices in all other facets."""
        chosen, other = self._chosen(selection), self._other(selection)
        counts = {}
        for name, index in self.indices.items():
            rest = [mask for key, mask in chosen.items() if key != name]
            rows = index.members[:, np.logical_and.reduce([other, *rest])]
            counts[name] = dict(zip(index.options, rows.sum(axis=1).tolist(), strict=True))
        return counts

    def _chosen(self, selection: Selection) -> dict[str, np.ndarray]:
        masks = {}
        for name, options in selection.values.items():
            index = self.indices[name]
            masks[name] = index.members[np.isin(np.array(index.options, object), options)].any(axis=0)
        return masks

    def _other(self, selection: Selection) -> np.ndarray:
        """Rows that may be found, within the age range and with the searched text."""
        found = np.ones(len(self.frame), bool) if self.shown is None else self.shown.copy()
        if selection.age is not None:
            found &= self.frame["age"].between(*selection.age).to_numpy(bool)
        if text := selection.text.strip():
            for_text = [
                self.frame[column].str.contains(text, case=False, regex=False).to_numpy(bool)
                for column in ("image_id", "lesion_id")
            ]
            found &= np.logical_or(*for_text)
        return found


def build_explorer(frame: pd.DataFrame) -> Explorer:
    """Index a catalogue (`core.datasets.catalogue.build_catalogue`) by its facets."""
    return Explorer(frame, {facet.name: _index(frame[facet.column], facet) for facet in FACETS})


def _index(column: pd.Series, facet: Facet) -> FacetIndex:
    numbers, cells = pd.factorize(column.astype(str).to_numpy(object))
    held = [tuple(cell.split(";")) if facet.several else (cell,) for cell in cells]
    rank = {option: i for i, option in enumerate(facet.order)}
    options = sorted(
        {o for cell in held for o in cell}, key=lambda o: (rank.get(o, len(rank)), o == NOT_GIVEN, o)
    )
    members = np.array([[option in cell for cell in held] for option in options], bool)
    return FacetIndex(tuple(options), members.reshape(len(options), len(held))[:, numbers])


def option_label(name: str, option: str) -> str:
    """The label of an option.

    >>> option_label("class", "mel"), option_label("quality", "dark_corners")
    ('Melanoma', 'dark corners')
    """
    if name == "class":
        return diagnosis_name(option)
    return CONFIRMATIONS.get(option, option) if name == "confirmed" else option.replace("_", " ")


def cross_count(
    frame: pd.DataFrame, rows: str, row_values: Sequence, columns: str, column_values: Sequence
) -> pd.DataFrame:
    """Images for each pair of values of two columns, in the order asked for; 0 where there is none.

    >>> frame = pd.DataFrame({"dx": ["mel", "mel", "nv"], "sex": ["male", "male", "female"]})
    >>> cross_count(frame, "dx", ["nv", "mel"], "sex", ["male"]).to_numpy().tolist()
    [[0], [2]]
    """
    counts = pd.crosstab(frame[rows], frame[columns])
    return counts.reindex(index=list(row_values), columns=list(column_values), fill_value=0)


# --- order ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Order:
    """A way to sort: column, direction and label; rows without a value come last."""

    column: str
    ascending: bool
    label: str


ORDERS = {
    "id": Order("image_id", True, "Image id"),
    "age": Order("age", True, "Youngest first"),
    "-age": Order("age", False, "Oldest first"),
    "-confidence": Order("confidence", False, "Most confident first"),
    "confidence": Order("confidence", True, "Least confident first"),
    "dice": Order("dice", True, "Worst mask (Dice) first"),
    "-dice": Order("dice", False, "Best mask (Dice) first"),
    "-size": Order("lesion_area_fraction", False, "Largest lesion first"),
    "size": Order("lesion_area_fraction", True, "Smallest lesion first"),
}


def sort_rows(frame: pd.DataFrame, rows: np.ndarray, order: Order) -> np.ndarray:
    """Row numbers in the wanted order, ties by image id (the frame's own order).

    Args:
        frame: the catalogue.
        rows: (N,) bool.
        order: one of `ORDERS`.
    """
    numbers = np.flatnonzero(rows)
    column = frame[order.column].iloc[numbers].reset_index(drop=True)
    column = column.sort_values(ascending=order.ascending, kind="stable", na_position="last")
    return numbers[column.index.to_numpy()]


# --- address ----------------------------------------------------------------------------------------
_AGE, _TEXT = "age", "q"
ADDRESS_KEYS = (*(facet.name for facet in FACETS), _AGE, _TEXT)


def from_address(address: Mapping[str, str], indices: Mapping[str, FacetIndex]) -> Selection:
    """The selection in a link; values that the catalogue does not have are dropped.

    >>> indices = {"class": FacetIndex(("mel", "nv"), np.ones((2, 1), bool))}
    >>> from_address({"class": "nv,mel,xyz", "age": "20-40"}, indices)
    Selection(values={'class': ('mel', 'nv')}, age=(20, 40), text='')
    """
    values = {}
    for name, index in indices.items():
        wanted = set(address.get(name, "").split(","))
        if options := tuple(option for option in index.options if option in wanted):
            values[name] = options
    return Selection(values, _read_age(address.get(_AGE, "")), address.get(_TEXT, ""))


def _read_age(text: str) -> tuple[int, int] | None:
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal() and int(low) <= int(high)):
        return None
    return int(low), int(high)
