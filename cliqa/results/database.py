"""SQLite as stores of scores use it: where the hidden one lies, its tables, read from others, values that it cannot hold, failures."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from cliqa.errors import ResultsError
from cliqa.records import real_path
from cliqa.results.conditions import quote
from cliqa.results.faces import Table, issues_path, read_table
from cliqa.results.schema import ISSUE_COLUMNS, Schema
from cliqa.text import display

TABLES = ("scores", "issues")
_SQL_TYPES = {int: "INTEGER", float: "REAL", str: "TEXT"}
# Seconds that another run may hold a database; chosen by hand: it holds it for one transaction at a time
PATIENCE = 30.0


def live_path(path: str) -> str:
    """The hidden store of a run that was asked for `path`: `.scores.csv.cliqa-live` beside `scores.csv`."""
    folder, name = os.path.split(path)
    if len(os.fsencode(name)) > 200:  # file systems take 255 bytes, and SQLite needs a few for names of its own
        name = f"{name[:40]}-{zlib.crc32(os.fsencode(name)):08x}"
    return os.path.join(folder, f".{name}.cliqa-live")


def holds_rows(database: str) -> bool:
    """Whether a store is there with its tables made: without them, a run was killed before it could write anything."""
    if not os.path.exists(database):
        return False
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is not None
    return True


def remove_store(database: str) -> None:
    """Remove a store with what SQLite keeps beside it."""
    for name in (database, f"{database}-wal", f"{database}-shm"):  # a log without its database is none any more
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def make_table(
    connection: sqlite3.Connection, table: str, content: Table, type_of: Callable[[str], str] = lambda name: ""
) -> None:
    """Make a table of scores or issues and fill it. `type_of` gives the declared types: without one, values stay as they are.

    Raises ValueError or sqlite3.Error where there is no column `path`, or columns that a database can't have.
    """
    columns, rows = content
    if "path" not in columns:
        raise ValueError("it has no column `path`")
    names = [quote(name) for name in columns]
    body = ", ".join(
        f"{name} {'NOT NULL' if name == quote('path') else type_of(column)}"
        for name, column in zip(names, columns, strict=True)
    )
    connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {body})")
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        ([to_sql_value(row.get(name)) for name in columns] for row in rows),
    )


def refuse_foreign(connection: sqlite3.Connection, name: str) -> None:
    """Raises ResultsError where a database, called `name` in the message, has tables and they are none of a store."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and not tables.issuperset((*TABLES, "meta")):
        raise ResultsError(f"{display(name)} is a database of something else; use another name")


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """The columns of a table, without the number of the row."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "id"]


def set_up(connection: sqlite3.Connection, schema: Schema, earlier: Callable[[str], Table | None], name: str) -> None:
    """Make the tables of a run, or bring those of an older release up to date.

    Args:
        earlier: gives what an earlier run has left of a table that is still to be made; None where that is nothing.
        name: of the file that was asked for, as messages call it.
    """
    execute = connection.execute

    def type_of(column: str) -> str:  # none for those of other metrics, so that their values stay as they are
        known = column in schema.columns or column in ISSUE_COLUMNS
        return _SQL_TYPES[schema.type_of(column)] if known else ""

    for table, wanted in (("scores", schema.columns), ("issues", list(ISSUE_COLUMNS))):
        if not columns_of(connection, table):
            found = earlier(table)
            with table_errors(name) if found is not None else contextlib.nullcontext():
                make_table(connection, table, found or (wanted, iter(())), type_of)
        for column in [column for column in wanted if column not in columns_of(connection, table)]:
            execute(f"ALTER TABLE {table} ADD COLUMN {quote(column)} {type_of(column)}")
    execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")
    facts = {f"weights.{metric}": mark for metric, mark in schema.weights.items()}
    for metric, fields in schema.metrics.items():
        facts |= {f"field.{metric}.{field.name}": json.dumps(asdict(field)) for field in fields}
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))
    for table in TABLES:
        if not execute("SELECT 1 FROM sqlite_master WHERE name = ?", [f"{table}_real_path"]).fetchone():
            _index(connection, table)
    execute("UPDATE scores SET weights = NULL WHERE real_path IN (SELECT real_path FROM issues)")
    execute("DELETE FROM issues WHERE real_path IN (SELECT real_path FROM scores)")  # nothing tells which came last


def _index(connection: sqlite3.Connection, table: str) -> None:
    """One row for each real path: of those that an older release wrote under several spellings the last."""
    execute = connection.execute
    noted = execute("SELECT value FROM meta WHERE key = 'base'").fetchone()
    base = str(json.loads(noted[0])) if noted is not None else ""
    connection.create_function(
        "real_path_of", 1, lambda path: to_sql_value(real_path(os.path.join(base, from_sql_text(path))))
    )
    execute(f"UPDATE {table} SET real_path = real_path_of(path) WHERE real_path IS NULL")
    execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT max(id) FROM {table} GROUP BY real_path)")
    execute(f"CREATE UNIQUE INDEX {table}_real_path ON {table} (real_path)")
    execute(f"CREATE INDEX IF NOT EXISTS {table}_path ON {table} (path)")


@contextlib.contextmanager
def table_errors(path: str) -> Iterator[None]:
    """Whatever is wrong with a table that is read becomes a ResultsError."""
    try:
        yield
    except (OSError, ValueError, csv.Error, sqlite3.Error) as error:
        raise ResultsError(f"{display(path)} is no readable results file: {error}") from error


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Whatever SQLite has against reading becomes a ResultsError, and so do values that are none of ours."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise ResultsError(f"the results can't be read: {error}") from error


def insist(action: Callable[[], object]) -> None:
    """Changing the kind of journal asks for the whole database at once, and SQLite does not wait for that by itself."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            action()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)


def to_sql_value(value: Any) -> Any:
    """Text that SQLite can't hold (bytes that are not UTF-8) goes in as a blob, and what it has no type for as text."""
    if not (
        value is None
        or isinstance(value, (str, float, bytes))
        or (isinstance(value, int) and -(2**63) <= value < 2**63)
    ):
        return str(value)
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return os.fsencode(value)
    return value


def from_sql_text(value: Any) -> str:
    """The inverse of `to_sql_value` for text."""
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def open_to_read(path: str) -> sqlite3.Connection:
    """A read-only connection; also where nothing may be written beside the database (read-only media). Raises ResultsError."""
    address = Path(os.path.abspath(path)).as_uri()
    attempts = ["mode=ro"] if os.path.exists(f"{path}-wal") else ["mode=ro", "mode=ro&immutable=1"]
    failure: sqlite3.Error | UnicodeDecodeError | None = None
    for attempt in attempts:
        connection = sqlite3.connect(f"{address}?{attempt}", uri=True, timeout=30, isolation_level=None)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return connection
        except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged schema is quoted in the message, as it is
            connection.close()
            failure = error
    raise ResultsError(f"{display(path)} is no results database: {failure}") from failure


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
