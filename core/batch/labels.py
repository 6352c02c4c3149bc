"""True classes for images that a user brings: from a CSV table or from the names of sub-folders.

A table has `image,dx` under any heading of `core.tables.columns` and may carry the facts `FACTS` along, or it
has the ISIC challenges' one-hot layout, a column a class. A label that cannot be used stays
in the column `label`, and every image and label is counted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.errors import DermalensError
from core.images.finding import as_uploaded
from core.tables.columns import TWO_LABELS, read_facts, read_label_column, require_ids
from core.tables.matching import match_rows
from core.tables.reading import TableError, list_headings, read_table
from core.taxonomy import DIAGNOSES

FACTS = ("lesion_id", "patient_id", "dx_type", "age", "sex", "localization", "skin_tone_class", "thickness")


class LabelError(DermalensError):
    """A table of labels cannot be used; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class LabelCounts:
    """How many images and labels were matched.

    Attributes:
        images: how many images there are: labelled + unlabelled + the sum of `unknown`.
        labelled: images with a class that the model knows.
        unlabelled: images without any label.
        unknown: images whose label is no class of the model, by that label.
        without_image: labels whose image is not there.
        ambiguous: labels that fit several images equally well and are not used.
    """

    images: int
    labelled: int
    unlabelled: int
    unknown: dict[str, int]
    without_image: int
    ambiguous: int = 0

    def describe(self) -> str:
        """The counts as text, without those that are zero."""
        if self.unlabelled == self.images and not self.without_image and not self.ambiguous:
            return "No labels: predictions and their distribution alone"
        said = [f"Labelled: {self.labelled:,} of {self.images:,} images"]
        if self.unlabelled:
            said.append(f"without a label: {self.unlabelled:,}")
        if self.unknown:
            codes = ", ".join(f"{code} ({n:,})" for code, n in self.unknown.items())
            said.append(f"with a label that is no class of the model: {codes}")
        if self.without_image:
            said.append(f"labels without an image: {self.without_image:,}")
        if self.ambiguous:
            said.append(
                f"labels that fit several images, so that none has it: {self.ambiguous:,} (give the folder too: "
                "folder/name)"
            )
        return " · ".join(said)


def read_labels(source: str | Path | bytes) -> pd.DataFrame:
    """Read a table of labels.

    Returns:
        A row a row of the table, rows without an id left out: `image` (as the table names it, with the
        folders that it gives), `label` (a code, an unknown word, "" where the table gives none) and
        those of `FACTS` that the table has, as text.

    Raises:
        LabelError: unreadable, empty, no id column, or neither a diagnosis nor one-hot columns.
    """
    try:
        table = read_table(source)
        ids = require_ids(table, "The table of labels")
        labels = read_label_column(table)
        facts = read_facts(table, FACTS)
    except TableError as error:
        raise LabelError(str(error)) from error
    if labels is None:
        raise LabelError(
            "The labels need a column 'dx' with class codes, or one column a class (MEL, NV, BCC, …) with 0 "
            f"and 1. Known codes: {', '.join(DIAGNOSES)}. {list_headings(table)}"
        )
    if "path" in table:  # Dermalens' own tables say beside the name which file it is, from the run's folder
        relative = ~table["path"].str.match(r"$|/|\\\\|[A-Za-z]:")
        ids = ids.where(~relative, table["path"])
    frame = pd.DataFrame({"image": ids, "label": labels, **facts}, dtype=object)
    return frame[frame["image"] != ""].reset_index(drop=True)


def match_labels(
    paths: Sequence[Path],
    labels: pd.DataFrame | Sequence[str] | None,
    classes: Sequence[str],
    root: Path | None = None,
) -> tuple[pd.DataFrame, LabelCounts]:
    """Give each image its label.

    Args:
        paths: the images.
        labels: of `read_labels`, matched as `core.tables.matching` says; or one label an image; or none.
        classes: what the model knows.
        root: a row may give more folders than lie below this one: for uploads the folder that they are in,
            for a folder on disk the one above it.

    Returns:
        One row an image, all text: `dx` (a code of `classes` or ""), `label` (what was given) and the
        facts; and the counts.
    """
    ambiguous = without_image = 0
    if isinstance(labels, pd.DataFrame):
        named = [as_uploaded(path, root) for path in paths] if root else paths
        matching = match_rows(labels["image"].tolist(), named, root)
        frame = _take_rows(labels, matching.rows)
        ambiguous, without_image = len(matching.ambiguous), len(matching.absent)
    else:
        frame = pd.DataFrame({"label": list(labels or [""] * len(paths))}, dtype=object)
    given = frame["label"].tolist()
    frame = frame.assign(dx=[label if label in classes else "" for label in given])
    unknown = Counter(label for label in given if label and label not in classes)
    counts = LabelCounts(
        images=len(paths),
        labelled=sum(label in classes for label in given),
        unlabelled=given.count(""),
        unknown=dict(unknown.most_common()),
        without_image=without_image,
        ambiguous=ambiguous,
    )
    return frame, counts


def _take_rows(labels: pd.DataFrame, rows: Sequence[Sequence[int]]) -> pd.DataFrame:
    """The row of each image; an image with rows of different labels has `TWO_LABELS`."""
    numbers = [found[0] if found else -1 for found in rows]
    frame = labels.drop(columns="image").reindex(numbers).fillna("").reset_index(drop=True)
    given = labels["label"]
    for image, found in enumerate(rows):
        if len({given[row] for row in found}) > 1:
            frame.loc[image, "label"] = TWO_LABELS
    return frame
