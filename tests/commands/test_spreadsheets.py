"""Tables that a spreadsheet has saved again, wherever commands read tables."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from cliqa.apply import main as apply
from cliqa.calibrate import main as calibrate
from cliqa.export import main as export
from cliqa.report.__main__ import main as report
from cliqa.score import main as score

FILES: dict[str, int | bytes] = {
    f"{name}{value}.png": value for name in ("été", "b,c ", "d;e ") for value in (10, 90, 150, 250)
}
SAVED: dict[str, Callable[[str], bytes]] = {
    "byte order mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "semicolons": lambda text: _semicolons(text).encode("utf-8-sig"),
    "tabs": lambda text: _parted(text, "\t").encode(),
    "UTF-16": lambda text: _parted(text, "\t").encode("utf-16"),
    "a line that tells": lambda text: ("sep=;\r\n" + _semicolons(text)).encode("utf-8-sig"),
}


def _parted(text: str, mark: str, comma: bool = False) -> str:
    import csv
    import io
    import re

    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark)
    for row in csv.reader(io.StringIO(text)):
        writer.writerow([re.sub(r"^(-?\d+)\.(\d+)$", r"\1,\2", cell) if comma else cell for cell in row])
    return out.getvalue()


def _semicolons(text: str) -> str:
    """As a program does where numbers have decimal commas."""
    return _parted(text, ";", comma=True)


@pytest.fixture
def scored(make_folder: Callable[..., Path], tmp_path: Path) -> Path:
    arguments = [
        "-i",
        str(make_folder(FILES)),
        "-g",
        "-1",
        "--workers",
        "0",
        "--quiet",
        "--results",
        str(tmp_path / "s.csv"),
    ]
    assert score([*arguments, "--metrics", "tests.toy_metric:Brightness"]) == 0
    return tmp_path / "s.csv"


@pytest.mark.parametrize("kind", SAVED)
def test_every_command_reads_them(kind: str, scored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert apply([str(scored), "--where", "brightness.mean >= 89.5", "--print", "--quiet"]) == 0
    expected = capfd.readouterr().out
    assert len(expected.splitlines()) == 9
    scored.write_bytes(SAVED[kind](scored.read_text()))
    assert apply([str(scored), "--where", "brightness.mean >= 89.5", "--print", "--quiet"]) == 0
    assert capfd.readouterr().out == expected
    assert report([str(scored), "-o", str(tmp_path / "r.html"), "--quiet"]) == 0
    assert export([str(scored), "-o", str(tmp_path / "e.csv"), "--quiet"]) == 0
    assert "brightness.mean" in (tmp_path / "e.csv").read_text().splitlines()[0]
    labels = "path,rating\n" + "".join(
        f'"{tmp_path}/in/{name}",{1.5 if "10." in name or "90." in name else 4.5}\n' for name in FILES
    )
    (tmp_path / "labels.csv").write_bytes(SAVED[kind](labels))
    assert calibrate([str(scored), "-l", str(tmp_path / "labels.csv"), "--print", "--quiet"]) == 0
    assert capfd.readouterr().out.startswith("brightness.mean >= ")
    arguments = ["-i", str(tmp_path / "in"), "-g", "-1", "--workers", "0", "--results", str(scored), "--resume"]
    assert score([*arguments, "--metrics", "tests.toy_metric:Brightness"]) == 0
    assert "0 images scored; 12 unchanged" in capfd.readouterr().err


def test_a_table_for_a_spreadsheet_begins_with_a_byte_order_mark(scored: Path, tmp_path: Path) -> None:
    assert export([str(scored), "-o", str(tmp_path / "e.csv"), "--spreadsheet", "--quiet"]) == 0
    assert (tmp_path / "e.csv").read_bytes().startswith(codecs.BOM_UTF8 + b"path,")
    assert apply([str(tmp_path / "e.csv"), "--print", "--quiet"]) == 0
    assert export([str(scored), "-o", str(tmp_path / "plain.csv"), "--quiet"]) == 0
    assert (tmp_path / "plain.csv").read_bytes().startswith(b"path,")
