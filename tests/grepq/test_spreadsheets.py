"""The reader of workbooks: on SPAQ's published table in miniature, and on files that attack or are damaged."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cliqa.errors import UsageError
from cliqa.grepq import spreadsheets
from cliqa.grepq.rated_sets import read_rated
from cliqa.grepq.spreadsheets import read_sheet

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
WORKBOOK = (
    f'<?xml version="1.0" encoding="UTF-8"?><workbook {MAIN} '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="MOS" sheetId="1" r:id="rId7"/><sheet name="other" sheetId="2" r:id="rId1"/></sheets></workbook>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="worksheets/sheet2.xml"/><Relationship Id="rId7" Target="worksheets/sheet1.xml"/>'
    "</Relationships>"
)
TEXTS = f"<sst {MAIN}><si><t>Image name</t></si><si><r><t>M</t></r><r><t>OS</t></r></si><si><t>00001.jpg</t></si></sst>"
SHEET = (
    f"<worksheet {MAIN}><sheetData>"
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="inlineStr"><is><t>Noise</t></is></c></row>'
    '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2"><v>60.25</v></c></row>'
    '<row r="3"/>'
    '<row r="4"><c r="A4" t="str"><f>"00002"</f><v>00002.jpg</v></c><c r="B4"><v>4.0E1</v></c><c r="D4"><v>7</v></c></row>'
    "</sheetData></worksheet>"
)


def workbook(path: Path, **parts: str) -> Path:
    named = {"workbook": WORKBOOK, "_rels/workbook": RELATIONS, "sharedStrings": TEXTS, "worksheets/sheet1": SHEET}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in (named | parts).items():
            book.writestr(f"xl/{name}.xml" + (".rels" if name.startswith("_rels") else ""), content)
    return path


def test_the_first_sheet_with_shared_inline_and_computed_texts(tmp_path: Path) -> None:
    assert read_sheet(workbook(tmp_path / "t.xlsx")) == [
        {"Image name": "00001.jpg", "MOS": "60.25", "Noise": ""},
        {"Image name": "00002.jpg", "MOS": "4.0E1", "Noise": "7"},
    ]


def test_agrees_with_openpyxl(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    rows: list[list[Any]] = [
        ["Image name", "MOS", "Sharpness"],
        ["a.jpg", 12.5, 3],
        ["b.jpg", 77, None],
        ["ü & <c>.jpg", 0.1, 9],
    ]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found = read_sheet(tmp_path / "t.xlsx")
    assert [list(row) for row in found] == [rows[0]] * 3
    assert [[row["Image name"], float(row["MOS"])] for row in found] == [row[:2] for row in rows[1:]]


@pytest.mark.parametrize("folder", ["", "Annotations"])
def test_spaq_is_read_as_it_was_published(tmp_path: Path, folder: str) -> None:
    (tmp_path / "TestImage").mkdir()
    for name in ("00001.jpg", "00002.jpg"):
        Image.new("RGB", (8, 8)).save(tmp_path / "TestImage" / name)
    workbook(tmp_path / folder / "MOS and Image attribute scores.xlsx")
    images = read_rated(tmp_path)
    assert [(image.path.name, image.score, image.label) for image in images] == [
        ("00001.jpg", 60.25, "pending"), ("00002.jpg", 40.0, "rejected"),
    ]  # fmt: skip


def test_entities_and_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + TEXTS
    with pytest.raises(UsageError, match="document type"):
        read_sheet(workbook(tmp_path / "a.xlsx", sharedStrings=laughs))
    with pytest.raises(UsageError, match="UTF-8"):
        read_sheet(workbook(tmp_path / "b.xlsx", sharedStrings=laughs.encode("utf-16").decode("latin-1")))
    monkeypatch.setattr(spreadsheets, "MAX_PART_BYTES", 1 << 20)
    with pytest.raises(UsageError, match="larger than 1 MB"):
        read_sheet(workbook(tmp_path / "c.xlsx", sharedStrings=TEXTS + " " * (2 << 20)))


@pytest.mark.parametrize(
    "parts", [{"workbook": "<x/>"}, {"worksheets/sheet1": "<row"}, {"sharedStrings": f"<sst {MAIN}/>"}]
)
def test_damaged_workbooks_are_refused(tmp_path: Path, parts: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="no workbook"):
        read_sheet(workbook(tmp_path / "t.xlsx", **parts))
    (tmp_path / "no.xlsx").write_bytes(b"not a zip")
    with pytest.raises(UsageError, match="no workbook"):
        read_sheet(tmp_path / "no.xlsx")
