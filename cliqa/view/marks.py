"""Marks that a person gives: keep or drop, and stars. Written to the disk before the page hears that they are; every change undone.

They lie in tables of their own in the store, under the files' real paths, beside the scores and never in them.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from cliqa.errors import ResultsError
from cliqa.results.database import from_sql_text, to_sql_value
from cliqa.results.live import Results
from cliqa.results.schema import Schema
from cliqa.text import display, reason
from cliqa.view.home import state_folder

FLAGS = ("keep", "drop")
MOST_STARS = 5
_PATIENCE = 30.0  # seconds that a run may hold the store

_TABLES = """
CREATE TABLE IF NOT EXISTS marks (real_path PRIMARY KEY, flag TEXT, stars INTEGER NOT NULL DEFAULT 0, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS mark_changes (
    id INTEGER PRIMARY KEY, change INTEGER NOT NULL, real_path NOT NULL, flag TEXT, stars INTEGER NOT NULL, had INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS mark_changes_change ON mark_changes (change);
"""


@dataclass(frozen=True)
class Mark:
    """What a person said of one file: `flag` keep, drop or None; `stars` 0 (none) to 5."""

    flag: str | None = None
    stars: int = 0

    def __post_init__(self) -> None:
        if self.flag not in (None, *FLAGS) or not 0 <= self.stars <= MOST_STARS:
            raise ValueError(f"no mark: {self.flag!r}, {self.stars!r}")

    def __bool__(self) -> bool:
        return self.flag is not None or self.stars > 0


class MarkBook:
    """The marks of one store. Every method may be called from any thread.

    Args:
        database: the store, or a database of marks alone; one that isn't there is made as an empty store, so that a run can fill it.

    Raises:
        ResultsError: it can't be opened for writing.
    """

    def __init__(self, database: str) -> None:
        self._lock = threading.Lock()
        try:
            if not os.path.exists(database):
                os.makedirs(os.path.dirname(os.path.abspath(database)), exist_ok=True)
                Results(database, Schema({}, {})).close()
            self._connection = sqlite3.connect(
                database, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA synchronous = FULL")  # a mark that was confirmed survives a power cut
            self._connection.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            where = "; CLIQA_STATE names another folder" if os.path.abspath(database).startswith(state_folder()) else ""
            raise ResultsError(f"marks can't be saved in {display(database)}: {reason(error)}{where}") from error

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def all(self) -> dict[str, Mark]:
        """Every mark, by real path."""
        with self._lock:
            rows = self._connection.execute("SELECT real_path, flag, stars FROM marks").fetchall()
        return {from_sql_text(path): Mark(flag, stars) for path, flag, stars in rows}

    def change(self, paths: Iterable[str], difference: Mapping[str, str | int | None]) -> dict[str, Mark]:
        """Set the flag, the stars or both of some files, as one change; returns their marks. On the disk when it returns."""
        marks: dict[str, Mark] = {}
        with self._lock, self._connection:  # which commits or rolls back
            self._connection.execute("BEGIN IMMEDIATE")
            number = self._last_change() + 1
            for path in dict.fromkeys(paths):
                before = self._read(path)
                after = Mark(**{"flag": before.flag, "stars": before.stars} | dict(difference))  # type: ignore[arg-type]
                if after != before:
                    self._connection.execute(
                        "INSERT INTO mark_changes (change, real_path, flag, stars, had) VALUES (?, ?, ?, ?, ?)",
                        (number, to_sql_value(path), before.flag, before.stars, int(bool(before))),
                    )
                    self._write(path, after)
                marks[path] = after
        return marks

    def undo(self) -> dict[str, Mark]:
        """Take back the last change that was not taken back yet, of this or an earlier session; returns the marks as they are now."""
        with self._lock, self._connection:  # which commits or rolls back
            self._connection.execute("BEGIN IMMEDIATE")
            number = self._last_change()
            select = "SELECT real_path, flag, stars FROM mark_changes WHERE change = ? ORDER BY id DESC"
            rows = self._connection.execute(select, (number,)).fetchall()
            marks = {from_sql_text(path): Mark(flag, stars) for path, flag, stars in rows}
            for path, mark in marks.items():
                self._write(path, mark)
            self._connection.execute("DELETE FROM mark_changes WHERE change = ?", (number,))
        return marks

    def _read(self, path: str) -> Mark:
        select = "SELECT flag, stars FROM marks WHERE real_path = ?"
        found = self._connection.execute(select, (to_sql_value(path),)).fetchone()
        return Mark(*found) if found else Mark()

    def _write(self, path: str, mark: Mark) -> None:
        if mark:
            row = (to_sql_value(path), mark.flag, mark.stars, time.time())
            self._connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?)", row)
        else:
            self._connection.execute("DELETE FROM marks WHERE real_path = ?", (to_sql_value(path),))

    def _last_change(self) -> int:
        with closing(self._connection.execute("SELECT coalesce(max(change), 0) FROM mark_changes")) as found:
            return int(found.fetchone()[0])
