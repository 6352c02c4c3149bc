"""Small sound zip files and tables in every dialect, for `tests.fuzz` to damage, and how each is read."""

import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook

from core.batch.archive import unpack_images
from core.batch.labels import match_labels, read_labels
from core.errors import DermalensError
from core.evaluation.predictions import read_predictions
from core.taxonomy import HAM10000_CLASSES
from tests.core.image_files import encode, make_pixels

_LABELS = "image,dx,age,lesion_id\np1/a.jpg,mel,45,L1\np2/a.jpg,nv,,L2\nb,UNK,80,\n"
_PREDICTIONS = "image_id,dx,p_mel,p_nv,p_unk\na,mel,0.5,0.4,0.1\nb,nv,0.2,0.8,0.0\nc,,0.9,0.1,0.0\n"
_PATHS = [Path("d/p1/a.jpg"), Path("d/p2/a.jpg"), Path("d/b.png")]


def table_samples() -> dict[str, bytes]:
    """Labels and predictions in every encoding and separator, and as a workbook."""
    european = _PREDICTIONS.replace(",", ";").replace(".", ",")
    book = Workbook()
    for line in _LABELS.splitlines():
        book.active.append(line.split(","))
    workbook = BytesIO()
    book.save(workbook)
    return {
        "labels": _LABELS.encode(),
        "labels one-hot": b"image,MEL,NV,UNK\na,1.0,0.0,0.0\nb,0,True,0\n",
        "labels UTF-16": _LABELS.encode("utf-16"),
        "labels cp1252": _LABELS.replace("L1", "R\u00fccken").encode("cp1252"),
        "labels quoted": b'"image","dx"\n"a, or b","mel"\n"c","nv"\n',
        "predictions": _PREDICTIONS.encode(),
        "predictions semicolons": b"sep=;\n" + european.encode("utf-8-sig"),
        "predictions tabs": _PREDICTIONS.replace(",", "\t").encode("utf-16"),
        "workbook": workbook.getvalue(),
    }


def read_both_ways(data: bytes) -> None:
    """Read a table as labels and as predictions; it must do for one of the two, or the later refusal is raised."""
    try:
        match_labels(_PATHS, read_labels(data), HAM10000_CLASSES)
    except DermalensError:
        read_predictions(data)
    else:
        try:
            read_predictions(data)
        except DermalensError:
            return


def zip_samples() -> dict[str, bytes]:
    """Stored and deflated, with sub-folders, foreign names, a mask and a zip inside."""
    picture = encode(make_pixels(), "JPEG")
    members = {
        "p1/a.jpg": picture,
        "p2/L\u00e4sion.jpg": picture,
        "b": picture,
        "masks/a.png": picture,
        "c.txt": b"text",
    }
    stored = _zip(members, zipfile.ZIP_STORED)
    return {
        "zip stored": stored,
        "zip deflated": _zip(members, zipfile.ZIP_DEFLATED),
        "zip bzip2": _zip(members, zipfile.ZIP_BZIP2),
        "zip nested": _zip({"inner.zip": stored, "a.jpg": picture}, zipfile.ZIP_DEFLATED),
    }


def unpack_somewhere(data: bytes) -> None:
    """Unpack into a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder:
        unpack_images(data, Path(folder))


def _zip(members: dict[str, bytes], method: int) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()
