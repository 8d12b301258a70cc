# ruff: noqa: SIM117 - what is patched and what is expected are two things
"""Scores to a file and back, in all four formats: exact names, resume, other people's files."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import ResultsError, UsageError
from cliqa.metrics import Field
from cliqa.records import Issue, Record, Source
from cliqa.results import Results, Schema, issues_path, open_results
from tests.test_listing import HOSTILE_NAMES

FORMATS = ["csv", "jsonl", "db", "parquet"]
SCHEMA = Schema({"toy": (Field("mean", "a number"), Field("label", "a word", kind="str"))}, {"toy": "abc123"})
PATHS = [os.fsdecode(b"dir/" + name) for name in HOSTILE_NAMES]


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return str(tmp_path / f"r.{request.param}")


def record(path: str, mean: float | None = 1 / 3, notes: list[str] | None = None) -> Record:
    return Record(
        Source(path),
        {"size": 5, "mtime_ns": 10**18 + 7, "format": "PNG", "width": 40, "height": 30, "mode": "RGB", "frames": 1},
        {"toy.mean": mean, "toy.label": 'a "word", é'},
        notes or [],
    )  # fmt: skip


def issue(path: str) -> Issue:
    return Issue(Source(path), "error", 'broken,\n"badly"', {"size": 3, "mtime_ns": 9})


def saved(path: str) -> dict[str, dict[str, dict[str, object]]]:
    """What a finished file holds: table -> path -> row; fails where a path is there twice."""
    with open_results(path, SCHEMA, resume=True) as results:
        tables: dict[str, dict[str, dict[str, object]]] = {"scores": {}, "issues": {}}
        for name, done in results.done.items():
            tables[done.table][name] = dict(done.row)
    assert len(rows_of(path, "scores")) == len(tables["scores"])
    assert len(rows_of(path, "issues")) == len(tables["issues"])
    return tables


def rows_of(path: str, table: str) -> list[object]:
    """The rows of one table, by the format's own reader."""
    if path.endswith(".db"):
        connection = sqlite3.connect(path)
        rows: list[object] = connection.execute(f"SELECT * FROM {table}").fetchall()
        connection.close()
        return rows
    name = path if table == "scores" else issues_path(path)
    if not os.path.exists(name):
        return []
    if path.endswith(".csv"):
        with open(name, newline="", encoding="utf-8", errors="surrogateescape") as stream:
            return list(csv.DictReader(stream))
    if path.endswith(".jsonl"):
        return [json.loads(line) for line in Path(name).read_text().splitlines()]
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(name).to_pylist()
    return rows


def test_hostile_names_and_values_come_back_exactly(path: str) -> None:
    with open_results(path, SCHEMA) as results:
        for name in PATHS:
            results.write(record(name, notes=["one", "two"]), True, "out/" + name)
        results.issue(issue("dir/\udcfebroken\n.jpg"))
    tables = saved(path)
    assert list(tables["scores"]) == PATHS
    assert list(tables["issues"]) == ["dir/\udcfebroken\n.jpg"]
    row = tables["scores"][PATHS[0]]
    again = SCHEMA.record(row, Source(PATHS[0]))
    assert again.values == record("x").values  # 1/3 to the last bit
    assert again.facts["width"] == 40 and again.facts["mtime_ns"] == 10**18 + 7 and again.notes == ["one; two"]
    assert str(row["kept"]) == "1" and row["placed"] == "out/" + PATHS[0]
    if not path.endswith(".parquet"):
        assert [row["placed"] for row in tables["scores"].values()] == ["out/" + name for name in PATHS]
    assert tables["issues"]["dir/\udcfebroken\n.jpg"]["issue_message"] == 'broken,\n"badly"'


def test_none_is_kept_apart_from_zero_and_empty(path: str) -> None:
    with open_results(path, SCHEMA) as results:
        results.write(record("a", None), None, None)
        results.write(record("b", 0.0), False, None)
    scores = saved(path)["scores"]
    assert SCHEMA.record(scores["a"], Source("a")).values["toy.mean"] is None
    assert SCHEMA.record(scores["b"], Source("b")).values["toy.mean"] == 0.0
    assert scores["a"]["placed"] in (None, "") and scores["a"]["kept"] in (None, "")
    assert str(scores["b"]["kept"]) == "0"


def test_an_existing_file_needs_resume(path: str, tmp_path: Path) -> None:
    with open_results(path, SCHEMA) as results:
        results.write(record("a"))
    before = Path(path).read_bytes()
    with pytest.raises(UsageError, match="--resume"):
        open_results(path, SCHEMA)
    assert Path(path).read_bytes() == before


def test_resume_goes_on_and_repeats_nothing(path: str) -> None:
    with open_results(path, SCHEMA) as results:
        results.write(record("a"), True, "out/a")
        results.issue(issue("b"))
    with open_results(path, SCHEMA, resume=True) as results:
        assert results.done["a"].row["placed"] == "out/a" and results.done["b"].table == "issues"
        results.issue(issue("b"))  # tried again, in vain
        results.write(record("c"), True, None)
    tables = saved(path)
    assert list(tables["scores"]) == ["a", "c"] and list(tables["issues"]) == ["b"]


def test_a_file_moves_between_the_tables(path: str) -> None:
    with open_results(path, SCHEMA) as results:
        results.write(record("good"), True, None)
        results.issue(issue("bad"))
        results.write(record("stays"), True, None)
    with open_results(path, SCHEMA, resume=True) as results:
        results.issue(issue("good"))
        results.write(record("bad", 7.0), True, None)
    tables = saved(path)
    assert set(tables["scores"]) == {"bad", "stays"} and set(tables["issues"]) == {"good"}
    assert SCHEMA.record(tables["scores"]["bad"], Source("bad")).values["toy.mean"] == 7.0


def test_rows_are_replaced_in_place(path: str) -> None:
    with open_results(path, SCHEMA) as results:
        for name in "abc":
            results.write(record(name), True, None)
    with open_results(path, SCHEMA, resume=True) as results:
        results.update(record("b"), False, None)
    scores = saved(path)["scores"]
    assert list(scores) == ["a", "b", "c"] and [str(row["kept"]) for row in scores.values()] == ["1", "0", "1"]


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


def test_results_of_other_columns_are_refused_or_joined(path: str) -> None:
    """Text and Parquet files have one set of columns; a database grows."""
    with open_results(path, SCHEMA) as results:
        results.write(record("a"))
    other = Schema({"other": (Field("value", "a number"),)}, {"other": "def456"})
    if path.endswith(".db"):
        with open_results(path, other, resume=True) as results:
            results.write(Record(Source("a"), {"size": 5, "mtime_ns": 10**18 + 7}, {"other.value": 2.0}))
        row = saved(path)["scores"]["a"]
        assert (row["toy.mean"], row["other.value"]) == (1 / 3, 2.0)
        return
    before = Path(path).read_bytes()
    with pytest.raises(ResultsError, match=r"other columns|not what this run writes"):
        open_results(path, other, resume=True)
    assert Path(path).read_bytes() == before


def test_rows_know_the_weights_and_settings_that_made_them() -> None:
    assert SCHEMA.covered_by("other=1 toy=abc123") and not SCHEMA.covered_by("toy=abc124") and not SCHEMA.covered_by("")


def test_a_missing_folder_is_made_and_a_folder_is_no_file(tmp_path: Path) -> None:
    for kind in ("csv", "jsonl", "db"):
        path = tmp_path / kind / "deep" / f"r.{kind}"
        with open_results(str(path), SCHEMA) as results:
            results.write(record("a"))
        assert path.is_file()
        (tmp_path / f"folder.{kind}").mkdir()
        with pytest.raises((UsageError, ResultsError)):
            open_results(str(tmp_path / f"folder.{kind}"), SCHEMA, resume=True)
        with pytest.raises(ResultsError):
            open_results(str(tmp_path / "csv" / "deep" / "r.csv" / f"below.{kind}"), SCHEMA)
    with pytest.raises(UsageError, match="results can be"):
        open_results(str(tmp_path / "r.xlsx"), SCHEMA)


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


def test_two_runs_share_a_database(tmp_path: Path) -> None:
    path = str(tmp_path / "r.db")
    with open_results(path, SCHEMA) as one, open_results(path, SCHEMA, resume=True) as other:
        for number in range(20):
            one.write(record(f"one {number}"))
            other.write(record(f"other {number}"))
    assert len(saved(path)["scores"]) == 40


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
