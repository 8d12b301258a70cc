# ruff: noqa: SIM117 - what is patched and what is expected are two things
"""Results files that were cut, damaged, are somebody else's, or lie on a full disk: repaired, or refused and left alone."""

from __future__ import annotations

import csv
import os
import sqlite3
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import ResultsError, UsageError
from cliqa.export import main as export
from cliqa.results import Results, open_results
from cliqa.results.live import live_path
from cliqa.results.store import Store
from tests.saved_results import FORMATS, SCHEMA, issue, record, results_path, rows_of, saved


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return results_path(request.param, tmp_path)


def killed(path: str, *names: str) -> None:
    """What a run leaves that is killed after it has scored these files."""
    results = open_results(path, SCHEMA)
    for name in names:
        results.write(record(name), True, None)
    results.issue(issue("broken"))
    results.flush()
    results.connection.close()
    if results._lock is not None:
        results._lock.release()


def test_what_was_written_before_a_failure_is_there(path: str) -> None:
    class Fault(Exception):
        pass

    with pytest.raises(Fault), open_results(path, SCHEMA) as results:
        results.write(record("a"), True, None)
        results.issue(issue("b"))
        raise Fault
    assert len(rows_of(path, "scores")) == len(rows_of(path, "issues")) == 1
    assert not [name for name in os.listdir(os.path.dirname(path)) if name.startswith(".")]
    tables = saved(path)
    assert list(tables["scores"]) == ["a"] and list(tables["issues"]) == ["b"]


def test_what_a_killed_run_has_written_is_read_exported_and_gone_on_with(path: str, tmp_path: Path) -> None:
    killed(path, "a", "b")
    with pytest.raises(UsageError, match="--resume"):
        open_results(path, SCHEMA)
    with Store(path) as store:
        assert [row[0] for row in store.rows(["path"])] == ["a", "b"] and len(list(store.issues())) == 1
    other = str(tmp_path / "exported.csv")
    assert export([path, "-o", other, "--quiet"]) == 0
    assert len(rows_of(other, "scores")) == 2 and len(rows_of(other, "issues")) == 1
    with open_results(path, SCHEMA, resume=True) as results:
        assert [done.row["path"] for done in results.rows()] == ["a", "b", "broken"]
        results.write(record("after"), True, None)
    assert len(rows_of(path, "scores")) == 3 and len(rows_of(path, "issues")) == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_a_run_that_was_killed_before_its_first_row_left_nothing(path: str) -> None:
    if path.endswith(".db"):
        pytest.skip("a database is its own store")
    Path(live_path(path)).touch()
    with open_results(path, SCHEMA) as results:
        results.write(record("a"))
    assert list(saved(path)["scores"]) == ["a"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_last_row_cut_anywhere_is_dropped_or_scored_again(kind: str, tmp_path: Path) -> None:
    """As runs of older releases left it, which appended to these files."""
    path = str(tmp_path / f"r.{kind}")
    names = ["a", 'dir/b"\n,.jpg', 'dir/c"\n\n,\udcff.jpg']
    with open_results(path, SCHEMA) as results:
        for name in names:
            results.write(record(name), True, None)
    file = Path(path)
    whole = file.read_bytes()
    last = whole.index(b'"dir/c') if kind == "csv" else whole.rindex(b'{"path"')
    for length in range(last + 1, len(whole)):
        file.write_bytes(whole[:length])
        with open_results(path, SCHEMA, resume=True) as results:
            done = list(results.rows())
            assert [each.row["path"] for each in done[:2]] == names[:2] and len(done) <= 3, length
            results.write(record(names[2]), True, None)
        assert list(saved(path)["scores"]) == names, length


def test_a_file_without_rows_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    for start in (b"", ",".join(SCHEMA.columns).encode(), ",".join(SCHEMA.columns).encode() + b"\r"):
        path.write_bytes(start)
        with open_results(str(path), SCHEMA, resume=True) as results:
            results.write(record("a"))
        assert len(rows_of(str(path), "scores")) == 1


def test_a_table_that_a_spreadsheet_has_saved_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    with open_results(str(path), SCHEMA) as results:
        results.write(record("a"))
        results.write(record("ümlaut, with comma"), True, None)
    expected = saved(str(path))
    for delimiter in ";\t":
        with open(path, newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        with open(path, "w", newline="", encoding="utf-8-sig") as stream:
            csv.writer(stream, delimiter=delimiter).writerows(rows)
        with Store(str(path)) as store:
            assert store.count("toy.mean > 0.3 and width = 40") == 2
        assert saved(str(path)) == expected


FOREIGN = {
    "csv": [b"name,age\nann,3\n", b"name", b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
    "jsonl": [b'{"name": 3}\n', b"plain text", b"plain\ntext\n", b"\x89PNG\r\n\x1a\n\0\0", b'{"path": "a"}\n', b"[1]\n", b'{"a": 1}'],
    "db": [b"plain text, not a database at all", b"\x89PNG\r\n\x1a\n\0\0"],
    "parquet": [b"plain text", b"PAR1"],
}  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
def test_other_peoples_files_are_refused_untouched(kind: str, tmp_path: Path) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"notes.{kind}"
    for content in filter(None, FOREIGN[kind]):
        path.write_bytes(content)
        with pytest.raises(ResultsError):
            open_results(str(path), SCHEMA, resume=True)
        assert path.read_bytes() == content
        assert os.listdir(tmp_path) == [path.name]


def test_another_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "contacts.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ResultsError, match="something else"):
        open_results(str(path), SCHEMA, resume=True)
    assert path.read_bytes() == before


def test_a_damaged_number_has_its_file_scored_again_and_a_missing_cell_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    with open_results(str(path), SCHEMA) as results:
        results.write(record("a"))
        results.write(record("b"))
    whole = path.read_text()
    path.write_text(whole.replace(str(10**18 + 7), "yesterday"))
    with open_results(str(path), SCHEMA, resume=True) as results:
        assert [done.mtime_ns for done in results.rows()] == [None, None]
        results.write(record("a"))
        results.write(record("b"))
    assert path.read_text() == whole
    damaged = whole.replace("a,a,", "a,", 1)
    path.write_text(damaged)
    with pytest.raises(ResultsError, match="row 2 has"):
        open_results(str(path), SCHEMA, resume=True)
    assert path.read_text() == damaged and os.listdir(tmp_path) == ["r.csv"]


def test_rows_that_the_index_of_a_database_has_lost_are_read(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with open_results(str(path), SCHEMA) as results:
        results.write(record("first-photograph.png"))
        results.issue(issue("second-photograph.png"))
    whole, name = path.read_bytes(), b"first-photograph.png"
    places = [at for at in range(len(whole)) if whole.startswith(name, at)]
    assert len(places) > 1  # rows and index
    for at in places:
        path.write_bytes(whole[:at] + b"worst" + whole[at + 5 :])
        with open_results(str(path), SCHEMA, resume=True) as results:
            assert sorted(done.table for done in results.rows()) == ["issues", "scores"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_full_disk_is_one_clear_error(kind: str, tmp_path: Path) -> None:
    real = open

    def full(name: object, *args: object, **options: object) -> object:
        return real("/dev/full" if "cliqa-part" in str(name) else name, *args, **options)  # type: ignore[call-overload]

    with mock.patch("cliqa.results.faces.open", full, create=True):
        with pytest.raises(ResultsError, match="No space left"):
            with open_results(str(tmp_path / f"r.{kind}"), SCHEMA) as results:
                results.write(record("a"))


def test_a_full_disk_under_a_database(tmp_path: Path) -> None:
    path = str(tmp_path / "r.db")
    results: Results
    with pytest.raises(ResultsError, match="full"), open_results(path, SCHEMA) as results:
        results.write(record("first"))
        pages = results.connection.execute("PRAGMA page_count").fetchone()[0]
        results.connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]
        for number in range(5000):
            results.write(record(f"{number:0200d}"))
    scores = saved(path)["scores"]
    assert "first" in scores and len(scores) < 5000


def test_a_failed_parquet_file_keeps_its_store(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    path = str(tmp_path / "r.parquet")
    full = OSError(28, "No space left on device")
    with (
        mock.patch.object(pyarrow, "ParquetWriter", side_effect=full),
        pytest.raises(ResultsError, match="No space left"),
    ):
        with open_results(path, SCHEMA) as results:
            results.write(record("a"))
    assert sorted(os.listdir(tmp_path)) == [".r.parquet.cliqa-live"]
    assert list(saved(path)["scores"]) == ["a"]
