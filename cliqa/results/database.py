"""SQLite as stores of scores use it: where the hidden one lies, its tables, values that it cannot hold, failures to read it."""

from __future__ import annotations

import contextlib
import csv
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from cliqa.errors import ResultsError
from cliqa.results.conditions import quote
from cliqa.results.faces import Table
from cliqa.text import display

TABLES = ("scores", "issues")
PATIENCE = 30.0  # seconds that another run may hold a database


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
