"""The files in a dataset's folder: images, expert masks, tables, and what is ignored."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.errors import DermalensError
from core.images.finding import IMAGE_EXTENSIONS, as_uploaded, classify, read_head, walk_files
from core.tables.reading import TableError, read_table
from core.taxonomy import DIAGNOSES, read_code


class DatasetError(DermalensError):
    """The dataset is missing, incomplete or laid out in a way that is not understood."""


_TABLES = {"CSV", "TSV", "TAB", "XLSX", "TXT"}
# Dataverse serves this table without a suffix.
_BARE_TABLE = re.compile(r"ham10000_metadata", re.IGNORECASE)


@dataclass(frozen=True)
class DatasetFiles:
    """The files below a dataset's folder, each list sorted by path."""

    root: Path
    images: list[Path]
    masks: list[Path]
    tables: list[Path]
    left_alone: dict[str, int]
    by_stem: dict[str, list[Path]] = field(default_factory=dict)
    _read: dict[Path, pd.DataFrame] = field(default_factory=dict)

    def read(self, path: Path) -> pd.DataFrame:
        """A table of the dataset, all cells text; each is read once.

        Raises:
            DatasetError: it cannot be read; the message names the file.
        """
        if path not in self._read:
            try:
                self._read[path] = read_table(path)
            except TableError as error:
                raise DatasetError(f"{path}: {error}") from error
        return self._read[path]

    def find_tables(self, pattern: str) -> list[Path]:
        """Tables whose name without suffix fits a regular expression, one a name, the least deep first."""
        found = [path for path in self.tables if re.fullmatch(pattern, path.stem, re.IGNORECASE)]
        found.sort(key=lambda path: (len(path.parts), path))
        return list({path.name: path for path in reversed(found)}.values())[::-1]

    def below(self, pattern: str) -> "DatasetFiles":
        """The same with the pictures of some folders alone, whose name fits a regular expression."""
        inside = [
            path
            for path in self.images
            if any(
                re.fullmatch(pattern, part, re.IGNORECASE) for part in path.relative_to(self.root).parts[:-1]
            )
        ]
        return DatasetFiles(self.root, inside, self.masks, self.tables, self.left_alone, _index(inside))


def scan_files(root: Path) -> DatasetFiles:
    """Sort all files below a folder; superpixels and hidden files are ignored.

    Raises:
        OSError: the folder cannot be read.
    """
    next(root.iterdir(), None)  # raises where there are no rights, which walking passes over
    images, masks, tables, left_alone = [], [], [], Counter()
    for path in walk_files(root, left_alone):
        kind = classify(path.relative_to(root), lambda path=path: read_head(path))
        if not kind:
            images.append(path)
        elif kind == "mask" and path.suffix.lower() in IMAGE_EXTENSIONS:
            masks.append(path)
        elif kind in _TABLES or _BARE_TABLE.fullmatch(path.name):
            tables.append(path)
        else:
            left_alone[kind] += 1
    return DatasetFiles(root, images, masks, tables, dict(left_alone), _index(images))


def _index(images: list[Path]) -> dict[str, list[Path]]:
    stems = defaultdict(list)
    for path in images:
        stems[path.stem].append(path)
    return dict(stems)


def labels_from_folders(paths: Sequence[Path], root: Path) -> list[str]:
    """The label of each image: its nearest folder below `root` that is named like a class.

    Where no folder is, the name of the image's own folder, so that it is reported; "" right in `root`.

    >>> labels_from_folders([Path("d/MEL/p1/a.jpg"), Path("d/odd/b.jpg"), Path("d/c.jpg")], Path("d"))
    ['mel', 'odd', '']
    """
    labels = []
    for path in paths:
        names = [read_code(name) for name in reversed(as_uploaded(path, root).relative_to(root).parent.parts)]
        labels.append(next((name for name in names if name in DIAGNOSES), names[0] if names else ""))
    return labels
