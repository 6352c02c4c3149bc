"""What every view of the Dataset page is given."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.datasets.catalogue import build_catalogue
from core.datasets.facets import Explorer, build_explorer
from core.datasets.ham10000_facts import read_facts
from core.datasets.similar import FeatureIndex, FeatureIndexError
from core.datasets.splits import HAM10000, read_splits
from core.evaluation.predictions import Predictions
from core.systems.evaluations import RUNS_DIR, Evaluation, list_evaluations
from pages.components.shared import dataset_folder as dataset

# The run of the shipped bundle; its features and its map stand beside its predictions.
RUN = "ham10000"
RUN_DIR = RUNS_DIR / RUN


@dataclass(frozen=True, eq=False)
class Context:
    """A catalogue with its facets, and the shipped predictions behind it.

    Attributes:
        explorer: one row an image, ready for filtering.
        predictions: of the validation and the test split.
        places: image id -> (number in `predictions`, row there), for images that were predicted.
        positions: image id -> row in the explorer's frame.
        has_pictures: whether there is a dataset behind the catalogue.
        source: what the image ids are unique in, for tags and notes.
    """

    explorer: Explorer
    predictions: tuple[Predictions, ...]
    places: dict[str, tuple[int, int]]
    positions: dict[str, int]
    has_pictures: bool
    source: str

    @property
    def frame(self) -> pd.DataFrame:
        return self.explorer.frame

    def rows_of(self, image_ids: list[str]) -> np.ndarray:
        """(M,) rows of those images that the catalogue has."""
        return np.array([self.positions[name] for name in image_ids if name in self.positions], np.int64)


def read_context() -> Context:
    """The catalogue of the current dataset folder, or of what ships where there is none."""
    found = dataset.read_frame() is not None
    evaluations = [one for one in list_evaluations() if one.run == RUN]
    files = [one.predictions_file for one in evaluations]
    stamps = tuple((str(path), path.stat().st_mtime) for path in files)
    if not found:
        return _read("", HAM10000, 0, stamps, evaluations)
    root = dataset.folder()
    return _read(str(root), dataset.current_set() or HAM10000, dataset.stamp(root), stamps, evaluations)


@st.cache_resource(show_spinner=False, ttl=600, max_entries=4)
def _read(
    root: str,
    name: str,
    changed_ns: int,
    stamps: tuple[tuple[str, float], ...],
    _evaluations: list[Evaluation],
) -> Context:
    """`changed_ns` and `stamps` are parts of the key: what lies on disk depends on them."""
    predictions = tuple(one.read_predictions() for one in _evaluations)
    rows = dataset.read_frame() if root else None
    frame = build_catalogue(rows, _splits_of(name), predictions, read_facts())
    names = [part.frame["image_id"] for part in predictions]
    places = {name: (part, row) for part, column in enumerate(names) for row, name in enumerate(column)}
    positions = {name: row for row, name in enumerate(frame["image_id"])}
    return Context(build_explorer(frame), predictions, places, positions, bool(root), root or name)


def _splits_of(name: str) -> pd.DataFrame:
    """The split of a set that the recipe knows; of HAM10000 otherwise, under whatever folder it lies."""
    own = read_splits(name)
    return own if len(own) else read_splits()


def read_index() -> FeatureIndex | None:
    """The shipped index of similar images; None where it was not made."""
    try:
        return _read_index(str(RUN_DIR))
    except FeatureIndexError:
        return None


@st.cache_resource(show_spinner=False, ttl=600)
def _read_index(folder: str) -> FeatureIndex:
    return FeatureIndex.load(folder)
