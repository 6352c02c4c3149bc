"""The one reader of tables: CSV in any of its dialects, or an Excel workbook -> cells as text.

Spreadsheets write UTF-16, cp1252, semicolons, tabs, a `sep=` line and decimal commas; scripts write an
index column. The content decides, never the file's name. Every cell is text: `00000`, `1e5` and `NA` are ids.
"""

import csv
import io
import re
import unicodedata
from pathlib import Path

import pandas as pd

from core.errors import DermalensError
from core.tables.workbook import WorkbookError, is_workbook, read_workbook
from core.tables.writing import harmless

MAX_TABLE_BYTES = 300_000_000
_SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 30  # rows from which the separator is told
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u00ad"))
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls). Save it as .xlsx or CSV"),
    (b"PK", "a ZIP archive. Unpack it first"),
    (b"Rar!", "a RAR archive. Unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive. Unpack it first"),
    (b"\x1f\x8b", "a gzip archive. Unpack it first"),
    (b"%PDF", "a PDF. Export the table as CSV"),
    (b"PAR1", "a Parquet file. Save it as CSV"),
    (b"\x89PNG", "a picture. Choose the table"),
    (b"\xff\xd8\xff", "a picture. Choose the table"),
    (b"version https://git-lfs", "a Git LFS pointer, not the table itself. Fetch it with git lfs pull"),
    (b"<", "a web page or XML, not a table. Download it again, signed in if need be"),
    (b"{", "JSON. Save the table as CSV"),
    (b"[", "JSON. Save the table as CSV"),
)


class TableError(DermalensError):
    """A table cannot be read; the message says what came and what to do."""


def read_table(source: str | Path | bytes) -> pd.DataFrame:
    """Read a table from a file or its bytes.

    Returns:
        A row a record, all cells `str`, without surrounding blanks, "" where empty; empty rows are left
        out. Columns are lower case with `_` for blanks, dots and hyphens; a column without a heading (an
        index, a trailing separator) is left out; a heading that is there twice ends in `.2`.

    Raises:
        TableError: not there, not a table, damaged, or rows longer than the heading line.
    """
    data = _read_bytes(source)
    if is_workbook(data):
        try:
            return _to_frame(read_workbook(data))
        except WorkbookError as error:
            raise TableError(str(error)) from error
    for start, what in _FOREIGN:
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(start):
            raise TableError(f"This is {what}.")
    return _to_frame(_split(_decode(data)))


def list_headings(table: pd.DataFrame, most: int = 12) -> str:
    """The headings of a table, for messages.

    >>> list_headings(pd.DataFrame(columns=["name", "dx"]))
    "Headings found: 'name', 'dx'."
    """
    shown = ", ".join(repr(str(column)) for column in table.columns[:most])
    more = f" and {len(table.columns) - most} more" if len(table.columns) > most else ""
    return f"Headings found: {shown or 'none'}{more}."


def clean_cell(text: str) -> str:
    r"""A cell without what cannot be seen: blanks around it, zero-width signs, a spreadsheet's guard.

    >>> clean_cell("\u200bISIC_1\u00a0"), clean_cell("'=1+1"), clean_cell("it's")
    ('ISIC_1', '=1+1', "it's")
    """
    text = text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_INVISIBLE)).strip()
    return text[1:] if text.startswith("'") and harmless(text[1:]) == text else text


def clean_heading(text: str) -> str:
    """A heading as columns are looked up.

    >>> clean_heading(" Image ID "), clean_heading("p.mel")
    ('image_id', 'p_mel')
    """
    return re.sub(r"[\s.\-]+", "_", clean_cell(text)).lower().strip("_")


# --- bytes -> text ----------------------------------------------------------------------------------
def _read_bytes(source: str | Path | bytes) -> bytes:
    if not isinstance(source, bytes):
        path = Path(source)
        try:
            if path.stat().st_size > MAX_TABLE_BYTES:
                raise TableError(f"{path.name} is over {MAX_TABLE_BYTES / 1e6:.0f} MB. Split the table.")
            source = path.read_bytes()
        except OSError as error:
            raise TableError(f"{path} is no readable CSV table: {error.strerror}.") from error
    if not source.strip():
        raise TableError("This is no readable CSV table: it is empty.")
    return source


def _decode(data: bytes) -> str:
    """UTF-8, UTF-16 or UTF-32 by the mark or the zero bytes, else cp1252, as Excel's plain CSV."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        encodings = ["utf-32"]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data[:400]:
        # Latin letters in UTF-16 without a mark: every second byte is zero.
        encodings = ["utf-16-le" if data[1:400:2].count(0) > data[:400:2].count(0) else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1f]", text):
            return text
    raise TableError(
        "This is no readable CSV table: it holds bytes that are no text. Save it as CSV (UTF-8)."
    )


# --- text -> rows -----------------------------------------------------------------------------------
def _split(text: str) -> list[list[str]]:
    lines = text.splitlines(keepends=True)
    told = None
    while lines and (not lines[0].strip() or lines[0].lstrip().startswith("#") or _told(lines[0])):
        told = told or _told(lines[0])
        lines.pop(0)
    head = "".join(lines[:_LOOKED_AT])
    separator = told or max(_SEPARATORS, key=lambda sign: _fit(head, sign))
    return _parse("".join(lines), separator)


def _told(line: str) -> str | None:
    """The separator of Excel's first line `sep=;`."""
    found = re.fullmatch(r'"?sep=(.)"?[,;\t|]*', line.strip("\r\n"), re.IGNORECASE)
    return found[1] if found else None


def _fit(head: str, separator: str) -> tuple[bool, int]:
    """How well a separator explains the first rows: as many cells in each as in the heading line, and how many."""
    lines = io.StringIO(head, newline="")
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if any(row)]
    except csv.Error:
        return False, 0
    widths = {len(row) for row in rows}
    return len(widths) == 1 and widths != {1}, len(rows[0]) if rows else 0


def _parse(text: str, separator: str) -> list[list[str]]:
    options = {"delimiter": separator, "skipinitialspace": True}
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True, **options))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise TableError(
                "The table ends inside a quoted cell: a quotation mark is missing, or the file is cut short."
            ) from error
    try:
        return list(csv.reader(io.StringIO(text, newline=""), **options))
    except csv.Error as error:
        raise TableError(f"This is no readable CSV table: {error}.") from error


# --- rows -> table ----------------------------------------------------------------------------------
def _to_frame(rows: list[list[str]]) -> pd.DataFrame:
    rows = [_clean_row(row) for row in rows]
    rows = [row for row in rows if any(row)]
    if not rows:
        raise TableError("This is no readable CSV table: it is empty.")
    heads, body = [clean_heading(cell) for cell in rows[0]], rows[1:]
    while heads and not heads[-1] and not any(row[len(heads) - 1 :] and row[len(heads) - 1] for row in body):
        heads.pop()
    _check_widths(heads, body)
    # R writes row names without a heading of their own: every row is one cell longer.
    if body and all(len(row) == len(heads) + 1 and row[-1] for row in body):
        heads = ["", *heads]
    width = len(heads)
    body = [row[:width] + [""] * (width - len(row)) for row in body]
    table = pd.DataFrame(body, columns=_number(heads), dtype=object)
    return table.loc[:, [bool(head) and not head.startswith("unnamed:") for head in heads]]


def _clean_row(row: list[str]) -> list[str]:
    together = "".join(row)
    if together.isascii() and "'" not in together:  # nearly every row: blanks are all that there is to clean
        return [cell.strip() for cell in row]
    return [clean_cell(cell) for cell in row]


def _check_widths(heads: list[str], body: list[list[str]]) -> None:
    """Refuse a row with more cells than headings: decimal commas that split numbers would shift all values."""
    extra = [k for k, row in enumerate(body) if any(row[len(heads) :])]
    if not extra or (len(extra) == len(body) and all(len(row) == len(heads) + 1 for row in body)):
        return
    raise TableError(
        f"Row {extra[0] + 2} of the table has {len(body[extra[0]])} cells, the heading line {len(heads)}. Put "
        "cells that hold a comma in quotes; with decimal commas, separate by semicolons."
    )


def _number(heads: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    for k, head in enumerate(heads):
        seen[head] = seen.get(head, 0) + 1
        if seen[head] > 1:
            heads[k] = f"{head}.{seen[head]}" if head else head
    return heads
