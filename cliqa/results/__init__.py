"""Scores to a file and back: CSV, JSON Lines, SQLite, Parquet; the issues table; resume.

Every scored file is one row of `scores` (kept or not), every other one a row of `issues`. In CSV and JSON Lines the
issues lie beside (`scores.csv` -> `scores.issues.csv`), in SQLite in their own table, and Parquet is written at the end from a
JSON Lines journal that survives a crash.

Columns of scores: path, filename, kept, placed, one `metric.field` each, the facts of the file, notes, weights.
Paths that are no valid UTF-8 keep their exact bytes: raw in CSV, as lone surrogates in JSON, as a blob in SQLite,
and in the column `path_bytes` of Parquet.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from cliqa.errors import ResultsError, UsageError
from cliqa.files.atomic import sweep_beside
from cliqa.files.lock import RunLock
from cliqa.results.line_files import CsvResults, JsonlResults
from cliqa.results.parquet import ParquetResults, journal_path
from cliqa.results.schema import FACTS, ISSUE_COLUMNS, Done, Row, Schema
from cliqa.results.sqlite_store import SqliteResults
from cliqa.results.writer import Results, issues_path
from cliqa.text import display

__all__ = ["FACTS", "ISSUE_COLUMNS", "SUFFIXES", "Done", "Results", "Row", "Schema", "issues_path", "open_results"]

SUFFIXES = (".csv", ".jsonl", ".db", ".parquet")


def open_results(path: str, schema: Schema, resume: bool = False) -> Results:
    """Open a results file by its suffix.

    Raises:
        UsageError: unknown suffix, or the file exists and `resume` was not given.
        ResultsError: it can't be written, another run is writing it, or what lies there is not a results file of these metrics.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"results can be {', '.join(SUFFIXES)}, not {display(Path(path).name)}")
    _refuse_existing(path, suffix, resume)
    try:
        if suffix == ".db":  # a database has locks of its own, row by row: runs can share it
            return SqliteResults(path, schema)
        path = os.path.realpath(path)  # else the first rewriting would put a file in the place of a link
        lock = RunLock(path)
        try:
            _refuse_existing(path, suffix, resume)  # another run may have come and gone
            if resume:
                sweep_beside(path)
            results: Results
            if suffix == ".csv":
                results = CsvResults(path, schema)
            else:
                results = JsonlResults(path, schema) if suffix == ".jsonl" else ParquetResults(path, schema)
        except BaseException:
            lock.release()
            raise
        results.lock = lock
        return results
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ResultsError(f"{display(path)} can't be written: {reason}") from error


def _refuse_existing(path: str, suffix: str, resume: bool) -> None:
    """Raises UsageError where a file that this one would write to exists and is not to be gone on with."""
    siblings = [path] if suffix == ".db" else [path, issues_path(path)]
    siblings += [journal_path(path)] if suffix == ".parquet" else []
    for sibling in siblings:
        if os.path.lexists(sibling) and not resume:
            raise UsageError(f"{display(sibling)} exists; use --resume to go on with it, or another name")
