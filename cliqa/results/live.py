"""The live store: SQLite, to which every run writes while it lasts, and from which the file that was asked for is made.

A `.db` file is its own store. Beside any other a hidden one lies while the run lasts (`.scores.csv.cliqa-live`); when the run ends,
however it ends, its face is written from there in one step. What a killed run leaves hidden is gone on with by `--resume`, and read by
every command that reads results.

A file is known by its real path: one row, however the path is spelled. A store can hold more metrics than this run computes:
their scores stay as long as the file's content does.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

from cliqa.errors import ResultsError
from cliqa.files.lock import RunLock
from cliqa.records import Issue, Record, Source, real_path
from cliqa.results.conditions import quote
from cliqa.results.faces import Table, issues_path, read_table, write_table
from cliqa.results.schema import ISSUE_COLUMNS, Done, Row, Schema, done_of, read_mark, write_mark
from cliqa.text import display

TABLES = ("scores", "issues")
NEEDED = {"path", "filename", "size", "mtime_ns", "weights"}  # columns of every table that a run has written
_SQL_TYPES = {int: "INTEGER", float: "REAL", str: "TEXT"}
_BATCH = 256  # rows that wait to be written, at most
_SECONDS = 0.1  # since the last writing: a run that scores fewer than ten files a second writes each at once
_PATIENCE = 30.0  # seconds that another run may hold a database


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
        self.connection = sqlite3.connect(database, timeout=_PATIENCE, isolation_level=None)
        try:
            self._refuse_foreign()
            _insist(lambda: self.connection.execute("PRAGMA journal_mode=WAL"))
            self.connection.execute("PRAGMA synchronous=NORMAL")
            self.connection.create_function("real_path_of", 1, self._real_path)
            self._in_transaction(self._set_up)
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
            return [row[1] for row in self.connection.execute(f"PRAGMA table_info({table})") if row[1] != "id"]

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
        names = ", ".join(map(quote, row))
        updates = ", ".join(f"{quote(name)}=excluded.{quote(name)}" for name in row if name != "real_path")
        execute(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))}) ON CONFLICT (real_path) DO UPDATE SET {updates}",
            list(map(to_sql_value, row.values())),
        )

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

    def _set_up(self) -> None:
        """Make the tables, with what the face has from an earlier run, or bring those of an older release up to date."""
        execute = self.connection.execute
        for table, wanted in (("scores", self.schema.columns), ("issues", list(ISSUE_COLUMNS))):
            if not self.columns(table):
                earlier = self.face.read(table, self.schema) if self.face is not None else None
                with table_errors(self._name) if earlier is not None else contextlib.nullcontext():
                    make_table(self.connection, table, earlier or (wanted, iter(())), self._type_of)
            for name in set(wanted).difference(self.columns(table)):
                execute(f"ALTER TABLE {table} ADD COLUMN {quote(name)} {self._type_of(name)}")
        execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")
        facts = {f"weights.{name}": mark for name, mark in self.schema.weights.items()}
        for name, fields in self.schema.metrics.items():
            facts |= {f"field.{name}.{field.name}": json.dumps(asdict(field)) for field in fields}
        self.connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))
        for table in TABLES:
            if not execute("SELECT 1 FROM sqlite_master WHERE name = ?", [f"{table}_real_path"]).fetchone():
                self._index(table)
        execute("UPDATE scores SET weights = NULL WHERE real_path IN (SELECT real_path FROM issues)")
        execute("DELETE FROM issues WHERE real_path IN (SELECT real_path FROM scores)")  # nothing tells which came last

    def _index(self, table: str) -> None:
        """One row for each real path: of those that an older release wrote under several spellings the last."""
        execute = self.connection.execute
        execute(f"UPDATE {table} SET real_path = real_path_of(path) WHERE real_path IS NULL")
        execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT max(id) FROM {table} GROUP BY real_path)")
        execute(f"CREATE UNIQUE INDEX {table}_real_path ON {table} (real_path)")
        execute(f"CREATE INDEX IF NOT EXISTS {table}_path ON {table} (path)")

    def _real_path(self, path: Any) -> Any:
        base = json.loads(self.noted("base") or '""')
        return to_sql_value(real_path(os.path.join(str(base), from_sql_text(path))))

    def _type_of(self, column: str) -> str:
        """The declared type of a column; none for those of other metrics, so that their values stay as they are."""
        known = column in self.schema.columns or column in ISSUE_COLUMNS
        return _SQL_TYPES[self.schema.type_of(column)] if known else ""

    def _refuse_foreign(self) -> None:
        tables = {row[0] for row in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and not tables.issuperset((*TABLES, "meta")):
            raise ResultsError(f"{display(self._name)} is a database of something else; use another name")

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
            reason = getattr(error, "strerror", None) or str(error)
            raise ResultsError(f"the results can't be written: {reason}") from error


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


def _told(name: str, rows: Iterator[Row]) -> Iterator[Row]:
    with table_errors(name):
        yield from rows


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Whatever SQLite has against reading becomes a ResultsError, and so do values that are none of ours."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise ResultsError(f"the results can't be read: {error}") from error


def _insist(action: Callable[[], object]) -> None:
    """Changing the kind of journal asks for the whole database at once, and SQLite does not wait for that by itself."""
    end = time.monotonic() + _PATIENCE
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
