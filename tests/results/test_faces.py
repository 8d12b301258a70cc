"""Tables as files: written whole, read row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from cliqa.errors import ResultsError, UsageError
from cliqa.results.faces import TABLE_SUFFIXES, csv_cells, for_spreadsheet, issues_path, read_table, write_table
from tests.saved_results import PATHS

COLUMNS = {"path": str, "count": int, "share": float, "label": str}


@pytest.fixture(params=TABLE_SUFFIXES)
def table(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return str(tmp_path / f"t{request.param}")


def test_what_is_written_is_read_to_the_last_bit(table: str) -> None:
    rows = [[path, number, 0.1 * number, None if number % 2 else "é"] for number, path in enumerate(PATHS)]
    assert write_table(table, COLUMNS, rows) == len(rows)
    columns, found = read_table(table, ["label"])
    assert columns == list(COLUMNS) and [list(row.values()) for row in found] == rows


def test_nothing_is_overwritten_unless_asked_for(table: str) -> None:
    write_table(table, COLUMNS, [["a", 1, 0.5, "x"]])
    with pytest.raises((ResultsError, UsageError)):
        write_table(table, COLUMNS, [])
    write_table(table, COLUMNS, [["b", 2, 0.5, "y"]], replace=True)
    assert [row["path"] for row in read_table(table)[1]] == ["b"]


def test_a_failure_leaves_no_file(table: str) -> None:
    def rows():  # type: ignore[no-untyped-def]
        yield ["a", 1, 0.5, "x"]
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        write_table(table, COLUMNS, rows())
    assert list(Path(table).parent.iterdir()) == []


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_spreadsheets_csv_is_read(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(b"\xef\xbb\xbf" + mark.join(["path", "count"]).encode() + b"\r\n" + f"a{mark}3\r\n".encode())
    assert list(csv_cells(str(path))) == [["path", "count"], ["a", "3"]]
    assert list(read_table(str(path))[1]) == [{"path": "a", "count": 3}]


def test_cells_are_numbers_only_where_they_look_like_one(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("path,a,b,c,d\n007,1_0,1e3,,٣\n")
    (row,) = read_table(str(path))[1]
    assert row == {"path": "007", "a": "1_0", "b": 1000.0, "c": None, "d": "٣"}


def test_formulas_are_tamed_for_a_spreadsheet() -> None:
    assert list(for_spreadsheet([["=1+1", "a=1", -3, "-x", None]])) == [["'=1+1", "a=1", -3, "'-x", None]]
    assert issues_path("a/scores.v2.csv") == "a/scores.v2.issues.csv"
