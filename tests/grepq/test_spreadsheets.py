"""The reader of workbooks: on SPAQ's published table in miniature, and on what is no workbook."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cliqa.errors import UsageError
from cliqa.grepq.rated_sets import read_rated
from cliqa.grepq.spreadsheets import read_sheet

openpyxl = pytest.importorskip("openpyxl")
ROWS: list[list[Any]] = [
    ["Image name", "MOS", None, "Noise"],
    ["00001.jpg", 60.25, None, None],
    [None] * 4,
    ["00002.jpg", 40, None, "ü & <7>"],
]


def workbook(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.create_sheet("other").append(["not this"])
    book.save(path)
    return path


def test_the_first_sheet_as_text(tmp_path: Path) -> None:
    assert read_sheet(workbook(tmp_path / "t.xlsx")) == [
        {"Image name": "00001.jpg", "MOS": "60.25", "Noise": ""},
        {"Image name": "00002.jpg", "MOS": "40", "Noise": "ü & <7>"},
    ]


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


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_damaged_workbooks_and_entities_are_refused(tmp_path: Path, part: str) -> None:
    sound = workbook(tmp_path / "t.xlsx")
    bomb = "".join(f'<!ENTITY x{n + 1} "{f"&x{n};" * 10}">' for n in range(9))
    hostile = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY x0 "ha">{bomb}]><x>&x9;</x>'
    for content in ("<row", hostile):
        with zipfile.ZipFile(sound) as book, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as bad:
            for name in book.namelist():
                bad.writestr(name, content if name == part else book.read(name))
        with pytest.raises(UsageError, match="no workbook"):
            read_sheet(tmp_path / "bad.xlsx")


def test_what_is_no_workbook_or_needs_the_extra_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no.xlsx").write_bytes(b"not a zip")
    with pytest.raises(UsageError, match="no workbook"):
        read_sheet(tmp_path / "no.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UsageError, match=r"cliqa\[train\]"):
        read_sheet(tmp_path / "no.xlsx")
