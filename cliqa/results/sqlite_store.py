"""SQLite: the store that other commands act on later."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, ValuesView
from dataclasses import asdict
from typing import Any

from cliqa.errors import ResultsError
from cliqa.results.schema import ISSUE_COLUMNS, Done, Row, Schema, read_mark, write_mark
from cliqa.results.writer import Results, done_of
from cliqa.text import display

_TABLES = ("scores", "issues")


class SqliteResults(Results):
    """Tables `scores`, `issues` and `meta`; a path is there once, in one of the first two.

    A store can hold more metrics than this run computes: their scores stay as long as the file's content does.
    """

    def __init__(self, path: str, schema: Schema) -> None:
        super().__init__(schema)
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            self._refuse_foreign(path)
            self._set_up()
        except sqlite3.OperationalError as error:
            self.connection.close()
            raise ResultsError(f"{display(path)} can't be written: {error}") from error
        except (
            sqlite3.DatabaseError,
            UnicodeDecodeError,
        ) as error:  # a damaged schema is quoted in the message, as it is
            self.connection.close()
            raise ResultsError(f"{display(path)} is no results database: {error}") from error

    def _refuse_foreign(self, path: str) -> None:
        tables = {row[0] for row in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and not tables.issuperset((*_TABLES, "meta")):
            self.connection.close()
            raise ResultsError(f"{display(path)} is a database of something else; use another name")

    def _set_up(self) -> None:
        connection = self.connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        tables = {
            "scores": {name: self.schema.type_of(name) for name in self.schema.columns},
            "issues": {name: self.schema.type_of(name) for name in ISSUE_COLUMNS},
        }
        sql_type = {int: "INTEGER", float: "REAL", str: "TEXT"}
        connection.execute("BEGIN IMMEDIATE")
        for table, columns in tables.items():
            body = ", ".join(f"{_quote(name)} {sql_type[kind]}" for name, kind in columns.items() if name != "path")
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, path NOT NULL UNIQUE, {body})"
            )
            known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            for name, kind in columns.items():
                if name not in known:
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {_quote(name)} {sql_type[kind]}")
        connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(f"weights.{name}", mark) for name, mark in self.schema.weights.items()]
            + [
                (f"field.{name}.{field.name}", json.dumps(asdict(field)))
                for name, fields in self.schema.metrics.items()
                for field in fields
            ],
        )
        connection.execute("COMMIT")
        self.done = SavedRows(connection)

    def _add(self, table: str, row: Row) -> None:
        """Each row is a transaction of its own: a killed run loses none, and no other waits for this one."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            self._insert(table, row)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _insert(self, table: str, row: Row) -> None:
        if table == "scores":
            row = self._beside_other_metrics(row)
        columns = self.schema.columns if table == "scores" else list(ISSUE_COLUMNS)
        names = ", ".join(_quote(name) for name in columns)
        marks = ", ".join("?" * len(columns))
        values = [to_sql_value(row.get(name)) for name in columns]
        updates = ", ".join(f"{_quote(name)}=excluded.{_quote(name)}" for name in columns if name != "path")
        other = "issues" if table == "scores" else "scores"
        self.connection.execute(f"DELETE FROM {other} WHERE path = ?", [to_sql_value(row["path"])])
        self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (path) DO UPDATE SET {updates}", values
        )

    def _replace(self, row: Row) -> None:
        self._add("scores", row)

    def _beside_other_metrics(self, row: Row) -> Row:
        """The row with the marks of the metrics that an earlier run saved, where the file is still the same one."""
        path = to_sql_value(row["path"])
        found = self.connection.execute(
            "SELECT size, mtime_ns, sha256, weights FROM scores WHERE path = ?", [path]
        ).fetchone()
        if found is None:
            return row
        same_time = found[:2] == (row.get("size"), row.get("mtime_ns"))
        same_content = found[2] is not None and found[2] == row.get("sha256")
        if not (same_content or (same_time and None in (found[2], row.get("sha256")))):
            self.connection.execute("DELETE FROM scores WHERE path = ?", [path])
            return row
        return row | {"weights": write_mark(read_mark(found[3] or "") | dict(self.schema.weights))}

    def _issue_paths(self) -> list[str]:
        return [from_sql_text(path) for (path,) in self.connection.execute("SELECT path FROM issues")]

    def _forget(self, path: str) -> None:
        self.connection.execute("DELETE FROM issues WHERE path = ?", [to_sql_value(path)])

    def note(self, key: str, value: str) -> None:
        """Remember a fact of the run in the table `meta`."""
        self._guard(lambda: self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value]))

    def noted(self, key: str) -> str | None:
        """A fact in the table `meta`."""
        with reading():
            found = self.connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return None if found is None else str(found[0])

    def _finish(self) -> None:
        """Fold the write-ahead log into the file, and close."""
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with contextlib.suppress(sqlite3.OperationalError):  # somebody else is reading it: it stays as it is
                self.connection.execute("PRAGMA journal_mode=DELETE")  # one plain file, readable on read-only media
        finally:
            self.connection.close()


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Whatever SQLite has against reading becomes a ResultsError, and so do values that are none of ours."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise ResultsError(f"the results can't be read: {error}") from error


class SavedRows(Mapping[str, Done]):
    """What a store holds of each path, looked up when asked for: a store may be larger than memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getitem__(self, path: str) -> Done:
        with reading():
            for table in _TABLES:
                for done in self._read(table, "WHERE path = ?", [to_sql_value(path)]):
                    return done
        raise KeyError(path)

    def __iter__(self) -> Iterator[str]:
        with reading():
            for table in _TABLES:
                for (path,) in self._connection.execute(f"SELECT path FROM {table} ORDER BY id"):
                    yield from_sql_text(path)

    def __len__(self) -> int:
        with reading():
            return sum(self._connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _TABLES)

    def values(self) -> ValuesView[Done]:
        """All that is held, in one pass: of a damaged file the index may name paths that no row has."""
        return _SavedValues(self)

    def read_all(self) -> Iterator[Done]:
        """The rows and issues in the order in which they were saved."""
        with reading():
            for table in _TABLES:
                yield from self._read(table, "ORDER BY id", [])

    def _read(self, table: str, condition: str, values: list[Any]) -> Iterator[Done]:
        cursor = self._connection.execute(f"SELECT * FROM {table} {condition}", values)
        names = [column[0] for column in cursor.description]
        for found in cursor:
            row = {
                name: from_sql_text(value) if isinstance(value, bytes) else value
                for name, value in zip(names, found, strict=True)
            }
            yield done_of(table, row)


class _SavedValues(ValuesView[Done]):
    _mapping: SavedRows

    def __iter__(self) -> Iterator[Done]:
        return self._mapping.read_all()


def to_sql_value(value: Any) -> Any:
    """Text that SQLite can't hold (bytes that are not UTF-8) goes in as a blob."""
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return os.fsencode(value)
    return value


def from_sql_text(value: Any) -> str:
    """The inverse of `to_sql_value` for text."""
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
