"""SQLite as stores use it."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cliqa.errors import ResultsError
from cliqa.results.database import (
    from_sql_text,
    holds_rows,
    insist,
    live_path,
    load_tables,
    make_table,
    reading,
    remove_store,
    table_errors,
    to_sql_value,
)
from tests.saved_results import PATHS


def test_every_text_comes_back_from_what_sqlite_can_hold() -> None:
    connection = sqlite3.connect(":memory:")
    for path in PATHS:
        (found,) = connection.execute("SELECT ?", [to_sql_value(path)]).fetchone()
        assert from_sql_text(found) == path
    assert to_sql_value(2**63) == str(2**63) and to_sql_value(2**63 - 1) == 2**63 - 1
    assert to_sql_value(None) is None and to_sql_value(0.5) == 0.5 and to_sql_value([1]) == "[1]"
    connection.close()


def test_the_hidden_store_lies_beside_and_its_name_fits() -> None:
    assert live_path(os.path.join("a", "scores.csv")) == os.path.join("a", ".scores.csv.cliqa-live")
    long = [live_path("é" * 120 + end) for end in ("a.csv", "b.csv")]
    assert long[0] != long[1] and max(len(os.fsencode(name)) for name in long) < 200


def test_a_store_holds_rows_once_its_tables_are_made(tmp_path: Path) -> None:
    database = str(tmp_path / "x.db")
    assert not holds_rows(database)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE scores (id)")
    connection.commit()
    assert not holds_rows(database)
    connection.execute("CREATE TABLE meta (key, value)")
    connection.commit()
    connection.close()
    assert holds_rows(database)
    remove_store(database)
    assert not os.path.exists(database)
    remove_store(database)  # nothing there is no error


def test_a_table_keeps_the_order_of_its_columns_and_rows() -> None:
    connection = sqlite3.connect(":memory:")
    rows = [{"path": "b", "toy.mean": 0.5}, {"path": "a"}]
    make_table(connection, "scores", (["path", "toy.mean"], iter(rows)))
    assert connection.execute('SELECT path, "toy.mean" FROM scores ORDER BY id').fetchall() == [("b", 0.5), ("a", None)]
    with pytest.raises(ValueError, match="no column `path`"):
        make_table(connection, "issues", (["name"], iter(())))
    connection.close()


def test_what_is_wrong_is_said_in_one_kind_of_error() -> None:
    with pytest.raises(ResultsError, match=r"x\.csv is no readable results file"), table_errors("x.csv"):
        raise ValueError("row 3")
    with pytest.raises(ResultsError, match="can't be read"), reading():
        raise sqlite3.OperationalError("disk I/O error")


def test_a_locked_database_is_waited_for_and_another_failure_is_not() -> None:
    failures = [sqlite3.OperationalError("database is locked"), sqlite3.OperationalError("database is locked")]

    def locked() -> None:
        if failures:
            raise failures.pop()

    insist(locked)
    assert not failures

    def broken() -> None:
        raise sqlite3.OperationalError("no such table")

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        insist(broken)


def rows_of(database: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_a_table_and_the_issues_beside_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("path,brightness.mean\na.png,10.5\nb.png,\n")
    (tmp_path / "s.issues.csv").write_text("path,filename,issue_type,issue_message\nc.png,c.png,broken,why\n")
    load_tables(str(tmp_path / "s.csv"), str(tmp_path / "s.db"))
    assert rows_of(tmp_path / "s.db", 'SELECT path, "brightness.mean" FROM scores') == [
        ("a.png", 10.5),
        ("b.png", None),
    ]
    assert rows_of(tmp_path / "s.db", "SELECT path, issue_message FROM issues") == [("c.png", "why")]


def test_parts_are_joined_in_order_and_their_notes_kept(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    for table in ("scores", "issues"):
        (tmp_path / "run" / table).mkdir(parents=True)
    for number in (2, 1):
        part = arrow.table({"path": [f"{number}.png"], "brightness.mean": [float(number)]})
        parquet.write_table(part, tmp_path / f"run/scores/part-{number}.parquet")
    (tmp_path / "run/cliqa.json").write_text(json.dumps({"base": "/photos"}))
    load_tables(str(tmp_path / "run"), str(tmp_path / "s.db"))
    assert rows_of(tmp_path / "s.db", "SELECT path FROM scores") == [("1.png",), ("2.png",)]
    assert rows_of(tmp_path / "s.db", "SELECT value FROM meta WHERE key = 'base'") == [('"/photos"',)]
    (tmp_path / "run/cliqa.json").write_text("[]")
    with pytest.raises(ResultsError, match=r"cliqa\.json"):
        load_tables(str(tmp_path / "run"), str(tmp_path / "t.db"))
