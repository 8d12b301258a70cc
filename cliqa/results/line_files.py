"""CSV and JSON Lines: text that grows row by row and survives a crash up to its last whole line."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import IO

from cliqa.errors import ResultsError
from cliqa.files.atomic import replacing
from cliqa.records import Scalar
from cliqa.results.schema import ISSUE_COLUMNS, Row, Schema
from cliqa.results.writer import Results, issues_path
from cliqa.text import display


class _LineResults(Results):
    """Two text files, a line (or a quoted record) a row, flushed row by row.

    A file that an earlier run recorded and this one scores again gets a second row; `close` removes the first.
    """

    def __init__(self, path: str, schema: Schema) -> None:
        super().__init__(schema)
        self.paths = {"scores": path, "issues": issues_path(path)}
        self.columns = {"scores": schema.columns, "issues": list(ISSUE_COLUMNS)}
        self._streams: dict[str, IO[str]] = {}
        self._changed: dict[str, Row] = {}
        self._latest: dict[str, str] = {}  # of the paths with more than one row: the table that has the row that counts
        for table, name in self.paths.items():
            if os.path.exists(name):
                self._recover(table, name)
        for table, name in self.paths.items():
            if table == "scores" or os.path.exists(name):
                self._streams[table] = self._open(table)

    def _recover(self, table: str, name: str) -> None:
        """Read what an earlier run wrote; a last line that it left half written is dropped."""
        whole = True
        rows: list[Row] = []
        for row in self._read(table, name):
            if row is None:
                whole = False
                break
            rows.append(row)
            earlier = self._known.get(row["path"])
            try:
                self._remember(table, row)
            except (TypeError, ValueError) as error:
                raise ResultsError(f"row {len(rows)} of {display(name)} is damaged: {error}") from error
            if earlier is not None:  # a run was killed before it removed the first row
                self._latest[row["path"]] = table
                if earlier.table != table:  # nothing tells which came last: the file is scored again
                    self._known[row["path"]] = replace(self._known[row["path"]], weights="")
        if not whole:
            self._rewrite(table, rows)

    def _rewrite(self, table: str, rows: Iterable[Row]) -> None:
        with (
            replacing(self.paths[table]) as part,
            open(part, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream,
        ):
            self._head(table, stream)
            for row in rows:
                self._line(table, row, stream)

    def _open(self, table: str) -> IO[str]:
        name = self.paths[table]
        os.makedirs(os.path.dirname(os.path.abspath(name)), exist_ok=True)
        stream = open(name, "a", newline="", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
        if stream.tell() == 0:
            self._head(table, stream)
            stream.flush()
        return stream

    def _add(self, table: str, row: Row) -> None:
        earlier = self._known.get(row["path"])
        if earlier is not None:
            if earlier.table == table and self._equal(table, earlier.row, row) and row["path"] not in self._latest:
                return
            self._latest[row["path"]] = table
        if table not in self._streams:
            self._streams[table] = self._open(table)
        self._line(table, row, self._streams[table])
        self._streams[table].flush()

    def _forget(self, path: str) -> None:
        self._latest[path] = ""

    def _replace(self, row: Row) -> None:
        self._changed[row["path"]] = row

    def _finish(self) -> None:
        """Close both files, with the rows that were replaced in their places."""
        with contextlib.ExitStack() as stack:
            for stream in self._streams.values():
                stack.callback(stream.close)
        if not (self._changed or self._latest):
            return
        for table, name in self.paths.items():
            if os.path.exists(name):
                self._rewrite(table, self._current(table, name))
        self._changed.clear()
        self._latest.clear()

    def _current(self, table: str, name: str) -> list[Row]:
        """The rows that count: of each path the last one, in the table where it was written last."""
        rows = {
            row["path"]: row for row in self._read(table, name) if row is not None
        }  # a later row in the first's place
        changed = self._changed if table == "scores" else {}
        return [changed.get(path, row) for path, row in rows.items() if self._latest.get(path, table) == table]

    def _equal(self, table: str, one: Row, other: Row) -> bool:
        return all(_text(one.get(name)) == _text(other.get(name)) for name in self.columns[table])

    @abstractmethod
    def _read(self, table: str, name: str) -> Iterator[Row | None]:
        """Rows of a file; a final None stands for a half-written one."""

    @abstractmethod
    def _line(self, table: str, row: Row, stream: IO[str]) -> None: ...

    def _head(self, table: str, stream: IO[str]) -> None:
        return


class CsvResults(_LineResults):
    """RFC 4180 with a header line."""

    def _head(self, table: str, stream: IO[str]) -> None:
        csv.writer(stream).writerow(self.columns[table])

    def _line(self, table: str, row: Row, stream: IO[str]) -> None:
        csv.writer(stream).writerow([_csv_value(row.get(name)) for name in self.columns[table]])

    def _read(self, table: str, name: str) -> Iterator[Row | None]:
        with open(name, newline="", encoding="utf-8", errors="surrogateescape") as stream:
            reader = csv.reader(stream)
            try:
                head = next(reader, None)
            except csv.Error:
                head = None
            if head is None:
                return
            ended = ends_with_newline(name)
            if head != self.columns[table]:
                cut = not ended and ",".join(self.columns[table]).startswith(",".join(head))
                if not cut or next(reader, None) is not None:
                    raise ResultsError(f"{display(name)} has other columns than this run writes; use another name")
            previous: list[str] | None = None
            try:
                for cells in reader:
                    if previous is not None:
                        yield dict(zip(head, previous, strict=True))
                    previous = cells
            except (csv.Error, ValueError) as error:
                raise ResultsError(f"line {reader.line_num} of {display(name)} is damaged: {error}") from error
            if previous is None and not ended:
                yield None  # the very first line was cut
            if previous is not None:
                complete = ended and len(previous) == len(head)
                yield dict(zip(head, previous, strict=True)) if complete else None


class JsonlResults(_LineResults):
    """One JSON object a line."""

    def _line(self, table: str, row: Row, stream: IO[str]) -> None:
        stream.write(json.dumps({name: row.get(name) for name in self.columns[table]}) + "\n")

    def _read(self, table: str, name: str) -> Iterator[Row | None]:
        with open(name, encoding="utf-8", errors="surrogateescape") as stream:
            for number, line in enumerate(stream, 1):
                if not line.endswith("\n") and line.startswith('{"path": "'[: len(line)]):
                    yield None
                    return
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict) or list(row) != self.columns[table]:
                    raise ResultsError(
                        f"line {number} of {display(name)} is not what this run writes; use another name"
                    )
                yield row


def _text(value: Scalar) -> str:
    return "" if value is None else str(value)


def _csv_value(value: Scalar) -> Scalar:
    return "" if value is None else value


def ends_with_newline(name: str) -> bool:
    """Whether the last line of a file is whole; False for an empty one."""
    with open(name, "rb") as stream:
        stream.seek(0, os.SEEK_END)
        if stream.tell() == 0:
            return False
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"
