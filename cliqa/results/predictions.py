"""The output of `predict_jpeg_qf`: `predictions.csv` and `issues.csv`, or one SQLite database with two tables.

Predictions have path, filename, pred_qf_final; issues have path, filename, issue_type, issue_message. A file that exists is never
overwritten: the new one gets the time in its name, unless the run resumes.
"""

from __future__ import annotations

import contextlib
import csv
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from cliqa.errors import ResultsError
from cliqa.files.atomic import replacing
from cliqa.files.lock import RunLock
from cliqa.records import Issue, Source
from cliqa.results.line_files import ends_with_newline
from cliqa.results.sqlite_store import from_sql_text, to_sql_value
from cliqa.text import display

PREDICTION_FIELDS = ("path", "filename", "pred_qf_final")
ISSUE_FIELDS = ("path", "filename", "issue_type", "issue_message")
_FIELDS = {"predictions": PREDICTION_FIELDS, "issues": ISSUE_FIELDS}


def free_path(path: str, resume: bool = False) -> str:
    """`path`, or with the time before its suffix (and a number, within one second) where it is taken."""
    if resume or not os.path.lexists(path):
        return path
    stem, suffix = os.path.splitext(path)
    stamp = time.strftime("%Y%m%d_%H%M%S")
    candidate, number = f"{stem}_{stamp}{suffix}", 1
    while os.path.lexists(candidate):
        candidate, number = f"{stem}_{stamp}_{number}{suffix}", number + 1
    return candidate


def _created(path: str) -> IO[str] | None:
    """A new file, None where there is one."""
    try:
        return open(path, "x", newline="", encoding="utf-8", errors="surrogateescape")
    except FileExistsError:
        return None


class CsvPredictions:
    """Two CSV files; both have their header even where nothing follows it."""

    def __init__(self, predictions: str, issues: str, resume: bool = False) -> None:
        self.paths = {"predictions": free_path(predictions, resume), "issues": free_path(issues, resume)}
        self.done: set[str] = set()
        self._issues: set[str] = set()  # paths that an earlier run had an issue with
        self._settled: set[str] = set()  # those of them that this run has an answer for
        self._streams: dict[str, IO[str]] = {}
        self._locks: list[RunLock] = []
        try:
            for table in self.paths:
                self._streams[table] = self._open(table, resume)
        except OSError as error:
            self.close()
            raise ResultsError(f"{display(self.paths[table])} can't be written: {error.strerror}") from error
        except BaseException:
            self.close()
            raise

    def _open(self, table: str, resume: bool) -> IO[str]:
        stream: IO[str]
        if resume:
            self._locks.append(RunLock(self.paths[table]))
            self._take_up(table)
            stream = open(self.paths[table], "a", newline="", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
        else:
            Path(self.paths[table]).parent.mkdir(parents=True, exist_ok=True)
            while (created := _created(self.paths[table])) is None:  # another run has just taken the name
                self.paths[table] = free_path(self.paths[table])
            stream = created
            self._locks.append(RunLock(self.paths[table]))
        if stream.tell() == 0:
            csv.writer(stream).writerow(_FIELDS[table])
            stream.flush()
        return stream

    def _take_up(self, table: str) -> None:
        """Remember what an earlier run wrote; a last row that it left half written is dropped."""
        path, fields = self.paths[table], _FIELDS[table]
        if not os.path.exists(path):
            return
        rows, whole = _rows(path), ends_with_newline(path)
        if rows and (not whole or len(rows[-1]) != len(fields)):
            rows, whole = rows[:-1], False
        if rows and tuple(rows[0]) != fields:
            raise ResultsError(f"{display(path)} has other columns than {', '.join(fields)}; use another name")
        if not whole:
            _rewrite(path, rows)
        paths = {row[0] for row in rows[1:] if len(row) == len(fields)}
        if table == "predictions":
            self.done |= paths
        else:
            self._issues |= paths

    def predict(self, source: Source, quality: int) -> None:
        """Add one prediction."""
        self._settle(source.path)
        self._write("predictions", [source.path, source.filename, quality])

    def issue(self, issue: Issue) -> None:
        """Add one file that gave none."""
        self._settle(issue.path)
        self._write("issues", [issue.path, issue.source.filename, issue.kind, issue.message])

    def _settle(self, path: str) -> None:
        if path in self._issues:
            self._settled.add(path)

    def _write(self, table: str, row: list[object]) -> None:
        try:
            csv.writer(self._streams[table]).writerow(row)
            self._streams[table].flush()
        except OSError as error:
            raise ResultsError(f"{display(self.paths[table])} can't be written: {error.strerror}") from error

    def close(self) -> None:
        """Close both files; an issue of an earlier run that this one has settled is removed."""
        with contextlib.ExitStack() as stack:
            for lock in self._locks:
                stack.callback(lock.release)
            for stream in self._streams.values():
                stack.callback(stream.close)
            if self._settled:
                self._streams["issues"].flush()
                _rewrite(self.paths["issues"], self._current_issues())

    def _current_issues(self) -> Iterator[list[str]]:
        """The header, and the last row of each path that has no prediction since."""
        head, *rows = _rows(self.paths["issues"])
        latest = {row[0]: row for row in rows}
        predicted = {row[0] for row in _rows(self.paths["predictions"])[1:]} & self._settled
        yield head
        yield from (row for path, row in latest.items() if path not in predicted)


def _rows(path: str) -> list[list[str]]:
    try:
        with open(path, newline="", encoding="utf-8", errors="surrogateescape") as stream:
            return list(csv.reader(stream))
    except csv.Error as error:
        raise ResultsError(f"{display(path)} is damaged: {error}") from error


def _rewrite(path: str, rows: Iterable[list[str]]) -> None:
    with replacing(path) as part, open(part, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        csv.writer(stream).writerows(rows)


class SqlitePredictions:
    """One database with the tables `predictions` and `issues`."""

    def __init__(self, path: str, resume: bool = False) -> None:
        self.paths = {"database": free_path(path, resume)}
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.paths["database"], isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            for table, fields in _FIELDS.items():
                body = ", ".join(f"{name} {'REAL' if name == 'pred_qf_final' else 'TEXT'}" for name in fields)
                self._connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY AUTOINCREMENT, {body})"
                )
            self._connection.execute("CREATE INDEX IF NOT EXISTS issues_path ON issues (path)")
            self.done = {from_sql_text(row[0]) for row in self._connection.execute("SELECT path FROM predictions")}
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:  # a damaged schema is quoted in the message
            raise ResultsError(f"{display(self.paths['database'])} can't be written: {error}") from error

    def predict(self, source: Source, quality: int) -> None:
        """Add one prediction."""
        self._write("predictions", PREDICTION_FIELDS, [source.path, source.filename, float(quality)])

    def issue(self, issue: Issue) -> None:
        """Add one file that gave none."""
        self._write("issues", ISSUE_FIELDS, [issue.path, issue.source.filename, issue.kind, issue.message])

    def _write(self, table: str, fields: tuple[str, ...], row: list[object]) -> None:
        marks = ", ".join("?" * len(fields))
        values = [to_sql_value(value) for value in row]
        try:
            with self._connection:  # one transaction
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("DELETE FROM issues WHERE path = ?", values[:1])  # an earlier run's
                self._connection.execute(f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})", values)
        except sqlite3.Error as error:
            raise ResultsError(f"{display(self.paths['database'])} can't be written: {error}") from error

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
