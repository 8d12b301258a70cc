# ruff: noqa: SIM117 - what is patched and what is expected are two things
"""Results files that were cut, damaged, are somebody else's, or lie on a full disk: repaired, or refused and left alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import ResultsError, UsageError
from cliqa.results import Results, open_results
from tests.saved_results import FORMATS, SCHEMA, issue, record, results_path, rows_of, saved


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return results_path(request.param, tmp_path)


def test_what_was_written_before_a_failure_is_there_on_resume(path: str) -> None:
    class Fault(Exception):
        pass

    with pytest.raises(Fault), open_results(path, SCHEMA) as results:
        results.write(record("a"), True, None)
        results.issue(issue("b"))
        raise Fault
    if path.endswith(".parquet"):  # only its journal is there, and without --resume nothing is taken for granted
        assert not os.path.exists(path)
        with pytest.raises(UsageError, match="journal"):
            open_results(path, SCHEMA)
    tables = saved(path)
    assert list(tables["scores"]) == ["a"] and list(tables["issues"]) == ["b"]
    assert not [name for name in os.listdir(os.path.dirname(path)) if name.endswith((".part", ".journal.jsonl"))]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_last_row_cut_anywhere_is_dropped_alone(kind: str, tmp_path: Path) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = str(tmp_path / f"r.{kind}")
    with pytest.raises(KeyError), open_results(path, SCHEMA) as results:
        for name in ("a", 'dir/b"\n,.jpg', 'dir/c"\n\n,\udcff.jpg'):
            results.write(record(name), True, None)
        raise KeyError
    file = Path(path if kind != "parquet" else f"{path}.journal.jsonl")
    whole = file.read_bytes()
    last = whole.index(b'dir/c"' if kind != "csv" else b'"dir/c') if kind == "csv" else whole.rindex(b'{"path"')
    for length in range(last + 1, len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(KeyError), open_results(path, SCHEMA, resume=True) as results:
            assert list(results.done) == ["a", 'dir/b"\n,.jpg'], length
            results.write(record("after"), True, None)
            raise KeyError
        with pytest.raises(KeyError), open_results(path, SCHEMA, resume=True) as results:
            assert list(results.done) == ["a", 'dir/b"\n,.jpg', "after"], length
            raise KeyError


def test_a_header_cut_by_a_full_disk_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    for start in (
        b"",
        b"path,filen",
        b"path",
        ",".join(SCHEMA.columns).encode(),
        ",".join(SCHEMA.columns).encode() + b"\r",
    ):
        path.write_bytes(start)
        with open_results(str(path), SCHEMA, resume=True) as results:
            results.write(record("a"))
        assert len(rows_of(str(path), "scores")) == 1


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


def test_a_damaged_number_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    with open_results(str(path), SCHEMA) as results:
        results.write(record("a"))
        results.write(record("b"))
    whole = path.read_text()
    for damaged in (whole.replace(str(10**18 + 7), "yesterday"), whole.replace("a,a,", "a,", 1)):
        path.write_text(damaged)
        with pytest.raises(ResultsError, match="is damaged"):
            open_results(str(path), SCHEMA, resume=True)
        assert path.read_text() == damaged


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
            assert sorted(done.table for done in results.done.values()) == ["issues", "scores"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_full_disk_is_one_clear_error(kind: str, tmp_path: Path) -> None:
    real = open

    def full(name: object, *args: object, **options: object) -> object:
        return real("/dev/full" if str(name).endswith(kind) else name, *args, **options)  # type: ignore[call-overload]

    with mock.patch("cliqa.results.line_files.open", full, create=True):
        with pytest.raises(ResultsError, match="No space left"):
            with open_results(str(tmp_path / f"r.{kind}"), SCHEMA) as results:
                results.write(record("a"))


def test_a_full_disk_under_a_database(tmp_path: Path) -> None:
    path = str(tmp_path / "r.db")
    results: Results
    with pytest.raises(ResultsError, match="full"), open_results(path, SCHEMA) as results:
        results.write(record("first"))
        pages = results.connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
        results.connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]
        for number in range(5000):
            results.write(record(f"{number:0200d}"))
    scores = saved(path)["scores"]
    assert "first" in scores and len(scores) < 5000


def test_a_failed_parquet_file_keeps_its_journal(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    path = str(tmp_path / "r.parquet")
    full = OSError(28, "No space left on device")
    with (
        mock.patch.object(pyarrow, "write_table", side_effect=full),
        pytest.raises(ResultsError, match="No space left"),
    ):
        with open_results(path, SCHEMA) as results:
            results.write(record("a"))
    assert sorted(os.listdir(tmp_path)) == ["r.parquet.journal.jsonl"]
    assert list(saved(path)["scores"]) == ["a"]
