# ruff: noqa: SIM117 - what is patched and what is opened are two things
"""Scores to a file and back, in all four formats: exact names, resume, tables that files move between."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import ResultsError, UsageError
from cliqa.metrics import Field
from cliqa.records import Record, Source
from cliqa.results import Done, Results, Schema, open_results
from tests.saved_results import FORMATS, PATHS, SCHEMA, issue, record, results_path, saved, without_real_paths


def done_of(results: Results, path: str) -> Done:
    found = results.find(Source(path))
    assert found is not None
    return found


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return results_path(request.param, tmp_path)


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
        assert done_of(results, "a").row["placed"] == "out/a" and done_of(results, "b").table == "issues"
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
        results.write(record("b"), False, None)
    scores = saved(path)["scores"]
    assert list(scores) == ["a", "b", "c"] and [str(row["kept"]) for row in scores.values()] == ["1", "0", "1"]


def test_metrics_meet_in_one_file(path: str) -> None:
    """Scores of the same content stay beside those of a later run; those of another content go."""
    with open_results(path, SCHEMA) as results:
        results.write(record("a"))
        results.write(record("b"))
    other = Schema({"other": (Field("value", "a number"),)}, {"other": "def456"})
    with open_results(path, other, resume=True) as results:
        results.write(Record(Source("a"), {"size": 5, "mtime_ns": 10**18 + 7}, {"other.value": 2.0}))
        results.write(Record(Source("b"), {"size": 6, "mtime_ns": 10**18 + 7}, {"other.value": 3.0}))
    rows = saved(path)["scores"]
    assert (rows["a"]["toy.mean"], rows["a"]["other.value"]) == (1 / 3, 2.0)
    assert rows["a"]["weights"] == "other=def456 toy=abc123"
    assert (rows["b"]["toy.mean"], rows["b"]["other.value"], rows["b"]["weights"]) == (None, 3.0, "other=def456")


def test_a_file_is_known_however_its_path_is_spelled(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pics").mkdir()
    (tmp_path / "linked").symlink_to("pics")
    monkeypatch.chdir(tmp_path)
    spellings = ["pics/a.png", "./pics/a.png", str(tmp_path / "pics" / "a.png"), "linked/a.png", "pics/../linked/a.png"]
    with open_results(path, SCHEMA) as results:
        results.write(record(spellings[0]))
    for spelling in spellings:
        with open_results(path, SCHEMA, resume=True) as results:
            assert done_of(results, spelling).row["real_path"] == str(tmp_path / "pics" / "a.png")
            results.write(record(spelling, 2.0))
        assert list(saved(path)["scores"]) == [spelling]


def test_files_made_before_real_paths_were_known_are_gone_on_with(path: str, tmp_path: Path) -> None:
    """Results without the column, a file in them under two spellings; and a database that says where its paths hold from."""
    with open_results(path, SCHEMA) as results:
        results.write(record(str(tmp_path / "a")))
        results.issue(issue(str(tmp_path / "b")))
    without_real_paths(path)
    with open_results(path, SCHEMA, resume=True) as results:
        assert done_of(results, str(tmp_path / "a")).row["toy.mean"] == 1 / 3
        assert done_of(results, str(tmp_path / "sub" / ".." / "b")).table == "issues"


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


def test_two_runs_share_a_database(tmp_path: Path) -> None:
    path = str(tmp_path / "r.db")
    with open_results(path, SCHEMA) as one, open_results(path, SCHEMA, resume=True) as other:
        for number in range(20):
            one.write(record(f"one {number}"))
            other.write(record(f"other {number}"))
    assert len(saved(path)["scores"]) == 40


def test_a_store_that_another_run_makes_at_this_moment_is_waited_for(tmp_path: Path) -> None:
    """SQLite says "locked" at once, whatever its patience, where two connections change the kind of journal together."""
    refusals = iter([True, True, False])

    class Contended(sqlite3.Connection):
        def execute(self, statement: str, *rest: object) -> sqlite3.Cursor:
            if "journal_mode=WAL" in statement and next(refusals):
                raise sqlite3.OperationalError("database is locked")
            return super().execute(statement, *rest)  # type: ignore[arg-type]

    real = sqlite3.connect
    with mock.patch("sqlite3.connect", lambda *given, **options: real(*given, **options, factory=Contended)):
        with open_results(str(tmp_path / "r.db"), SCHEMA) as results:
            results.write(record("a"))
    assert list(saved(str(tmp_path / "r.db"))["scores"]) == ["a"] and next(refusals, None) is None


def test_a_folder_that_could_not_be_read_is_looked_at_again(path: str, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    folder, file, other = str(tmp_path / "in" / "deep"), str(tmp_path / "in" / "a.png"), str(tmp_path)
    with open_results(path, SCHEMA) as results:
        for each in (folder, file, other):
            results.issue(issue(each))
    with open_results(path, SCHEMA, resume=True) as results:
        results.forget_folders(str(tmp_path / "in"))
    assert set(saved(path)["issues"]) == {file, other}


def test_a_text_format_has_one_writer_and_is_gone_on_with_through_a_link(path: str, tmp_path: Path) -> None:
    with open_results(path, SCHEMA) as results:
        results.write(record("a"))
        if not path.endswith(".db"):
            with pytest.raises(ResultsError, match="another run"):
                open_results(path, SCHEMA, resume=True)
    link = tmp_path / f"link{os.path.splitext(path)[1]}"
    link.symlink_to(path)
    with open_results(str(link), SCHEMA, resume=True) as results:
        results.write(record("a", 2.0))
    assert link.is_symlink() and len(saved(path)["scores"]) == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]
