"""The table that every dataset is converted to: one row an image, with its facts and files."""

import filecmp
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath

import pandas as pd

from core.datasets.files import DatasetError, DatasetFiles
from core.images.finding import is_generic_folder, mask_image_id
from core.tables.columns import FACT_NAMES, STRUCTURES, read_facts, read_label_column, require_ids, to_numbers
from core.tables.matching import match_rows, strip_suffix, to_path
from core.tables.reading import TableError

METADATA_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
# Columns beside them that only some datasets record.
MORE_FACTS = tuple(name for name in FACT_NAMES if name not in METADATA_COLUMNS)


def build_frame(table: pd.DataFrame, files: DatasetFiles, what: str = "The table") -> pd.DataFrame:
    """The dataset's table from its table of labels and facts.

    Args:
        table: of `DatasetFiles.read`, under any of the usual headings.
        files: of the dataset.
        what: the table's name, for messages.

    Returns:
        Sorted by image id: `METADATA_COLUMNS`, those of `MORE_FACTS` and `STRUCTURES` that the table has,
        `image_path` and `mask_path`; text is NaN where not known, paths are "".

    Raises:
        DatasetError: no rows, no column of ids or unusable labels.
    """
    try:
        given = require_ids(table, what)
        labels = read_label_column(table)
        facts = read_facts(table)
    except TableError as error:
        raise DatasetError(str(error)) from error
    frame = pd.DataFrame(
        {"image_id": unique_ids(given), "dx": labels or [""] * len(table), **facts}, dtype=object
    )
    for name in STRUCTURES:
        if name in table:
            frame[name] = to_numbers(table[name])
    images = find_images(given, files)
    return complete(frame.assign(image_path=images, mask_path=find_masks(images, files)))


def complete(frame: pd.DataFrame) -> pd.DataFrame:
    """All columns of `build_frame` in their order and types, sorted by image id."""
    frame = frame.copy()
    texts = [name for name in (*METADATA_COLUMNS, *MORE_FACTS) if name not in ("image_id", "age")]
    for name in texts:
        if name in frame or name in METADATA_COLUMNS:
            column = frame[name] if name in frame else pd.Series(None, frame.index, dtype=object)
            frame[name] = column.replace("", None).astype("str")
    frame["image_id"] = frame["image_id"].astype("str")
    frame["lesion_id"] = frame["lesion_id"].fillna(frame["image_id"])
    frame["age"] = to_numbers(frame["age"]) if "age" in frame else float("nan")
    more = [name for name in (*MORE_FACTS, *STRUCTURES) if name in frame]
    frame = frame[[*METADATA_COLUMNS, *more, "image_path", "mask_path"]]
    return frame.sort_values("image_id", ignore_index=True, kind="stable")


def unique_ids(names: Sequence[str]) -> list[str]:
    """Image ids from file names: without folders and suffix, but with folders where two would be the same.

    >>> unique_ids(["mel/1.jpg", "nv/1.jpg", "nv/2.jpg"])
    ['mel/1', 'nv/1', '2']
    """
    paths = [to_path(name) for name in names]
    places = defaultdict(set)
    for path in paths:
        places[strip_suffix(path.name)].add(path.parent)
    return [
        strip_suffix(path.name)
        if len(places[strip_suffix(path.name)]) == 1
        else strip_suffix(path.as_posix())
        for path in paths
    ]


# --- files ------------------------------------------------------------------------------------------
def find_images(ids: Sequence[str], files: DatasetFiles) -> list[str]:
    """The image file of each row, "" where there is none or where different files fit.

    A release that is unpacked twice holds the same file twice: the first is taken.
    """
    matching = match_rows(list(ids), files.images, files.root)
    found = [""] * len(ids)
    for path, rows in zip(files.images, matching.rows, strict=True):
        for row in rows:
            found[row] = found[row] or str(path)
    for row in matching.ambiguous:
        name = strip_suffix(to_path(ids[row]).name)
        same = [path for path in files.by_stem.get(name, []) if path.suffix]
        if same and all(filecmp.cmp(same[0], path, shallow=False) for path in same[1:]):
            found[row] = str(same[0])
    return found


def find_masks(images: Sequence[str], files: DatasetFiles) -> list[str]:
    """The mask file of each image, "" where there is none; where names repeat, by the folders too."""
    masks = defaultdict(list)
    for path in files.masks:
        masks[mask_image_id(path).casefold()].append(path)
    counts = defaultdict(set)
    for image in filter(None, images):
        counts[Path(image).stem.casefold()].add(image)
    found = []
    for image in images:
        fitting = masks.get(Path(image).stem.casefold(), []) if image else []
        if image and len(counts[Path(image).stem.casefold()]) > 1:
            place = _place(Path(image), files.root)
            fitting = [mask for mask in fitting if _place(mask, files.root) == place]
        found.append(str(fitting[0]) if fitting else "")
    return found


def _place(path: Path, root: PurePath) -> tuple[str, ...]:
    """The folders of a file that say more than "images" or "masks"."""
    folders = path.relative_to(root).parts[:-1]
    return tuple(name.casefold() for name in folders if not is_generic_folder(name))
