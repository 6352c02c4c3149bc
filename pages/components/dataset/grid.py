"""A grid of thumbnails, each of which opens its case."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.datasets.catalogue import NOT_GIVEN, NOT_PREDICTED, diagnosis_name
from core.taxonomy import DIAGNOSES
from pages.components.dataset import address
from pages.components.shared import dataset_folder as dataset

_HERE = Path(__file__).parent
_NEUTRAL = "#8C9AA8"
_mount = st.components.v2.component(
    "dermalens_thumbnails",
    html='<div class="grid"></div>',
    css=(_HERE / "grid.css").read_text(),
    js=(_HERE / "grid.js").read_text(),
)


def draw_grid(
    frame: pd.DataFrame, rows: np.ndarray, key: str, outlined: bool, notes: list[str] | None = None
) -> None:
    """Pictures of some rows of the catalogue.

    Args:
        frame: the catalogue.
        rows: (M,) row numbers, in the order to be shown; a page, not thousands.
        key: of the grid.
        outlined: whether the expert's outline is drawn.
        notes: a last line for each picture; by default what the model answered.
    """
    records = frame.iloc[rows].to_dict("records")
    notes = notes or [describe_answer(record) for record in records]
    items = [_item(record, note, outlined) for record, note in zip(records, notes, strict=True)]
    _mount(data={"items": items}, key=key, on_opened_change=lambda: _open(key))


def _open(key: str) -> None:
    address.write(case=st.session_state[key].opened)


def _item(record: dict[str, Any], note: str, outlined: bool) -> dict[str, Any]:
    code = record["dx"]
    return {
        "id": record["image_id"],
        "src": dataset.image_thumbnail(record["image_id"], outlined=outlined),
        "title": diagnosis_name(code),
        "colour": DIAGNOSES[code].colour if code in DIAGNOSES else _NEUTRAL,
        "lines": [line for line in (describe_patient(record), note) if line],
    }


def describe_patient(record: dict[str, Any]) -> str:
    """Age, sex and body site, as far as known.

    >>> describe_patient({"age": 45.0, "sex": "male", "localization": "not given"})
    '45, male'
    """
    age = "" if pd.isna(record["age"]) else f"{record['age']:.0f}"
    words = [word for word in (record["sex"], record["localization"]) if word not in (NOT_GIVEN, "unknown")]
    return ", ".join(word for word in (age, *words) if word)


def describe_answer(record: dict[str, Any]) -> str:
    """What the model said, and whether that is right.

    >>> describe_answer({"answer": "wrong", "prediction": "nv", "confidence": 0.9})
    '✗ nv 90%'
    """
    if record["answer"] == NOT_PREDICTED:
        return f"{record['split']} split" if record.get("split") else ""
    mark = "✓" if record["answer"] == "right" else "✗"
    return f"{mark} {record['prediction']} {record['confidence']:.0%}"
