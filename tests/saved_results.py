"""Results of a toy metric, written and read back, for the tests of results files."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from pathlib import Path

import pytest

from cliqa.metrics import Field
from cliqa.records import Issue, Record, Source
from cliqa.results import Schema, issues_path, open_results
from cliqa.results.faces import read_table, write_table
from tests.inputs.test_folders import HOSTILE_NAMES

FORMATS = ["csv", "jsonl", "db", "parquet"]
SCHEMA = Schema({"toy": (Field("mean", "a number"), Field("label", "a word", kind="str"))}, {"toy": "abc123"})
PATHS = [os.fsdecode(b"dir/" + name) for name in HOSTILE_NAMES]


def results_path(kind: str, folder: Path) -> str:
    """Where results of a format go; skips the test where its library is missing."""
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    return str(folder / f"r.{kind}")


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
        for done in results.rows():
            tables[done.table][done.row["path"]] = dict(done.row)
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


def without_real_paths(path: str) -> None:
    """Rewrite a results file as releases wrote it before they knew real paths."""
    if path.endswith(".db"):
        with sqlite3.connect(path) as connection:
            for table in ("scores", "issues"):
                connection.execute(f"DROP INDEX {table}_real_path")
                connection.execute(f"ALTER TABLE {table} DROP COLUMN real_path")
        connection.close()
        return
    for name in (path, issues_path(path)):
        columns, rows = read_table(name)
        kept = {column: SCHEMA.type_of(column) for column in columns if column != "real_path"}
        write_table(name, kept, [[row[column] for column in kept] for row in rows], replace=True)
