"""The output of `predict_jpeg_qf`: `predictions.csv` and `issues.csv`, or one SQLite database with two tables.

Predictions have path, filename, pred_qf_final; issues have path, filename, issue_type, issue_message. A file that exists is never
overwritten: the new one gets the time in its name, unless the run resumes.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import time
from pathlib import Path
from typing import IO

from cliqa.errors import ResultsError
from cliqa.listing import display
from cliqa.records import Issue, Source
from cliqa.results.sqlite_store import from_sql_text, to_sql_value

PREDICTION_FIELDS = ("path", "filename", "pred_qf_final")
ISSUE_FIELDS = ("path", "filename", "issue_type", "issue_message")


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


class CsvPredictions:
    """Two CSV files; both have their header even where nothing follows it."""

    def __init__(self, predictions: str, issues: str, resume: bool = False) -> None:
        self.paths = {"predictions": free_path(predictions, resume), "issues": free_path(issues, resume)}
        self.done: set[str] = set()
        self._streams: dict[str, IO[str]] = {}
        fields = {"predictions": PREDICTION_FIELDS, "issues": ISSUE_FIELDS}
        for table, path in self.paths.items():
            try:
                self._streams[table] = self._open(path, fields[table], remember=table == "predictions")
            except OSError as error:
                raise ResultsError(f"{display(path)} can't be written: {error.strerror}") from error

    def _open(self, path: str, fields: tuple[str, ...], remember: bool) -> IO[str]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        stream = open(path, "a+", newline="", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
        stream.seek(0)
        head = next(csv.reader(stream), None)
        if head is None:
            csv.writer(stream).writerow(fields)
            stream.flush()
        elif tuple(head) != fields:
            stream.close()
            raise ResultsError(f"{display(path)} has other columns than {', '.join(fields)}; use another name")
        elif remember:
            self.done |= {row[0] for row in csv.reader(stream) if len(row) == len(fields)}
            stream.seek(0, os.SEEK_END)
        return stream

    def predict(self, source: Source, quality: int) -> None:
        """Add one prediction."""
        self._write("predictions", [source.path, source.filename, quality])

    def issue(self, issue: Issue) -> None:
        """Add one file that gave none."""
        self._write("issues", [issue.path, issue.source.filename, issue.kind, issue.message])

    def _write(self, table: str, row: list[object]) -> None:
        try:
            csv.writer(self._streams[table]).writerow(row)
            self._streams[table].flush()
        except OSError as error:
            raise ResultsError(f"{display(self.paths[table])} can't be written: {error.strerror}") from error

    def close(self) -> None:
        """Close both files."""
        for stream in self._streams.values():
            stream.close()


class SqlitePredictions:
    """One database with the tables `predictions` and `issues`."""

    def __init__(self, path: str, resume: bool = False) -> None:
        self.paths = {"database": free_path(path, resume)}
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.paths["database"], isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            for table, fields in (("predictions", PREDICTION_FIELDS), ("issues", ISSUE_FIELDS)):
                body = ", ".join(f"{name} {'REAL' if name == 'pred_qf_final' else 'TEXT'}" for name in fields)
                self._connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY AUTOINCREMENT, {body})"
                )
            self.done = {from_sql_text(row[0]) for row in self._connection.execute("SELECT path FROM predictions")}
        except (OSError, sqlite3.Error) as error:
            raise ResultsError(f"{display(self.paths['database'])} can't be written: {error}") from error

    def predict(self, source: Source, quality: int) -> None:
        """Add one prediction."""
        self._write("predictions", PREDICTION_FIELDS, [source.path, source.filename, float(quality)])

    def issue(self, issue: Issue) -> None:
        """Add one file that gave none."""
        self._write("issues", ISSUE_FIELDS, [issue.path, issue.source.filename, issue.kind, issue.message])

    def _write(self, table: str, fields: tuple[str, ...], row: list[object]) -> None:
        marks = ", ".join("?" * len(fields))
        try:
            self._connection.execute(
                f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})", [to_sql_value(value) for value in row]
            )
        except sqlite3.Error as error:
            raise ResultsError(f"{display(self.paths['database'])} can't be written: {error}") from error

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
