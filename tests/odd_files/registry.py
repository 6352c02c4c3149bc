"""Who judges which folder of odd files, and how a README is read."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What came of one case: a short text, and whether it is right."""

    text: str
    right: bool


# (the case's file or folder, what its README says of it) -> what came of it
Judge = Callable[[Path, str], Outcome]

_JUDGES: dict[str, Judge] = {}


def judges(folder: str) -> Callable[[Judge], Judge]:
    """Name the folder of cases that a function judges."""

    def register(judge: Judge) -> Judge:
        _JUDGES[folder] = judge
        return judge

    return register


def read_expectations(folder: Path) -> dict[str, str]:
    """{name: right behaviour} from the lines "name: right behaviour" of a folder's README.

    "as above" takes over the line before; of two lines on one name the one that says something counts.
    """
    expectations: dict[str, str] = {}
    last = ""
    for line in (folder / "README").read_text(encoding="utf-8").splitlines():
        match = re.match(r"(\S+?)/?:\s*(.*)$", line)
        if not match or not (folder / match[1]).exists():
            continue
        last = last if match[2].startswith("as above") else match[2]
        expectations[match[1]] = last or expectations.get(match[1], "")
    return expectations


def run(root: Path, only: set[str]) -> Iterator[tuple[str, str, Outcome]]:
    """(folder, case, outcome) of every case below `root` that a README describes."""
    for folder in sorted(path for path in root.iterdir() if (path / "README").is_file()):
        if only and folder.name not in only:
            continue
        for name, expectation in read_expectations(folder).items():
            kind = "zips" if name.endswith(".zip") else folder.name
            yield folder.name, name, _judge(folder / name, expectation, kind)


def _judge(case: Path, expectation: str, kind: str) -> Outcome:
    judge = _JUDGES.get(kind)
    if judge is None:
        return Outcome("nobody judges this folder", False)
    try:
        return judge(case, expectation)
    except Exception as error:  # a crash is an outcome here, and never the right one
        return Outcome(f"CRASHED with {type(error).__name__}: {error}", False)
