"""Parquet, through a JSON Lines journal: a Parquet file is readable only once it is finished."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from cliqa.errors import ResultsError, UsageError
from cliqa.files.atomic import replacing
from cliqa.results.line_files import JsonlResults
from cliqa.results.schema import ISSUE_COLUMNS, Row, Schema
from cliqa.results.writer import issues_path
from cliqa.text import display


class ParquetResults(JsonlResults):
    """A JSON Lines journal while the run lasts, turned into two Parquet files when it ends."""

    def __init__(self, path: str, schema: Schema) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise UsageError("Parquet results need the extra: pip install 'cliqa[parquet]'") from None
        self.target = path
        earlier = {table: read_parquet(name) for table, name in _tables(path) if os.path.exists(name)}
        for table, rows in earlier.items():
            if rows and list(rows[0]) != (schema.columns if table == "scores" else list(ISSUE_COLUMNS)):
                raise ResultsError(f"{display(path)} has other columns than this run writes; use another name")
        self.completed: dict[str, list[Row]] = {"scores": [], "issues": []} | earlier
        super().__init__(journal_path(path), schema)
        for table, rows in earlier.items():
            for row in rows:
                if row["path"] not in self._known:  # the journal of a killed run is newer
                    self._remember(table, row)

    def _finish(self) -> None:
        """Turn the journal into Parquet files and remove it."""
        super()._finish()
        fresh = {
            table: {row["path"]: row for row in self._read(table, journal) if row is not None}
            for table, journal in self.paths.items()
            if os.path.exists(journal)
        }
        for table, name in _tables(self.target):
            moved = fresh.get("issues" if table == "scores" else "scores", {})
            rows = {row["path"]: row for row in self.completed[table] if row["path"] not in moved}
            rows |= fresh.get(table, {})
            if table == "issues" and not rows and not os.path.exists(name):
                continue
            types = {column: self.schema.type_of(column) for column in self.columns[table]}
            write_parquet(name, rows.values(), types)
        for journal in self.paths.values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(journal)

    def _forget(self, path: str) -> None:
        super()._forget(path)
        self.completed["issues"] = [row for row in self.completed["issues"] if row["path"] != path]

    def _replace(self, row: Row) -> None:
        self._add("scores", row)  # the last row of a path counts

    def _leave(self) -> None:
        """Keep the journal: --resume goes on from it."""
        super()._finish()


def journal_path(path: str) -> str:
    """Where the rows lie until the run ends: `scores.parquet` -> `scores.parquet.journal.jsonl`."""
    return f"{path}.journal.jsonl"


def _tables(path: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("scores", path), ("issues", issues_path(path))


def write_parquet(name: str, rows: Iterable[Row], types: Mapping[str, type]) -> None:
    """Write rows as one Parquet file, beside and then in place."""
    import pyarrow.parquet

    table = to_table(rows, types)
    with replacing(name) as part:
        pyarrow.parquet.write_table(table, part, compression="zstd")


def to_table(rows: Iterable[Row], types: Mapping[str, type]) -> Any:
    """Rows as a pyarrow table with columns of these types, and the exact bytes of paths that are no text."""
    import pyarrow

    arrow = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    columns: dict[str, list[Any]] = {column: [] for column in types}
    exact: list[bytes | None] = []
    for row in rows:
        for column, kind in types.items():
            value = row.get(column)
            columns[column].append(printable(value) if kind is str and value is not None else value)
        exact.append(None if printable(row["path"]) == row["path"] else os.fsencode(row["path"]))
    arrays = {column: pyarrow.array(values, arrow[types[column]]) for column, values in columns.items()}
    arrays["path_bytes"] = pyarrow.array(exact, pyarrow.binary())
    return pyarrow.table(arrays)


def read_parquet(name: str) -> list[Row]:
    """Rows of a Parquet file that `write_parquet` wrote, exact paths restored."""
    import pyarrow
    import pyarrow.parquet

    try:
        rows: list[Row] = pyarrow.parquet.read_table(name).to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:  # ValueError: text that is no UTF-8
        raise ResultsError(f"{display(name)} is no readable Parquet file: {error}") from error
    for row in rows:
        exact = row.pop("path_bytes", None)
        if exact is not None:
            row["path"] = os.fsdecode(exact)
    return rows


def printable(value: Any) -> str:
    """Text that UTF-8 can hold: stray bytes are written as escapes."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
