"""Saved scores as plain tables: written from a store, read into one. A row at a time, whatever the size.

Columns keep their order and names, so a table that was written from a store can be gone on with by `--resume`.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from cliqa.errors import ResultsError, UsageError
from cliqa.files.atomic import creating
from cliqa.results.conditions import quote
from cliqa.results.schema import ISSUE_COLUMNS, Row
from cliqa.results.sqlite_store import to_sql_value
from cliqa.results.writer import issues_path
from cliqa.text import display

TABLE_SUFFIXES = (".csv", ".jsonl", ".parquet")
_TEXT_COLUMNS = {
    "path",
    "filename",
    "placed",
    "sha256",
    "format",
    "mode",
    "notes",
    "weights",
    "issue_type",
    "issue_message",
}
_ROW_GROUP = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width ones count in some languages


def write_table(name: str, columns: Mapping[str, type], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows to a .csv, .jsonl or .parquet file, beside and then named; returns how many there were.

    Args:
        name: the file; its suffix decides.
        columns: names and types (int, float or str) of the values, in order.
        rows: values in that order; paths that are no valid UTF-8 hold surrogates and keep their exact bytes.
    """
    write = {".csv": _write_csv, ".jsonl": _write_jsonl, ".parquet": _write_parquet}[os.path.splitext(name)[1].lower()]
    try:
        with creating(name) as part:
            return write(part, columns, rows)
    except OSError as error:
        raise ResultsError(f"{display(name)} can't be written: {error.strerror or error}") from error


def for_spreadsheet(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """The rows with an apostrophe before each text that a spreadsheet would take for a formula when it opens a CSV file."""
    for row in rows:
        yield [f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value for value in row]


def _write_csv(name: str, columns: Mapping[str, type], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with open(name, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)  # None becomes an empty cell
            count += 1
    return count


def _write_jsonl(name: str, columns: Mapping[str, type], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with open(name, "w", newline="", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(dict(zip(columns, row, strict=True))) + "\n")
            count += 1
    return count


def _write_parquet(name: str, columns: Mapping[str, type], rows: Iterable[Sequence[Any]]) -> int:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError("Parquet needs the extra: pip install 'cliqa[parquet]'") from None
    from cliqa.results.parquet import printable

    arrow = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    schema = pyarrow.schema(
        [(column, arrow[kind]) for column, kind in columns.items()] + [("path_bytes", pyarrow.binary())]
    )
    where = list(columns).index("path")
    texts = [kind is str for kind in columns.values()]
    count = 0
    iterator = iter(rows)
    with pyarrow.parquet.ParquetWriter(name, schema, compression="zstd") as writer:
        while group := list(islice(iterator, _ROW_GROUP)):
            values = [
                [printable(value) if text and value is not None else value for value in column]
                for column, text in zip(zip(*group, strict=True), texts, strict=True)
            ]
            exact = [None if printable(row[where]) == row[where] else os.fsencode(row[where]) for row in group]
            writer.write_table(pyarrow.table([*values, exact], schema=schema))
            count += len(group)
    return count


def load_into(path: str, database: str) -> None:
    """Read a results table (and the issues beside it), or a folder of parts, into a new database with the tables of a store."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        if os.path.isdir(path):
            for table in ("scores", "issues"):
                _load_table(connection, table, part_files(path, table))
            _load_notes(connection, path)
        else:
            beside = issues_path(path)
            _load_table(connection, "scores", [path])
            _load_table(connection, "issues", [beside] if os.path.exists(beside) else [])
        connection.execute("COMMIT")
    except (OSError, ValueError, csv.Error, sqlite3.Error) as error:
        raise ResultsError(f"{display(path)} is no readable results file: {error}") from error
    finally:
        connection.close()


def part_files(folder: str, table: str) -> list[str]:
    """The Parquet files of a run in parts: those of `scores` or of `issues`, in order of name."""
    inside = os.path.join(folder, table)
    names = sorted(name for name in os.listdir(inside) if name.endswith(".parquet") and not name.startswith("."))
    return [os.path.join(inside, name) for name in names]


def _load_notes(connection: sqlite3.Connection, folder: str) -> None:
    """Where relative paths of a run in parts hold from, and which folders it read."""
    with open(os.path.join(folder, "cliqa.json"), encoding="utf-8") as stream:
        notes = json.load(stream)
    if not isinstance(notes, dict):
        raise ValueError("its cliqa.json holds no notes")
    connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [(key, json.dumps(value)) for key, value in notes.items()])


def _rows_of(paths: Sequence[str]) -> Iterator[Row]:
    for path in paths:
        suffix = os.path.splitext(path)[1].lower()
        yield from {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}[suffix](path)


def _load_table(connection: sqlite3.Connection, table: str, paths: Sequence[str]) -> None:
    columns: list[str] = []
    statement = ""
    for row in _rows_of(paths):
        if not statement:
            columns = list(row)
            if "path" not in columns:
                raise ValueError("it has no column `path`")
            statement = _create(connection, table, columns)
        connection.execute(statement, [_value(name, row.get(name)) for name in columns])
    if not statement:
        _create(connection, table, ISSUE_COLUMNS if table == "issues" else ("path",))


def _create(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> str:
    """Make the table; returns the statement that inserts a row. NUMERIC columns turn the numbers of a CSV into numbers."""
    kinds = {name: "TEXT" if name in _TEXT_COLUMNS else "NUMERIC" for name in columns if name != "path"}
    body = "".join(f", {quote(name)} {kind}" for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, path NOT NULL{body})")
    return f"INSERT INTO {table} ({', '.join(map(quote, columns))}) VALUES ({', '.join('?' * len(columns))})"


def _value(column: str, value: Any) -> Any:
    if value == "" and column != "path":
        return None
    return to_sql_value(value)


def _read_csv(path: str) -> Iterator[Row]:
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as stream:
        for row in csv.DictReader(stream, restval=""):
            row.pop(None, None)  # cells beyond the header
            yield row


def _read_jsonl(path: str) -> Iterator[Row]:
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            if not line.endswith("\n"):  # half a line, of a run that was killed
                return
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("a line is no JSON object")
            yield row


def _read_parquet(path: str) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError("Parquet needs the extra: pip install 'cliqa[parquet]'") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_ROW_GROUP):
                for row in batch.to_pylist():
                    exact = row.pop("path_bytes", None)
                    yield row | {"path": os.fsdecode(exact)} if exact is not None else row
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
