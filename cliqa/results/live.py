"""The live store: SQLite, to which every run writes while it lasts, and from which the file that was asked for is made.

A `.db` file is its own store. Beside any other a hidden one lies while the run lasts (`.scores.csv.cliqa-live`); when the run ends,
however it ends, its face is written from there in one step. What a killed run leaves hidden is gone on with by `--resume`, and read by
every command that reads results.

A file is known by its real path: one row, however the path is spelled. A store can hold more metrics than this run computes:
their scores stay as long as the file's content does.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Protocol

from cliqa.errors import ResultsError
from cliqa.files.lock import RunLock
from cliqa.records import Issue, Record, Source
from cliqa.results.conditions import quote
from cliqa.results.database import (
    PATIENCE,
    TABLES,
    columns_of,
    from_sql_text,
    holds_rows,
    insist,
    reading,
    refuse_foreign,
    remove_store,
    set_up,
    table_errors,
    to_sql_value,
)
from cliqa.results.faces import Table, issues_path, read_table, write_table
from cliqa.results.schema import ISSUE_COLUMNS, Done, Row, Schema, done_of, read_mark, write_mark
from cliqa.text import display, reason

NEEDED = {"path", "filename", "size", "mtime_ns", "weights"}  # columns of every table that a run has written
_BATCH = 256  # rows that wait to be written, at most; chosen by hand: few transactions in a fast run
_SECONDS = 0.1  # since the last writing: a run that scores fewer than ten files a second writes each at once


class Face(Protocol):
    """The file that a live store becomes in the end."""

    def read(self, table: str, schema: Schema) -> Table | None:
        """What an earlier run left there; None where there is nothing. Raises ResultsError, while it is read too."""

    def write(self, results: Results) -> None:
        """Write the file from the store, in one step."""


class Results:
    """Scores and issues while a run writes them. Use as a context manager: the face is written when it ends.

    Args:
        name: the file that was asked for, as messages call it.
        schema: the columns of this run.
        database: the store, where that is not the file itself; `face` makes the file from it, and `lock` is held until then.

    Attributes:
        schema: the columns of this run.
        keep: whether the store stays when the run has ended.
        face: what the store becomes; None where it is the file that was asked for.
    """

    def __init__(
        self, name: str, schema: Schema, database: str = "", face: Face | None = None, lock: RunLock | None = None
    ) -> None:
        self.schema = schema
        self.face = face
        database = database or name
        self.keep = face is None
        self._name = name
        self._database = database
        self._lock = lock
        self._waiting: list[tuple[str, Row]] = []
        self._written = 0.0
        if os.path.dirname(database):
            os.makedirs(os.path.dirname(database), exist_ok=True)
        self.connection = sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)
        try:
            refuse_foreign(self.connection, name)
            insist(lambda: self.connection.execute("PRAGMA journal_mode=WAL"))
            self.connection.execute("PRAGMA synchronous=NORMAL")
            earlier = (lambda table: None) if face is None else (lambda table: face.read(table, schema))
            self._in_transaction(lambda: set_up(self.connection, schema, earlier, name))
        except BaseException as error:
            self.connection.close()
            if face is not None and not holds_rows(database):
                remove_store(database)
            if isinstance(error, sqlite3.OperationalError):
                raise ResultsError(f"{display(name)} can't be written: {error}") from error
            if isinstance(error, (sqlite3.DatabaseError, UnicodeDecodeError)):  # a damaged schema is quoted, as it is
                raise ResultsError(f"{display(name)} is no results database: {error}") from error
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # the first error is the one to report
            with contextlib.suppress(Exception):
                self.close()

    def write(self, record: Record, kept: bool | None = None, placed: str | None = None) -> None:
        """Add one scored file, or replace what is known of it."""
        self._add("scores", self.schema.score_row(record, kept, placed))

    def issue(self, issue: Issue) -> None:
        """Add one file that gave no score."""
        self._add("issues", self.schema.issue_row(issue))

    def find(self, source: Source) -> Done | None:
        """What is saved of a file; None where nothing is."""
        for table in TABLES:
            for done in self._select(table, "WHERE real_path = ?", [to_sql_value(source.real_path)]):
                return done
        return None

    def rows(self, table: str | None = None) -> Iterator[Done]:
        """All that is saved, in the order in which it was, as each table has it."""
        self.flush()
        for name in TABLES if table is None else (table,):
            yield from self._select(name, "ORDER BY id", [])

    def placed(self) -> Iterator[str]:
        """Where runs have placed files."""
        with reading():
            for (placed,) in self.connection.execute("SELECT placed FROM scores WHERE placed IS NOT NULL"):
                yield from_sql_text(placed)

    def columns(self, table: str) -> list[str]:
        """The columns of a table as they are now, without the number of the row."""
        with reading():
            return columns_of(self.connection, table)

    def type_of(self, table: str, column: str) -> type:
        """The type of a column's values; for those of other metrics what they turn out to be."""
        if column in self.schema.columns or column in ISSUE_COLUMNS:
            return self.schema.type_of(column)
        with reading():
            select = f"SELECT DISTINCT typeof({quote(column)}) FROM {table}"
            kinds = {kind for (kind,) in self.connection.execute(select)}
        return str if kinds & {"text", "blob"} else float if "real" in kinds else int

    def note(self, key: str, value: str) -> None:
        """Remember a fact of the run itself."""
        self._guard(lambda: self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value]))

    def noted(self, key: str) -> str | None:
        """A fact that this or an earlier run noted; None where there is none."""
        with reading():
            found = self.connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return None if found is None else str(found[0])

    def forget_folders(self, below: str) -> None:
        """Drop the issues of folders that an earlier run could not read: this run looks at them again."""
        top = os.path.join(below, "")
        paths = [str(done.row["path"]) for done in self.rows("issues")]
        gone = [path for path in paths if (path == below or path.startswith(top)) and os.path.isdir(path)]
        delete = "DELETE FROM issues WHERE path = ?"
        self._guard(lambda: self.connection.executemany(delete, [[to_sql_value(path)] for path in gone]))

    def flush(self) -> None:
        """Write what is waiting, in one transaction: the store is free for others in between."""
        if self._waiting:
            self._guard(lambda: self._in_transaction(self._write_waiting))
            self._waiting.clear()
            self._written = time.monotonic()

    def close(self) -> None:
        """Write out what is pending, then the face; the next run may have the file."""
        try:
            self._guard(self._finish)
        finally:
            self.connection.close()
            if self._lock is not None:
                self._lock.release()

    def _finish(self) -> None:
        self.flush()
        if self.face is not None:
            self.face.write(self)
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with contextlib.suppress(sqlite3.OperationalError):  # somebody else is reading it: it stays as it is
            self.connection.execute("PRAGMA journal_mode=DELETE")  # one plain file, readable on read-only media
        self.connection.close()
        if not self.keep:
            remove_store(self._database)

    def _add(self, table: str, row: Row) -> None:
        self._waiting.append((table, row))
        if len(self._waiting) >= _BATCH or time.monotonic() - self._written >= _SECONDS:
            self.flush()

    def _write_waiting(self) -> None:
        for table, row in self._waiting:
            self._insert(table, row)

    def _insert(self, table: str, row: Row) -> None:
        path, real = to_sql_value(row["path"]), to_sql_value(row["real_path"])
        execute = self.connection.execute
        other = "issues" if table == "scores" else "scores"
        execute(f"DELETE FROM {other} WHERE real_path = ? OR path = ?", [real, path])
        execute(f"DELETE FROM {table} WHERE path = ? AND real_path IS NOT ?", [path, real])
        if table == "scores":
            row = self._beside_other_metrics(row, real)
        execute(_upsert(table, tuple(row)), list(map(to_sql_value, row.values())))

    def _beside_other_metrics(self, row: Row, real: str | bytes) -> Row:
        """The row with the marks of other metrics that are saved of the same content, or with nothing in their columns."""
        select = "SELECT size, mtime_ns, sha256, weights FROM scores WHERE real_path = ?"
        found = self.connection.execute(select, [real]).fetchone()
        if found is None:
            return row
        same_time = found[:2] == (row.get("size"), row.get("mtime_ns"))
        same_content = found[2] is not None and found[2] == row.get("sha256")
        if same_content or (same_time and None in (found[2], row.get("sha256"))):
            return row | {"weights": write_mark(read_mark(found[3] or "") | dict(self.schema.weights))}
        return dict.fromkeys(self.columns("scores")) | row

    def _select(self, table: str, condition: str, values: list[Any]) -> Iterator[Done]:
        with reading():
            cursor = self.connection.execute(f"SELECT * FROM {table} {condition}", values)
            names = [column[0] for column in cursor.description]
            for found in cursor:
                texts = (from_sql_text(value) if isinstance(value, bytes) else value for value in found)
                yield done_of(table, dict(zip(names, texts, strict=True)))

    def _in_transaction(self, action: Callable[[], object]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            action()
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _guard(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (OSError, sqlite3.Error) as error:
            raise ResultsError(f"the results can't be written: {reason(error)}") from error


@lru_cache(maxsize=16)  # a run has a few sets of columns, and very many rows
def _upsert(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(quote, columns))
    updates = ", ".join(f"{quote(name)}=excluded.{quote(name)}" for name in columns if name != "real_path")
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT (real_path) DO UPDATE SET {updates}"


class TableFace:
    """A .csv, .jsonl or .parquet file with the issues beside it."""

    def __init__(self, path: str) -> None:
        self.paths = {"scores": path, "issues": issues_path(path)}

    def read(self, table: str, schema: Schema) -> Table | None:
        """Raises ResultsError where the file is not one that a run has written."""
        name = self.paths[table]
        if not os.path.exists(name):
            return None
        texts = [column for column in schema.score_columns if schema.type_of(column) is str]
        with table_errors(name):
            columns, rows = read_table(name, texts)
        if columns and not NEEDED.issubset(columns):
            raise ResultsError(f"{display(name)} has other columns than results have; use another name")
        return (columns, _told(name, rows)) if columns else None

    def write(self, results: Results) -> None:
        """The issues first: with the scores there, the run is over."""
        for table, name in reversed(self.paths.items()):
            if table == "issues" and not os.path.exists(name) and next(results.rows(table), None) is None:
                continue
            columns = {column: results.type_of(table, column) for column in results.columns(table)}
            rows = ([done.row[column] for column in columns] for done in results.rows(table))
            write_table(name, columns, rows, replace=True)


def _told(name: str, rows: Iterator[Row]) -> Iterator[Row]:
    with table_errors(name):
        yield from rows
