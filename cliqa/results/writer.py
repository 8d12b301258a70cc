"""What every results file offers while it is written."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from cliqa.errors import ResultsError
from cliqa.files.lock import RunLock
from cliqa.records import Issue, Record
from cliqa.results.schema import Done, Row, Schema


class Results(ABC):
    """A results file being written. Use as a context manager; `done` holds what a resumed file already has."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._known: dict[str, Done] = {}
        self.done: Mapping[str, Done] = self._known
        self.lock: RunLock | None = None  # held until the results are closed

    def write(self, record: Record, kept: bool | None = None, placed: str | None = None) -> None:
        """Add one scored file."""
        self._guard(lambda: self._add("scores", self.schema.score_row(record, kept, placed)))

    def issue(self, issue: Issue) -> None:
        """Add one file that gave no score."""
        self._guard(lambda: self._add("issues", self.schema.issue_row(issue)))

    def update(self, record: Record, kept: bool | None, placed: str | None) -> None:
        """Replace the row of a file that an earlier run scored."""
        self._guard(lambda: self._replace(self.schema.score_row(record, kept, placed)))

    def note(self, key: str, value: str) -> None:  # noqa: B027 - only a database has a place for it
        """Remember a fact of the run itself, where the format has a place for it."""

    def noted(self, key: str) -> str | None:
        """A fact that this or an earlier run noted; None where there is none."""
        return None

    def forget_folders(self, below: str) -> None:
        """Drop the issues of folders that an earlier run could not read: this run looks at them again."""

        def drop() -> None:
            for path in self._issue_paths():
                if (path == below or path.startswith(os.path.join(below, ""))) and os.path.isdir(path):
                    self._forget(path)

        self._guard(drop)

    def _issue_paths(self) -> list[str]:
        return [path for path, done in self._known.items() if done.table == "issues"]

    @abstractmethod
    def _forget(self, path: str) -> None:
        """Drop the row of a path that an earlier run had an issue with."""

    def __enter__(self) -> Results:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._guard(self.close)
        else:  # the first error is the one to report
            with contextlib.suppress(Exception):
                self.abandon()

    @abstractmethod
    def _add(self, table: str, row: Row) -> None: ...

    @abstractmethod
    def _replace(self, row: Row) -> None: ...

    @abstractmethod
    def _finish(self) -> None:
        """Write out what is pending."""

    def _leave(self) -> None:
        """Close after an error; what was added so far stays readable for --resume."""
        self._finish()

    def close(self) -> None:
        """Write out what is pending; the next run may have the file."""
        try:
            self._finish()
        finally:
            self._unlock()

    def abandon(self) -> None:
        """Close after an error; what was added so far stays readable for --resume."""
        try:
            self._leave()
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self.lock is not None:
            self.lock.release()

    def _guard(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ResultsError(f"the results can't be written: {reason}") from error

    def _remember(self, table: str, row: Row) -> None:
        self._known[row["path"]] = done_of(table, row)


def issues_path(path: str) -> str:
    """Where the issues of a results file lie: `scores.csv` -> `scores.issues.csv`."""
    stem, suffix = os.path.splitext(path)
    return f"{stem}.issues{suffix}"


def done_of(table: str, row: Row) -> Done:
    """What a saved row says of its file."""
    return Done(
        _integer(row.get("size")), _integer(row.get("mtime_ns")), row.get("sha256") or None,
        str(row.get("weights") or ""), table, row,
    )  # fmt: skip


def _integer(value: Any) -> int | None:
    return int(value) if value not in (None, "") else None
