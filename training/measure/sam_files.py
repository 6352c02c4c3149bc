"""The files of the SAM benchmark: which there are, and what each path says about its image.

The publication names three archives, their transformations and the columns of the submission files, not the folders
in the archives. Expected below the data folder, for each part that is there:

    SAM/<image>.png
    SAM-C/<corruption>/<severity>/<image>.png        also SAM-C-Extra; severity 1 to 5, alone or as "severity_3"
    SAM-P/<perturbation>/<image>/<frame>.png         also SAM-P-Extra, or <perturbation>/<image>_<frame>.png

Folders in between do no harm. Where a submission template lies in the data folder (`*_SAM-C.csv` with the columns
`image_path, nevus, melanoma`), its paths say which images there are, relative to the data folder or to the part's.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from core.errors import DermalensError
from core.images.finding import find_images
from core.tables.reading import read_table
from training.measure.sam_scores import BASELINE, PARTS

_SEVERITY = re.compile(r"(?:severity|level|s)?[ _-]*([1-5])", re.IGNORECASE)
_FRAME = re.compile(r"(?P<image>.*?)[ _-]*(?P<frame>\d+)")


class SamError(DermalensError):
    """The folder does not hold the benchmark as it is expected; the message says what is."""


@dataclass(frozen=True)
class SamImage:
    """One image of the benchmark.

    Attributes:
        part: of `PARTS`.
        name: as a submission file names it.
        path: the file.
        transformation: a key of `BASELINE[part]`; "" in SAM.
        severity: 1 to 5 in SAM-C, else 0.
        image: the stem of the clean picture that it was made from.
        sequence: what its frames share in SAM-P; "" elsewhere.
        frame: its place in the sequence.
    """

    part: str
    name: str
    path: Path
    transformation: str
    severity: int
    image: str
    sequence: str = ""
    frame: int = 0


def list_images(data: Path) -> list[SamImage]:
    """Every image of every part below `data`.

    Raises:
        SamError: none is there, or a path that says too little.
    """
    found = [image for part in PARTS for image in _list_part(data, part)]
    if not found:
        raise SamError(
            f"{data} holds neither {', '.join(PARTS[:-1])} nor {PARTS[-1]}. Unpack the archives of the benchmark there."
        )
    return found


def _list_part(data: Path, part: str) -> list[SamImage]:
    folder = data / part
    templates = sorted(data.glob(f"*_{part}.csv"))
    if templates:
        names = _read_names(templates[0])
        return [describe(part, name, _locate(data, folder, name)) for name in names]
    if not folder.is_dir():
        return []
    paths = find_images(folder).paths
    return [describe(part, path.relative_to(data).as_posix(), path) for path in paths]


def _read_names(template: Path) -> list[str]:
    table = read_table(template)
    if "image_path" not in table:
        raise SamError(f"{template} has no column image_path. Take the benchmark's own template.")
    return table["image_path"].tolist()


def _locate(data: Path, folder: Path, name: str) -> Path:
    within = folder / name
    return within if within.is_file() else data / name


def describe(part: str, name: str, path: Path) -> SamImage:
    """What a path says about its image.

    Raises:
        SamError: the transformation, the severity or the frame is not in it.

    >>> describe("SAM-C", "SAM-C/zoom_blur/severity_2/a.png", Path()).severity
    2
    >>> image = describe("SAM-P", "SAM-P/tilt/a/frame_07.png", Path())
    >>> image.sequence, image.frame
    ('tilt/a', 7)
    """
    inner = PurePosixPath(name.replace("\\", "/"))
    folders, stem = list(inner.parts[:-1]), inner.stem
    if part == "SAM":
        return SamImage(part, name, path, "", 0, stem)
    place = next((k for k, folder in enumerate(folders) if folder.lower() in BASELINE[part]), None)
    if place is None:
        raise SamError(f"{name}: no folder is named as one of {', '.join(BASELINE[part])}.")
    transformation, below = folders[place].lower(), folders[place + 1 :]
    if part.startswith("SAM-C"):
        numbers = [int(match[1]) for folder in below if (match := _SEVERITY.fullmatch(folder))]
        if not numbers:
            raise SamError(f"{name}: no folder below {transformation!r} says the severity, 1 to 5.")
        return SamImage(part, name, path, transformation, numbers[0], stem)
    match = _FRAME.fullmatch(stem)
    if match is None:
        raise SamError(f"{name}: the file's name does not end in the number of the frame.")
    image = below[-1] if below else match["image"]
    return SamImage(
        part, name, path, transformation, 0, image, f"{transformation}/{image}", int(match["frame"])
    )


def to_frame(images: list[SamImage]) -> pd.DataFrame:
    """One row an image, without the paths."""
    names = ("part", "name", "transformation", "severity", "image", "sequence", "frame")
    return pd.DataFrame([{name: getattr(image, name) for name in names} for image in images])
