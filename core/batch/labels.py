"""True classes for images that a user brings: from a CSV table or from the names of sub-folders.

A table has `image,dx` (the id column may also be called `image_id` or `isic_id`) and may carry the facts
`FACTS` along, or it has the ISIC challenges' one-hot layout, a column a class. Nothing is lost: a label
that cannot be used stays in the column `label`, and every image and label is counted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePath

import pandas as pd

from core.errors import DermalensError
from core.images.reading import IMAGE_EXTENSIONS
from core.taxonomy import DIAGNOSES, ISIC_CODES

FACTS = ("lesion_id", "dx_type", "age", "sex", "localization")
ID_NAMES = ("image_id", "image", "isic_id")
# What ISIC calls an image of none of its classes, and how tables write "not known".
_NO_LABEL = {"", "unk", "unknown", "nan", "none"}
_CONFLICT = "two different labels"


class LabelError(DermalensError):
    """A table of labels cannot be used; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class LabelCounts:
    """What became of every image and every label.

    Attributes:
        images: how many images there are: labelled + unlabelled + the sum of `unknown`.
        labelled: images with a class that the model knows.
        unlabelled: images without any label.
        unknown: images whose label is no class of the model, by that label.
        without_image: labels whose image is not there.
    """

    images: int
    labelled: int
    unlabelled: int
    unknown: dict[str, int]
    without_image: int

    def describe(self) -> str:
        """The counts in words; what is zero is left out."""
        if self.unlabelled == self.images and not self.without_image:
            return "No labels: predictions and their distribution alone"
        said = [f"Labelled: {self.labelled:,} of {self.images:,} images"]
        if self.unlabelled:
            said.append(f"without a label: {self.unlabelled:,}")
        if self.unknown:
            codes = ", ".join(f"{code} ({n:,})" for code, n in self.unknown.items())
            said.append(f"with a label that is no class of the model: {codes}")
        if self.without_image:
            said.append(f"labels without an image: {self.without_image:,}")
        return " · ".join(said)


def read_labels(source: str | Path | bytes) -> pd.DataFrame:
    """Read a table of labels.

    Returns:
        Indexed by image id (file name without folders and extension), one row each: `label` (text,
        lower case, "" where the table gives none) and those of `FACTS` that the table has, as text.

    Raises:
        LabelError: unreadable, empty, no id column, or neither `dx` nor one-hot columns.
    """
    table = _read_table(source)
    name = next((name for name in ID_NAMES if name in table), None)
    if name is None or table.empty:
        raise LabelError(f"The labels need rows and a column {' or '.join(map(repr, ID_NAMES))}.")
    labels = table["dx"] if "dx" in table else _decode_one_hot(table)
    facts = {fact: table[fact].str.strip().to_numpy(object) for fact in FACTS if fact in table}
    index = pd.Index([_stem(text) for text in table[name]], name="image_id", dtype=object)
    frame = pd.DataFrame({"label": [_normal(label) for label in labels], **facts}, index, dtype=object)
    several = frame.groupby(level=0)["label"].nunique() > 1
    frame = frame[~frame.index.duplicated() & (frame.index != "")]
    frame.loc[frame.index.isin(several.index[several]), "label"] = _CONFLICT
    return frame


def _read_table(source: str | Path | bytes) -> pd.DataFrame:
    """Every cell as text; columns in lower case."""
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        # European spreadsheets write semicolons; UTF-8 with the mark that Excel puts in front.
        separator = ";" if b";" in data.partition(b"\n")[0] else ","
        options = {"dtype": "str", "keep_default_na": False, "encoding": "utf-8-sig"}
        table = pd.read_csv(BytesIO(data), sep=separator, **options)
    except (OSError, ValueError) as error:
        raise LabelError(f"The labels are no readable CSV table: {error}") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    return table.loc[:, ~table.columns.duplicated()]


def _decode_one_hot(table: pd.DataFrame) -> list[str]:
    """The class of each row of the ISIC layout; "" where no column is 1."""
    codes = {column: ISIC_CODES.get(column, column) for column in table}
    codes = {column: code or "" for column, code in codes.items() if code is None or code in DIAGNOSES}
    if not codes:
        raise LabelError(
            "The labels need a column 'dx' with class codes, or one column a class (MEL, NV, BCC, …) with 0 "
            f"and 1. Known codes: {', '.join(DIAGNOSES)}."
        )
    numbers = table[list(codes)].apply(pd.to_numeric, errors="coerce")
    if numbers.isna().any(axis=None):
        column = numbers.columns[int(numbers.isna().any().to_numpy().argmax())]
        raise LabelError(f"The column {column.upper()} of the one-hot labels holds cells that are no number.")
    hot = (numbers >= 0.5).to_numpy()
    names = list(codes.values())
    return [_CONFLICT if row.sum() > 1 else names[row.argmax()] if row.any() else "" for row in hot]


def labels_from_folders(paths: Sequence[Path], root: Path) -> list[str]:
    """The label of each image: its nearest folder below `root` that is named like a class.

    Where no folder is, the name of the image's own folder, so that it is reported; "" right in `root`.

    >>> labels_from_folders([Path("d/MEL/p1/a.jpg"), Path("d/odd/b.jpg"), Path("d/c.jpg")], Path("d"))
    ['mel', 'odd', '']
    """
    labels = []
    for path in paths:
        names = [_normal(name) for name in reversed(path.relative_to(root).parent.parts)]
        labels.append(next((name for name in names if name in DIAGNOSES), names[0] if names else ""))
    return labels


def match_labels(
    paths: Sequence[Path], labels: pd.DataFrame | Sequence[str] | None, classes: Sequence[str]
) -> tuple[pd.DataFrame, LabelCounts]:
    """Give each image its label.

    Args:
        paths: the images.
        labels: of `read_labels`, matched by the file's stem; or one label an image; or none at all.
        classes: what the model knows.

    Returns:
        One row an image, all text: `dx` (a code of `classes` or ""), `label` (what was given) and the
        facts; and the counts.
    """
    stems = [path.stem for path in paths]
    table = labels
    if not isinstance(table, pd.DataFrame):
        table = pd.DataFrame({"label": list(labels or [""] * len(stems))}, dtype=object)
        frame, without_image = table, 0
    else:
        frame = table.reindex(stems).fillna("").reset_index(drop=True)
        without_image = int((~table.index.isin(stems)).sum())
    given = frame["label"].tolist()
    frame = frame.assign(dx=[label if label in classes else "" for label in given])
    unknown = Counter(label for label in given if label and label not in classes)
    labelled, unlabelled = sum(label in classes for label in given), given.count("")
    return frame, LabelCounts(len(stems), labelled, unlabelled, dict(unknown.most_common()), without_image)


def _normal(label: str) -> str:
    label = str(label).strip().lower()
    return "" if label in _NO_LABEL else ISIC_CODES.get(label) or label


def _stem(name: str) -> str:
    """The id in a cell that may hold a file's name, with folders and extension.

    >>> _stem("part_1/ISIC_1.jpg"), _stem("ISIC_1"), _stem("lesion 1.5 mm")
    ('ISIC_1', 'ISIC_1', 'lesion 1.5 mm')
    """
    path = PurePath(name.strip().replace("\\", "/"))
    return path.stem if path.suffix.lower() in IMAGE_EXTENSIONS else path.name
