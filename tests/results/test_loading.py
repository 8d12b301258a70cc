"""Tables and folders of parts become a database with the tables of a store."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cliqa.errors import ResultsError
from cliqa.results.loading import load_tables


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
