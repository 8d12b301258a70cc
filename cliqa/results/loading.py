"""A table with the issues beside it, or a folder of parts -> a database with the tables of a store, to be read as one."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable
from itertools import chain

from cliqa.results.database import TABLES, make_table, table_errors
from cliqa.results.faces import Table, issues_path, read_table


def load_tables(path: str, database: str) -> None:
    """Read a table and the issues beside it, or a folder of parts, into a new database with the tables of a store."""
    with table_errors(path), contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        folder = os.path.isdir(path)
        for table, name in zip(TABLES, (path, issues_path(path)), strict=True):
            files = _part_files(path, table) if folder else [name]
            columns, rows = _joined(file for file in files if folder or file == path or os.path.exists(file))
            make_table(connection, table, (columns or ["path"], rows))
        if folder:
            _load_notes(connection, path)
        connection.execute("COMMIT")


def _joined(paths: Iterable[str]) -> Table:
    """The rows of several tables, with the columns of the first."""
    tables = (read_table(path) for path in paths)
    first = next(tables, ([], iter(())))
    return first[0], chain(first[1], *(rows for _, rows in tables))


def _part_files(folder: str, table: str) -> list[str]:
    """The Parquet files of a run in parts: those of `scores` or of `issues`, in order of name."""
    inside = os.path.join(folder, table)
    names = sorted(name for name in os.listdir(inside) if name.endswith(".parquet") and not name.startswith("."))
    return [os.path.join(inside, name) for name in names]


def _load_notes(connection: sqlite3.Connection, folder: str) -> None:
    """Where relative paths of a run in parts hold from, and which folders it read."""
    with open(os.path.join(folder, "cliqa.json"), encoding="utf-8") as stream:
        notes = json.load(stream)
    if not isinstance(notes, dict):
        raise ValueError("its cliqa.json holds no notes")
    connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [(key, json.dumps(value)) for key, value in notes.items()])
