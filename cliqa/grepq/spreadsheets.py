"""The first sheet of an Excel workbook (.xlsx) as rows of text. Needs openpyxl, which the extra [train] brings."""

from __future__ import annotations

from pathlib import Path

from cliqa.errors import UsageError
from cliqa.text import describe


def read_sheet(path: Path) -> list[dict[str, str]]:
    """Rows of the first sheet below its line of names, as `csv.DictReader` gives them; empty cells are "".

    Rows without any value are left out; formulas give their stored result.

    Raises:
        UsageError: openpyxl is missing, or this is no workbook, or a damaged one.
    """
    try:
        import openpyxl
    except ImportError:
        raise UsageError(f"{path} needs the extra: pip install 'cliqa[train]'; or save it as CSV") from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            found = [
                ["" if value is None else str(value) for value in row]
                for row in book.worksheets[0].iter_rows(values_only=True)
            ]
        finally:
            book.close()
    except Exception as error:  # what it raises on damaged parts is of every kind
        raise UsageError(f"{path} is no workbook that can be read: {describe(error)}") from error
    rows = [row for row in found if any(row)]
    names = rows[0] if rows else []
    return [{name: value for name, value in zip(names, row, strict=False) if name} for row in rows[1:]]
