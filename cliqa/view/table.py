"""The rows that the page shows: the files of a folder or a store, in one order for the whole session, and their scores so far.

The page knows a file by its row alone. A row leads to a path that this program has listed or read from the store, never the other
way round.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import ResultsError
from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.inputs.listing import Listing
from cliqa.metrics import Field, list_metrics, metric_class
from cliqa.records import Issue, Source
from cliqa.report.words import title_of_store, told_column
from cliqa.results.database import from_sql_text
from cliqa.results.store import DATABASE_SUFFIXES, Store
from cliqa.text import display

WAITING, SCORED, ISSUE = 0, 1, 2
NUMBERS = {
    "width": Field("width", "pixels across, as stored", 0, 0, "px", "higher", "int"),
    "height": Field("height", "pixels down, as stored", 0, 0, "px", "higher", "int"),
    "size": Field("size", "of the file", 0, 0, "bytes", "", "int"),
    "bits": Field("bits", "per channel", 0, 0, "", "", "int"),
    "frames": Field("frames", "more than one: an animation, or pages", 0, 0, "", "", "int"),
    "exposure_value": Field("exposure_value", "exposure at ISO 100, from EXIF", 0, 0, "EV"),
}
DATES = {
    "taken": Field("taken", "when the camera says", 0, 0, "date"),
    "mtime_ns": Field("mtime_ns", "when the file was last changed", 0, 0, "date"),
}
LABELS = {
    "format": Field("format", "of the file, told by its content", kind="str"),
    "camera": Field("camera", "maker and model, from EXIF", kind="str"),
    "mode": Field("mode", "as Pillow names them", kind="str"),
}
MOST_LABELS = 64  # a column of more texts is none to choose from
_DAY = 86_400e9  # nanoseconds


@dataclass(frozen=True)
class ColumnFacts:
    """One column: `kind` is number, date (days since 1970) or labels."""

    name: str
    field: Field
    kind: str

    def described(self) -> dict[str, Any]:
        """What the page is told."""
        is_date = self.kind == "date"
        told = told_column(self.name, self.field)
        own = {"unit": ""} if is_date else {}
        whole = told["whole"] or is_date
        return (
            told | own | {"whole": whole, "isDate": is_date, "text": self.kind == "labels", "labels": [], "missing": 0}
        )


class FileTable:
    """What is known of the files, read from the store as a run fills it. Every method may be called from any thread.

    Args:
        store: the store; for a folder it may be empty still.
        folder: the folder whose files are shown; None for those of the store.
        recursive: whether its sub-folders belong to it.

    Attributes:
        paths: of the files, as they are shown.
        reals: their real paths, by which marks are kept.
        version: rises when there is something new.
        columns: what the page can show; the same for the whole session once the page has asked for them.

    Raises:
        CliqaError: neither can be read.
    """

    def __init__(self, store: str, folder: str | None = None, recursive: bool = True) -> None:
        self.path = store
        self.folder = folder
        self.version = 0
        self._lock = threading.RLock()
        # Holds a database made from a table
        self._kept_open = None if store.lower().endswith(DATABASE_SUFFIXES) else Store(store)
        self.database = self._kept_open.database if self._kept_open else store
        self._seen = {"scores": 0, "issues": 0}
        self._row_of: dict[int, int] = {}  # number in the store's table of scores -> row here
        self._issues: dict[int, tuple[str, str]] = {}
        self._folders: dict[str, str] = {}  # of paths, to their real ones
        with self._store() as opened:
            self.title = self._title(opened)
            self.inputs = opened.inputs
            if folder is None:
                self._stored = self._stored_paths(opened)
                self.sources = [Source(opened.locate(path)) for path in self._stored]
        if folder is not None:
            self._top = os.path.abspath(folder)
            listing = Listing(self._top, recursive=recursive, suffixes=IMAGE_SUFFIXES)
            listing.check()
            self.sources = [found for found in listing if not isinstance(found, Issue)]
        self.paths = [source.path for source in self.sources]
        self.reals = [self._real(path) for path in self.paths]
        self.row_of_real = {real: row for row, real in enumerate(self.reals)}
        self.states = np.zeros(len(self.paths), np.uint8)
        self.refresh()
        with self._store() as opened:
            self.columns = self._columns(opened)

    def close(self) -> None:
        """Remove what was made to read a table."""
        if self._kept_open is not None:
            self._kept_open.close()

    def source(self, row: int) -> Source:
        """The file of a row. Raises IndexError where there is none."""
        if not 0 <= row < len(self.paths):
            raise IndexError(row)
        if self.folder is not None:
            return self.sources[row]
        with self._store() as store:
            return Source(self.paths[row], store.folder(self._stored[row]))

    def shown_path(self, row: int) -> str:
        """A path for people: below the folder where there is one."""
        path = self.paths[row]
        if self.folder is not None:
            return display(os.path.relpath(path, self._top))
        return display(path)

    def counts(self) -> dict[str, int]:
        """How many files there are, were scored, and gave no score."""
        scored, issues = int((self.states == SCORED).sum()), int((self.states == ISSUE).sum())
        return {"total": len(self.paths), "scored": scored, "issues": issues}

    def refresh(self, everything: bool = False) -> int:
        """Look what the store has that is new (or at all of it, for rows that were scored anew); returns the version."""
        with self._lock, contextlib.suppress(ResultsError, sqlite3.Error), self._store() as store:
            if everything:
                self._seen = dict.fromkeys(self._seen, 0)
                self._row_of.clear()
                self._issues.clear()
            found = 0
            real = "real_path" if "real_path" in store.columns else "path"
            for number, path in store.newer([real], self._seen["scores"]):
                self._seen["scores"] = number
                row = self.row_of(path, store)
                if row is not None:
                    self._row_of[number] = row
                    self.states[row] = SCORED
                    self._issues.pop(row, None)
                found += 1
            for number, path, kind, message in store.newer(
                ["path", "issue_type", "issue_message"], self._seen["issues"], "issues"
            ):
                self._seen["issues"] = number
                row = self.row_of(path, store)
                if row is not None and self.states[row] != SCORED:
                    self.states[row] = ISSUE
                    self._issues[row] = (str(kind), display(str(message)))
                found += 1
            self.version += bool(found) or everything
        return self.version

    def issues(self) -> list[tuple[int, str, str]]:
        """(row, kind, message) of each file without a score."""
        with self._lock:
            return [(row, *issue) for row, issue in sorted(self._issues.items())]

    def values(self, index: int) -> tuple[NDArray[np.float32], list[str]]:
        """The values of one column, float32 (rows), NaN where there is none; labels are numbers of the list that comes with them."""
        column = self.columns[index]
        values = np.full(len(self.paths), np.nan)
        labels: list[str] = []
        with self._lock, self._store() as store:
            if column.name not in store.columns or not self._row_of:
                return values.astype(np.float32), labels
            numbers, cells = zip(*store.newer([column.name]), strict=True)
        known = [place for place, number in enumerate(numbers) if number in self._row_of]
        rows = np.array([self._row_of[numbers[place]] for place in known], dtype=int)
        chosen = [cells[place] for place in known]
        if column.kind == "labels":
            texts = [None if cell is None else display(from_sql_text(cell)) for cell in chosen]
            labels = _labels(texts)
            code = {label: float(index) for index, label in enumerate(labels)}
            values[rows] = [np.nan if text is None else code.get(text, np.nan) for text in texts]
        else:
            values[rows] = [_number(cell, column) for cell in chosen]
        values[~np.isfinite(values)] = np.nan
        return values.astype(np.float32), labels

    def record(self, row: int) -> dict[str, Any]:
        """All that the store has of one row, by column; empty where it has nothing."""
        with self._lock, self._store() as store:
            numbers = [number for number, known in self._row_of.items() if known == row]
            for number, *cells in store.newer(store.columns, numbers[-1] - 1) if numbers else ():
                return dict(zip(store.columns, cells, strict=True)) if number == numbers[-1] else {}
        return {}

    def _store(self) -> Store:
        return Store(self.database)

    def _stored_paths(self, store: Store) -> list[str]:
        issues = (path for path, *_ in store.issues())
        return list(dict.fromkeys([*(path for (path,) in store.rows(["path"])), *issues]))

    def _real(self, path: str) -> str:
        """As `real_path`, with the links of each folder followed once."""
        if "://" in path or "\0" in path:
            return path
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)

    def row_of(self, path: Any, store: Store) -> int | None:
        """The row of a path as the store has it, None where it is not shown."""
        text = from_sql_text(path)
        row = self.row_of_real.get(text)
        return row if row is not None else self.row_of_real.get(self._real(store.locate(text)))

    def _columns(self, store: Store) -> list[ColumnFacts]:
        """Those of the store; for a folder that nothing was scored of yet, those that the metrics here will fill."""
        known = {f"{metric}.{field.name}": field for metric in list_metrics() for field in metric_class(metric).fields}
        there = {name: store.field(name) for name in store.score_columns}
        fields = {
            name: there.get(name, field) for name, field in known.items() if name in there or self.folder is not None
        }
        fields |= {name: field for name, field in there.items() if name not in fields}
        shown = {name: field for name, field in fields.items() if not field.opaque}
        facts = store.columns
        return [
            *(ColumnFacts(name, field, "labels" if field.kind == "str" else "number") for name, field in shown.items()),
            *(ColumnFacts(name, field, "date") for name, field in DATES.items() if name in facts),
            *(ColumnFacts(name, field, "labels") for name, field in LABELS.items() if name in facts),
            *(ColumnFacts(name, field, "number") for name, field in NUMBERS.items() if name in facts),
        ]  # fmt: skip

    def _title(self, store: Store) -> str:
        if self.folder is not None:
            return display(os.path.basename(os.path.realpath(self.folder)) or self.folder)
        return title_of_store(store, self.path)


def _number(cell: Any, column: ColumnFacts) -> float:
    try:
        if cell is None:
            return np.nan
        if column.kind == "date":
            return _days(cell)
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _days(cell: Any) -> float:
    """Days since 1970: of nanoseconds, or of the date in `2024-05-01T12:30:59`."""
    if isinstance(cell, int):
        return cell / _DAY
    return float((datetime.date.fromisoformat(str(cell)[:10]) - datetime.date(1970, 1, 1)).days)


def _labels(texts: Sequence[str | None]) -> list[str]:
    """The different texts in the order of their first appearance, which later rows don't change; none where there are too many."""
    found = list(dict.fromkeys(text for text in texts if text is not None))
    return found if len(found) <= MOST_LABELS else []
