"""One table of labels in every dialect: the same images, classes and facts out of each."""

import csv
import io

import pandas as pd
import pytest
from openpyxl import Workbook

from core.batch.labels import LabelError, read_labels
from core.evaluation.predictions import read_predictions
from core.tables.reading import TableError, read_table

ROWS = [["image", "dx", "age"], ["00000", "mel", "45.5"], ["1e5", "nv", ""], ["NA", "bcc", "80"]]
EXPECTED = [("00000", "mel", "45.5"), ("1e5", "nv", ""), ("NA", "bcc", "80")]


def write(separator: str = ",", rows: list[list[str]] = ROWS, end: str = "\n", **options) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=end, **options).writerows(rows)
    return stream.getvalue()


def workbook(rows: list[list]) -> bytes:
    book, stream = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


DIALECTS = {
    "comma": write().encode(),
    "semicolon": write(";").encode(),
    "tab": write("\t").encode(),
    "bar": write("|").encode(),
    "Windows line ends": write(end="\r\n").encode(),
    "old Mac line ends": write(end="\r").encode(),
    "mark of UTF-8": write().encode("utf-8-sig"),
    "UTF-16 with mark": write("\t").encode("utf-16"),
    "UTF-16 little, no mark": write().encode("utf-16-le"),
    "UTF-16 big, no mark": write().encode("utf-16-be"),
    "UTF-32": write().encode("utf-32"),
    "sep line": b"sep=;\r\n" + write(";").encode(),
    "quoted sep line": b'"sep=,"\n' + write().encode(),
    "quoted cells": write(quoting=csv.QUOTE_ALL).encode(),
    "comment first": b"# exported\n" + write().encode(),
    "blank lines": b"\n\n" + write().replace("\n", "\n\n").encode(),
    "capitals": write(rows=[["IMAGE", "DX", "Age"], *ROWS[1:]]).encode(),
    "headings with blanks": write(rows=[[" Image ", " dx", "age "], *ROWS[1:]]).encode(),
    "blanks after commas": write().replace(",", ", ").encode(),
    "index column": write(
        rows=[["", *ROWS[0]], *([str(k), *row] for k, row in enumerate(ROWS[1:]))]
    ).encode(),
    "unnamed column": write(rows=[["Unnamed: 0", *ROWS[0]], *(["7", *row] for row in ROWS[1:])]).encode(),
    "row names of R": write(
        rows=[ROWS[0], *([f"r{k}", *row[:2], row[2] or "NA"] for k, row in enumerate(ROWS[1:]))]
    )
    .replace("nv,NA", "nv,nan")
    .encode(),
    "trailing comma": write().replace("\n", ",\n").encode(),
    "trailing comma in the heading alone": write().replace(",age", ",age,").encode(),
    "no-break and zero-width blanks": write().replace("mel", "\u00a0mel\u200b").encode(),
    "decimal comma": write(";").replace("45.5", "45,5").encode(),
    "a semicolon in a heading": write(
        rows=[[*ROWS[0], "note;free"], *([*row, "x"] for row in ROWS[1:])]
    ).encode(),
    "commas in cells": write(rows=[[*ROWS[0], "note"], *([*row, "a, b"] for row in ROWS[1:])]).encode(),
    "workbook": workbook(ROWS),
}


@pytest.mark.parametrize("data", DIALECTS.values(), ids=DIALECTS)
def test_every_dialect_gives_the_same_labels(data):
    frame = read_labels(data)
    ages = [cell.replace(",", ".") for cell in frame["age"]]
    assert list(zip(frame["image"], frame["label"], ages, strict=True)) == EXPECTED


@pytest.mark.parametrize(
    "heading", ["image", "image_id", "isic_id", "image_name", "filename", "Image ID", "image.id"]
)
def test_the_image_may_stand_under_any_usual_heading(heading):
    assert read_labels(f"{heading},dx\na,mel\n".encode())["image"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("MEL", "mel"),
        ("Melanoma in situ", "mel"),
        ("Melanoma, NOS", "mel"),
        ("naevus", "nv"),
        ("Nevus, NOS, Compound", "nv"),
        ("Melanocytic nevus", "nv"),
        ("AK", "akiec"),
        ("Bowen's disease", "akiec"),
        ("solar or actinic keratosis", "akiec"),
        ("basal_cell_carcinoma", "bcc"),
        ("Seborrheic keratosis", "bkl"),
        ("pigmented benign keratosis", "bkl"),
        ("SCCKA", "scc"),
        ("Squamous cell carcinoma", "scc"),
        ("Squamous cell carcinoma in situ", "akiec"),
        ("Hemangioma", "vasc"),
        ("UNK", ""),
        ("N/A", ""),
        ("nevus sebaceous", "nevus sebaceous"),
        ("wart", "wart"),
    ],
)
def test_classes_are_understood_in_words(word, code):
    assert read_labels(f'image,dx\na,"{word}"\n'.encode())["label"].tolist() == [code]


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        ("image,MEL,NV\na,1.0,0.0\nb,0,1\n", ["mel", "nv"]),
        ("image,MEL,NV\na,True,False\nb,FALSE,TRUE\n", ["mel", "nv"]),
        ("image;MEL;NV\na;1,0;0,0\nb;0,0;1,0\n", ["mel", "nv"]),
        ("image,AK,SCC,UNK\na,1,0,0\nb,0,0,1\n", ["akiec", ""]),
        ("image_id,melanoma,seborrheic_keratosis\na,0.0,1.0\nb,0.0,0.0\n", ["bkl", ""]),
        ("image,dx,MEL,NV\na,nv,1,0\nb,mel,0,1\n", ["nv", "mel"]),
        ("isic_id,benign_malignant,diagnosis\na,malignant,melanoma\nb,benign,\n", ["mel", ""]),
    ],
)
def test_one_hot_layouts_are_decoded(table, labels):
    assert read_labels(table.encode())["label"].tolist() == labels


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a,mel\nb,nv\n", "no heading line"),
        (b"name,colour\na,brown\n", "Headings found: 'name', 'colour'"),
        (b"<!DOCTYPE html><html>Sign in</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(80), "Excel workbook that cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (b"%PDF-1.4", "PDF"),
        (b'image,dx\n"a,mel\nb,nv\n', "quotation mark is missing"),
        (b"image,dx,p\na,mel,0,5\nb,nv,1\n", "Row 2 of the table has 4 cells"),
        (b"image,dx,dx\na,mel,nv\n", "twice with different values"),
        (b"image,MEL,NV\na,0.7,0.3\n", "not probabilities"),
        (b"", "empty"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(data, words):
    with pytest.raises(LabelError, match=words):
        read_labels(data)


def test_a_table_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("core.tables.reading.MAX_TABLE_BYTES", 10)
    (tmp_path / "t.csv").write_text("image,dx\na,mel\n")
    with pytest.raises(TableError, match="Split the table"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_predictions_are_the_same_in_every_dialect(separator, encoding):
    decimal = "," if separator == ";" else "."
    frame = pd.DataFrame({"image_id": ["007", "1e5"], "p_mel": [0.25, 1.0], "p_nv": [0.75, -1e-9]})
    data = frame.to_csv(index=True, sep=separator, decimal=decimal).encode(encoding)
    predictions = read_predictions(data)
    assert predictions.frame["image_id"].tolist() == ["007", "1e5"]
    assert predictions.probabilities.tolist() == [[0.25, 0.75], [1, 0]]
