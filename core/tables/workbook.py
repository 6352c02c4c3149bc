"""Excel workbooks (.xlsx) -> rows of text, through openpyxl."""

import zipfile
from datetime import date
from io import BytesIO
from typing import Any

MAX_UNPACKED_BYTES = 500_000_000
MAX_CELLS = 20_000_000


class WorkbookError(ValueError):
    """A workbook cannot be read; the message says what to do."""


def is_workbook(data: bytes) -> bool:
    """Whether bytes are an Excel workbook, by what the archive holds; also one that is cut short."""
    if not data.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return True


def read_workbook(data: bytes) -> list[list[str]]:
    """The rows of the first sheet that holds any.

    Raises:
        WorkbookError: damaged, too large or empty.
    """
    from openpyxl import load_workbook  # few tables are workbooks

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise WorkbookError("The Excel workbook is too large. Save the sheet as CSV.")
        book = load_workbook(BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a stated size may be wrong
            if rows := _read_sheet(sheet):
                return rows
    except WorkbookError:
        raise
    except Exception as error:  # hostile bytes fail in many ways: zlib.error, KeyError, ParseError, …
        raise WorkbookError(
            "This is an Excel workbook that cannot be read. Open it in Excel and save the sheet as CSV (UTF-8)."
        ) from error
    raise WorkbookError("The Excel workbook is empty.")


def _read_sheet(sheet: Any) -> list[list[str]]:
    rows, cells = [], 0
    for values in sheet.iter_rows(values_only=True):
        cells += len(values)
        if cells > MAX_CELLS:
            raise WorkbookError("The Excel workbook is too large. Save the sheet as CSV.")
        row = [_as_text(value) for value in values]
        while row and not row[-1]:
            row.pop()
        if row:
            rows.append(row)
    return rows


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)
