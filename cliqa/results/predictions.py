"""The output of `predict_jpeg_qf`: `predictions.csv` and `issues.csv`, or one SQLite database with two tables, or both.

Predictions have path, filename, pred_qf_final; issues have path, filename, issue_type, issue_message. A file that exists is never
overwritten: the new one gets the time in its name, unless the run resumes. These files don't tell size, time and weights, by which
a resumed run knows its own: the live store stays, hidden beside the first of them.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cliqa.errors import ResultsError
from cliqa.files.lock import RunLock
from cliqa.results.database import from_sql_text, live_path, remove_store, table_errors, to_sql_value
from cliqa.results.faces import Table, read_table, write_table
from cliqa.results.live import Results
from cliqa.results.schema import ISSUE_COLUMNS, Row, Schema
from cliqa.text import display, reason

QUALITY = "jpeg_qf.qf_final"  # where the live store has what is predicted
COLUMNS: dict[str, dict[str, type]] = {
    "predictions": {"path": str, "filename": str, "pred_qf_final": int},
    "issues": {"path": str, "filename": str, "issue_type": str, "issue_message": str},
}
_TABLES = {"scores": "predictions", "issues": "issues"}


def open_predictions(paths: Mapping[str, str], schema: Schema, resume: bool = False) -> Results:
    """Open the outputs: `paths` has predictions and issues (CSV files), or database, or all three.

    Raises ResultsError: one can't be written, another run is writing it, or what lies there is something else.
    """
    taken = dict(paths)
    made: list[str] = []
    lock = None
    try:
        for name, path in paths.items():
            if not (resume and os.path.lexists(path)):
                os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
                taken[name] = _reserve(path)
                made.append(taken[name])
        first = next(iter(taken.values()))
        lock = RunLock(os.path.realpath(first))
        live = live_path(os.path.realpath(first))
        if first in made:  # what lies there is of outputs that were taken away
            remove_store(live)
        results = Results(first, schema, live, PredictionFace(taken), lock)
    except BaseException as error:
        if lock is not None:
            lock.release()
        for path in made:
            with contextlib.suppress(OSError):
                os.unlink(path)
        if isinstance(error, (OSError, sqlite3.Error)):
            raise ResultsError(f"{display(taken[name])} can't be written: {reason(error)}") from error
        raise
    results.keep = True
    return results


def _reserve(path: str) -> str:
    """Make an empty file of this name, or of the next that is free, so that no other run takes it; returns the name."""
    while True:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return path
        path = free_path(path)


def free_path(path: str) -> str:
    """`path`, or with the time before its suffix (and a number, within one second) where it is taken."""
    stem, suffix = os.path.splitext(path)
    stamp = time.strftime("%Y%m%d_%H%M%S")
    number = -1
    while os.path.lexists(path):
        number += 1
        path = f"{stem}_{stamp}_{number}{suffix}" if number else f"{stem}_{stamp}{suffix}"
    return path


class PredictionFace:
    """The documented files, made from a store of scores."""

    def __init__(self, paths: dict[str, str]) -> None:
        self.paths = paths

    def read(self, table: str, schema: Schema) -> Table | None:
        """What a run has left whose store is gone: paths and predictions, without what would tell the files again."""
        name = _TABLES[table]
        rows: dict[str, Row] = {}
        for output, read in (("database", _read_database), (name, _read_csv)):
            path = self.paths.get(output)
            if path is not None and os.path.getsize(path):
                with table_errors(path):
                    rows |= {row["path"]: row for row in read(path, name)}
        columns = schema.columns if table == "scores" else list(ISSUE_COLUMNS)
        return (columns, iter(rows.values())) if rows else None

    def write(self, results: Results) -> None:
        """All of them, each in one step, the predictions last."""
        for table, name in reversed(_TABLES.items()):
            names = [QUALITY if column == "pred_qf_final" else column for column in COLUMNS[name]]
            for output in (name, "database"):
                if output in self.paths:
                    rows = ([done.row[column] for column in names] for done in results.rows(table))
                    path = os.path.realpath(self.paths[output])
                    if output == "database":
                        _write_database(path, name, rows)
                    else:
                        write_table(path, COLUMNS[name], rows, replace=True)


def _read_csv(path: str, name: str) -> Iterator[Row]:
    columns, rows = read_table(path)
    if columns != list(COLUMNS[name]):
        raise ResultsError(f"{display(path)} has other columns than {', '.join(COLUMNS[name])}; use another name")
    return (row | {QUALITY: row.get("pred_qf_final")} for row in rows)


def _read_database(path: str, name: str) -> Iterator[Row]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        if {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}.isdisjoint(
            COLUMNS
        ):
            raise ResultsError(f"{display(path)} is a database of something else; use another name")
        for values in connection.execute(f"SELECT {', '.join(COLUMNS[name])} FROM {name} ORDER BY id"):
            row = dict(
                zip(COLUMNS[name], (from_sql_text(v) if isinstance(v, bytes) else v for v in values), strict=True)
            )
            yield row | {QUALITY: row.get("pred_qf_final")}


def _write_database(path: str, name: str, rows: Iterable[list[Any]]) -> None:
    """One table of the database, anew, in one transaction."""
    body = ", ".join(f"{column} {'TEXT' if kind is str else 'REAL'}" for column, kind in COLUMNS[name].items())
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} (id INTEGER PRIMARY KEY AUTOINCREMENT, {body})")
        connection.execute(f"DELETE FROM {name}")
        marks = ", ".join("?" * len(COLUMNS[name]))
        cells = ([number, *map(to_sql_value, row)] for number, row in enumerate(rows, 1))
        connection.executemany(f"INSERT INTO {name} VALUES (?, {marks})", cells)
