"""The first sheet of an Excel workbook (.xlsx) as rows of text, with the standard library alone.

A workbook is a zip file of XML parts. It comes from elsewhere, so nothing in it is trusted: parts that declare a document type
(which is what entity attacks need) are refused, and so are parts that unpack to more than `MAX_PART_BYTES`.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from cliqa.errors import UsageError

MAX_PART_BYTES = 64 << 20
MAX_COLUMNS = 16_384  # of a sheet, as the format has it
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_sheet(path: Path) -> list[dict[str, str]]:
    """Rows of the first sheet below its line of names, as `csv.DictReader` gives them; empty cells are "".

    Numbers keep the digits that the file holds; formulas give their stored result.

    Raises:
        UsageError: no workbook, or one that is damaged, too large or declares entities.
    """
    try:
        with zipfile.ZipFile(path) as book:
            texts = _shared_texts(book, path)
            rows = [_cells(row, texts) for row in _part(book, _first_sheet(book, path), path).iter(f"{_MAIN}row")]
    except (
        OSError,
        zipfile.BadZipFile,
        KeyError,
        IndexError,
        ValueError,
        ElementTree.ParseError,
        RuntimeError,
    ) as error:
        raise UsageError(f"{path} is no workbook that can be read: {error}") from error
    rows = [row for row in rows if row]
    names = rows[0] if rows else {}
    return [{name: row.get(column, "") for column, name in names.items()} for row in rows[1:]]


def _part(book: zipfile.ZipFile, name: str, path: Path) -> ElementTree.Element:
    with book.open(name) as stream:
        content = stream.read(MAX_PART_BYTES + 1)
    if len(content) > MAX_PART_BYTES:
        raise UsageError(f"{path}: {name} is larger than {MAX_PART_BYTES >> 20} MB")
    # The check reads the bytes as ASCII; an encoding that hides it, such as UTF-16, is refused for that.
    if b"\0" in content[:256] or re.search(rb"<!\s*(DOCTYPE|ENTITY)", content):
        raise UsageError(f"{path}: {name} declares a document type, or is not UTF-8")
    return ElementTree.fromstring(content)


def _first_sheet(book: zipfile.ZipFile, path: Path) -> str:
    sheet = next(_part(book, "xl/workbook.xml", path).iter(f"{_MAIN}sheet"), None)
    if sheet is None:
        raise ValueError("it has no sheet")
    for relation in _part(book, "xl/_rels/workbook.xml.rels", path).iter(f"{_RELATIONS}Relationship"):
        if relation.get("Id") == sheet.get(_RELATION_ID):
            target = relation.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise ValueError("its first sheet is missing")


def _shared_texts(book: zipfile.ZipFile, path: Path) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    items = _part(book, "xl/sharedStrings.xml", path).iter(f"{_MAIN}si")
    return ["".join(piece.text or "" for piece in item.iter(f"{_MAIN}t")) for item in items]


def _cells(row: ElementTree.Element, texts: list[str]) -> dict[int, str]:
    """Column (from 0) -> text of the cells of a row that are not empty."""
    found: dict[int, str] = {}
    column = -1
    for cell in row.iter(f"{_MAIN}c"):
        letters = re.match(r"[A-Z]+", cell.get("r", ""))
        column = _column(letters.group()) if letters else column + 1
        value = cell.find(f"{_MAIN}v")
        if cell.get("t") == "inlineStr":
            text = "".join(piece.text or "" for piece in cell.iter(f"{_MAIN}t"))
        elif value is None or value.text is None:
            continue
        else:
            text = texts[int(value.text)] if cell.get("t") == "s" else value.text
        if text and column < MAX_COLUMNS:
            found[column] = text
    return found


def _column(letters: str) -> int:
    """A -> 0, Z -> 25, AA -> 26."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
