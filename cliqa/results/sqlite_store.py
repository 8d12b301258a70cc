"""SQLite: the store that other commands act on later."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from cliqa.errors import ResultsError
from cliqa.listing import display
from cliqa.results.schema import ISSUE_COLUMNS, Row, Schema
from cliqa.results.writer import Results


class SqliteResults(Results):
    """Tables `scores`, `issues` and `meta`; a path is there once, in one of the first two."""

    def __init__(self, path: str, schema: Schema) -> None:
        super().__init__(schema)
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._pending = 0
        try:
            self._set_up()
        except sqlite3.DatabaseError as error:
            self.connection.close()
            raise ResultsError(f"{display(path)} is no results database: {error}") from error

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
            cursor = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                row["path"] = from_sql_text(row["path"])
                self._remember(table, row)
        connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(f"weights.{name}", mark) for name, mark in self.schema.weights.items()],
        )
        connection.execute("COMMIT")

    def _add(self, table: str, row: Row) -> None:
        if not self._pending:
            self.connection.execute("BEGIN IMMEDIATE")
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
        self._pending += 1
        if self._pending >= 64:
            self.flush()

    def _replace(self, row: Row) -> None:
        self._add("scores", row)

    def flush(self) -> None:
        """Commit what is pending."""
        if self._pending:
            self.connection.execute("COMMIT")
            self._pending = 0

    def close(self) -> None:
        """Commit, fold the write-ahead log into the file, and close."""
        try:
            self.flush()
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.connection.close()


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
