"""Scores to a file and back: one live store, four faces, one rule for resuming.

Every scored file is one row of `scores` (kept or not), every other one a row of `issues`, in the order in which they were done.
Columns of scores: path, filename, kept, placed, one `metric.field` each, the facts of the file, notes, weights, real_path.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from cliqa.errors import ResultsError, UsageError
from cliqa.files.atomic import sweep_beside
from cliqa.files.lock import RunLock
from cliqa.results.database import holds_rows, live_path
from cliqa.results.faces import TABLE_SUFFIXES, import_parquet, issues_path
from cliqa.results.live import Results, TableFace
from cliqa.results.schema import FACTS, ISSUE_COLUMNS, Done, Row, Schema
from cliqa.text import display, reason

__all__ = ["FACTS", "ISSUE_COLUMNS", "SUFFIXES", "Done", "Results", "Row", "Schema", "issues_path", "open_results"]

SUFFIXES = (".csv", ".jsonl", ".db", ".parquet")


def open_results(path: str, schema: Schema, resume: bool = False) -> Results:
    """Open a results file by its suffix.

    Raises:
        UsageError: unknown suffix, or the file exists and `resume` was not given.
        ResultsError: it can't be written, another run is writing it, or what lies there is not a results file.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"results can be {', '.join(SUFFIXES)}, not {display(Path(path).name)}")
    if suffix == ".parquet":
        import_parquet()
    real = os.path.realpath(path)  # else the face would take the place of a link
    try:
        if suffix not in TABLE_SUFFIXES:  # a database has locks of its own: runs can share it
            _refuse_existing([path], resume)
            return Results(path, schema)
        names = [path, issues_path(path)]
        _refuse_existing(names, resume)
        lock = RunLock(real)
        try:
            _refuse_existing(names, resume)  # another run may have come and gone
            if not resume and holds_rows(live_path(real)):
                raise UsageError(f"a run into {display(path)} was ended before its time; use --resume to go on with it")
            if resume:
                sweep_beside(real)
            return Results(path, schema, live_path(real), TableFace(real), lock)
        except BaseException:
            lock.release()
            raise
    except (OSError, sqlite3.Error) as error:
        raise ResultsError(f"{display(path)} can't be written: {reason(error)}") from error


def _refuse_existing(names: list[str], resume: bool) -> None:
    """Raises UsageError where a file that this run would write to exists and is not to be gone on with."""
    for name in names:
        if os.path.lexists(name) and not resume:
            raise UsageError(f"{display(name)} exists; use --resume to go on with it, or another name")
