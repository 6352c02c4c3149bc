"""Find the columns of a table that hold the image, the diagnosis and each fact, under any usual heading."""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from core.tables.reading import TableError, list_headings
from core.taxonomy import DIAGNOSES, read_code

ID_NAMES = ("image_id", "image", "isic_id", "image_name", "filename", "file_name", "file", "path")
LABEL_NAMES = ("dx", "label", "true_label", "diagnosis", "class", "diagnosis_3", "diagnosis_full")
# A fact's own name first, then those of other data sets.
FACT_NAMES = {
    "lesion_id": ("lesion_id", "lesion"),
    "ham_lesion_id": ("ham_lesion_id",),
    "patient_id": ("patient_id", "patient"),
    "dx_type": ("dx_type", "confirm", "confirmation", "diagnosis_confirm_type"),
    "age": ("age", "age_approx"),
    "sex": ("sex", "gender"),
    "localization": (
        "localization",
        "localisation",
        "site",
        "anatom_site_general",
        "anatom_site_general_challenge",
        "body_site",
    ),
    "skin_tone_class": ("skin_tone_class", "skin_tone"),
    "thickness": ("thickness", "invasion_thickness_interval", "mel_thick_mm"),
}
# Dermoscopic structures of ISIC 2018 task 2, as 0 and 1.
STRUCTURES = ("globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks")
TWO_LABELS = "two different labels"
# How the ISIC Archive words the confirmation that HAM10000 gives as a code.
_CONFIRMATIONS = {
    "histopathology": "histo",
    "serial imaging showing no change": "follow_up",
    "single image expert consensus": "consensus",
    "confocal microscopy with consensus dermoscopy": "confocal",
}
_TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def find_column(table: pd.DataFrame, names: Iterable[str]) -> str | None:
    """The first of `names` that the table has.

    Raises:
        TableError: it has that heading twice, with different values.
    """
    name = next((name for name in names if name in table), None)
    if name and f"{name}.2" in table and not table[name].equals(table[f"{name}.2"]):
        raise TableError(f"The heading {name!r} is there twice with different values. Remove one of the two.")
    return name


def require_ids(table: pd.DataFrame, what: str = "The table") -> pd.Series:
    """The column that names the images.

    Raises:
        TableError: no row or no such column; the message lists the headings that were found.
    """
    name = find_column(table, ID_NAMES)
    if name is not None and len(table):
        return table[name]
    if name is not None:
        raise TableError(f"{what} has a heading line alone: there must be rows. {list_headings(table)}")
    wanted = " or ".join(map(repr, ID_NAMES[:4]))
    cells = [read_code(head) for head in table.columns]
    if any(cell in DIAGNOSES for cell in cells) and len(cells) <= 3:
        raise TableError(f"{what} has no heading line. Write one first, for example image_id,dx.")
    raise TableError(f"{what} must have rows and a column {wanted}. {list_headings(table)}")


def read_facts(table: pd.DataFrame, names: Iterable[str] = FACT_NAMES) -> dict[str, pd.Series]:
    """The facts that a table has, under their own names, as text."""
    facts = {}
    for name in names:
        if column := find_column(table, FACT_NAMES[name]):
            facts[name] = table[column].str.replace(r"(?i)^(nan|none|null|n/a)$", "", regex=True)
    for name in facts.keys() & {"lesion_id", "ham_lesion_id", "patient_id"}:
        facts[name] = _without_point(facts[name])
    if "dx_type" in facts:
        facts["dx_type"] = facts["dx_type"].replace(_CONFIRMATIONS)
    return facts


def _without_point(column: pd.Series) -> pd.Series:
    """Number ids that passed through a float column (`1.0`) without the point that it added."""
    given = column[column != ""]
    if len(given) and given.str.fullmatch(r"\d+\.0").all():
        return column.str.removesuffix(".0")
    return column


def read_label_column(table: pd.DataFrame) -> list[str] | None:
    """The diagnosis of each row as `core.taxonomy.read_code` gives it, from a column or from one-hot columns.

    Returns:
        One code, unknown word, "" or `TWO_LABELS` a row; None where the table has no diagnosis.

    Raises:
        TableError: the one-hot columns hold something else than 0 and 1.
    """
    if column := find_column(table, LABEL_NAMES):
        return [read_code(cell) for cell in table[column]]
    return decode_one_hot(table)


def decode_one_hot(table: pd.DataFrame) -> list[str] | None:
    """The class of each row where every class has a column with 1 for the right one; "" where none is 1."""
    codes = {column: read_code(column) for column in table}
    codes = {
        column: code for column, code in codes.items() if code in DIAGNOSES or column in ("unk", "other")
    }
    if not any(code in DIAGNOSES for code in codes.values()):
        return None
    values = np.column_stack([to_numbers(table[column]) for column in codes])
    wrong = ~np.isin(values, (0, 1)).all(axis=0)
    if wrong.any():
        column = list(codes)[int(wrong.argmax())]
        raise TableError(
            f"The one-hot column {column.upper()} holds cells that are no number 0 or 1. Labels are wanted, "
            "not probabilities."
        )
    held = [{code for code, cell in zip(codes.values(), row, strict=True) if cell == 1} for row in values]
    return [TWO_LABELS if len(found) > 1 else next(iter(found), "") for found in held]


def to_types(table: pd.DataFrame, texts: Iterable[str]) -> pd.DataFrame:
    """A table of text with numbers where every cell of a column is one; empty cells become NaN.

    Args:
        table: of `core.tables.reading.read_table`.
        texts: columns that stay text whatever they look like, ids above all.
    """
    columns = {}
    for name in table:
        column = table[name].replace("", None)
        numbers = np.full(len(column), np.nan) if name in texts else to_numbers(table[name])
        given = column.notna().to_numpy()
        if name not in texts and given.any() and not np.isnan(numbers[given]).any():
            columns[name] = pd.Series(numbers, column.index)
        else:
            columns[name] = column.astype("str")
    return pd.DataFrame(columns, index=table.index)


def to_numbers(column: pd.Series) -> np.ndarray:
    """(N,) float64 of text cells; decimal commas and True/False are understood, NaN is what is no number.

    >>> to_numbers(pd.Series(["0.5", "0,5", "1e-3", "True", "85+", ""])).tolist()
    [0.5, 0.5, 0.001, 1.0, nan, nan]
    """
    if column.dtype.kind in "iuf":
        return column.to_numpy(np.float64, copy=True)
    # Each different cell once: of text that is no number there is little.
    places, cells = pd.factorize(column.to_numpy(object), use_na_sentinel=False)
    texts = [str(cell).strip() for cell in cells]
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(np.float64, copy=True)
    for k in np.flatnonzero(np.isnan(numbers)):
        if re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", texts[k]):
            numbers[k] = float(texts[k].replace(",", "."))
        else:
            numbers[k] = _TRUTH.get(texts[k].lower(), np.nan)
    return numbers[places]
