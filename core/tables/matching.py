"""Which row of a table belongs to which file: by the longest path suffix that the row gives."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from core.images.finding import KNOWN_SUFFIXES


@dataclass(frozen=True)
class Matching:
    """Which rows name which files.

    Attributes:
        rows: for each file the rows that name it most closely; several if the table repeats itself.
        ambiguous: rows that fit several files equally well and are not used.
        absent: rows that fit no file.
    """

    rows: list[list[int]]
    ambiguous: list[int]
    absent: list[int]


def match_rows(ids: Sequence[str], paths: Sequence[PurePath], root: PurePath | None = None) -> Matching:
    """Find the file that each row names.

    A row's id is a file's name with or without suffix, and with as many of its folders as it gives:
    `p1/IMG_1.jpg` fits no other folder's `IMG_1.jpg`. Letter case, Unicode form and ISIC's `_downsampled`
    are ignored where only one file fits.

    Args:
        ids: of the rows; an empty one is absent.
        paths: of the files.
        root: the folder that was asked for: a row may give more folders than lie below it (an uploaded
            file has none). The file's whole path if None.
    """
    below = [path.relative_to(root) if root and path.is_relative_to(root) else path for path in paths]
    found = defaultdict(list)
    for number, path in enumerate(paths):
        found[_key(path.name)].append(number)
    best: list[tuple[tuple[int, ...], list[int]]] = [((), []) for _ in paths]
    ambiguous, absent = [], []
    for row, text in enumerate(ids):
        name = to_path(text)
        fits = (
            [(_fit(name, paths[k], below[k]), k) for k in found.get(_key(name.name), ())] if name.name else []
        )
        fits = [(fit, k) for fit, k in fits if fit]
        closest = max((fit for fit, _ in fits), default=())
        files = [k for fit, k in fits if fit == closest]
        if len(files) != 1:
            (ambiguous if files else absent).append(row)
        elif closest > best[files[0]][0]:
            best[files[0]] = (closest, [row])
        elif closest == best[files[0]][0]:
            best[files[0]][1].append(row)
    return Matching([rows for _, rows in best], ambiguous, absent)


def to_path(text: str) -> PurePath:
    """The path that a cell gives, in POSIX parts, whichever system wrote it."""
    return PurePath(re.sub(r"^[A-Za-z]:", "", unicodedata.normalize("NFC", text.strip()).replace("\\", "/")))


def strip_suffix(name: str) -> str:
    """A file's name without the suffixes of pictures; other dots stay.

    >>> strip_suffix("ISIC_1.jpg"), strip_suffix("lesion 1.5 mm"), strip_suffix("scan.1.v2.png")
    ('ISIC_1', 'lesion 1.5 mm', 'scan.1.v2')
    """
    stem, suffix = os.path.splitext(name)
    while suffix.lower() in KNOWN_SUFFIXES:
        name = stem
        stem, suffix = os.path.splitext(name)
    return name


def _key(name: str) -> str:
    return _fold(strip_suffix(name)).removesuffix("_downsampled")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _fit(name: PurePath, path: PurePath, below: PurePath) -> tuple[int, ...]:
    """How closely a row's path names a file: folders in common, then suffix, then letter case; () if not at all."""
    given = [_fold(part) for part in name.parts[:-1] if part not in ("/", ".")]
    folders = [_fold(part) for part in path.parts[:-1]]
    common = 0
    while common < min(len(given), len(folders)) and given[-1 - common] == folders[-1 - common]:
        common += 1
    if common < len(given) and common < len(below.parts) - 1:
        return ()
    raw, own = strip_suffix(name.name), unicodedata.normalize("NFC", strip_suffix(path.name))
    same_suffix = _fold(name.name) == _fold(path.name) or name.name == raw
    return (1 + common, int(_fold(raw) == _fold(own)), int(same_suffix), int(raw == own))
