"""Tables of scores that people open: CSV, JSON Lines and Parquet, each written whole and read a row at a time.

The files without a score lie beside (`scores.csv` -> `scores.issues.csv`). Paths that are no valid UTF-8 keep their exact bytes: raw
in CSV, as lone surrogates in JSON, in the column `path_bytes` of Parquet. A CSV file may come back from a spreadsheet: with a
byte order mark, with semicolons or tabs, decimal commas, as UTF-16, with a first line such as `sep=;`.
"""

from __future__ import annotations

import codecs
import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any

from cliqa.errors import ResultsError, UsageError
from cliqa.files.atomic import creating, replacing
from cliqa.results.schema import TEXT_COLUMNS, Row
from cliqa.text import display

TABLE_SUFFIXES = (".csv", ".jsonl", ".parquet")
Table = tuple[list[str], Iterator[Row]]  # names of the columns, rows
_ROW_GROUP = 10_000  # rows of Parquet that are held at a time; chosen by hand: bounds memory
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width ones count in some languages
_SEPARATOR_LINE = re.compile(r"sep=([,;\t])")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_FIRST_KEY = '{"path": "'


def issues_path(path: str) -> str:
    """Where the issues of a table lie: `scores.csv` -> `scores.issues.csv`."""
    stem, suffix = os.path.splitext(path)
    return f"{stem}.issues{suffix}"


def write_table(
    name: str,
    columns: Mapping[str, type],
    rows: Iterable[Sequence[Any]],
    replace: bool = False,
    spreadsheet: bool = False,
) -> int:
    """Write rows to a .csv, .jsonl or .parquet file, beside and then named; returns how many there were.

    Args:
        name: the file; its suffix decides.
        columns: names and types (int, float or str) of the values, in order.
        rows: values in that order; paths that are no valid UTF-8 hold surrogates and keep their exact bytes.
        replace: take the place of a file that is there; else it must not be.
        spreadsheet: a .csv file with a byte order mark, without which some programs read accents wrongly, and as `for_spreadsheet`.
    """
    if spreadsheet:
        rows = for_spreadsheet(rows)
    writers: dict[str, Callable[[str, Mapping[str, type], Iterable[Sequence[Any]]], int]] = {
        ".csv": _write_csv, ".jsonl": _write_jsonl, ".parquet": write_parquet,
    }  # fmt: skip
    try:
        with (replacing if replace else creating)(name) as part:
            if spreadsheet:
                return _write_csv(part, columns, rows, "utf-8-sig")
            return writers[os.path.splitext(name)[1].lower()](part, columns, rows)
    except OSError as error:
        raise ResultsError(f"{display(name)} can't be written: {error.strerror or error}") from error


def for_spreadsheet(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """The rows with an apostrophe before each text that a spreadsheet would take for a formula when it opens a CSV file."""
    for row in rows:
        yield [f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value for value in row]


def _write_csv(name: str, columns: Iterable[str], rows: Iterable[Sequence[Any]], encoding: str = "utf-8") -> int:
    count = 0
    with open(name, "w", newline="", encoding=encoding, errors="surrogateescape") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is how many there were
            writer.writerow(row)  # None becomes an empty cell
    return count


def _write_jsonl(name: str, columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with open(name, "w", newline="", encoding="utf-8") as stream:
        for count, row in enumerate(rows, 1):  # noqa: B007
            stream.write(json.dumps(dict(zip(columns, row, strict=True))) + "\n")
    return count


def write_parquet(
    where: str | IO[bytes],
    columns: Mapping[str, type],
    rows: Iterable[Sequence[Any]],
    notes: Mapping[bytes, bytes] = {},
) -> int:
    """Write rows as Parquet to a file or stream, `notes` as the metadata of its schema; returns how many there were."""
    pyarrow = import_parquet()
    arrow = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    schema = pyarrow.schema(
        [(name, arrow[kind]) for name, kind in columns.items()] + [("path_bytes", pyarrow.binary())]
    )
    where_path = list(columns).index("path")
    count = 0
    iterator = iter(rows)
    with pyarrow.parquet.ParquetWriter(where, schema.with_metadata(dict(notes) or None), compression="zstd") as writer:
        while group := list(islice(iterator, _ROW_GROUP)):
            cells = zip(zip(*group, strict=True), columns.values(), strict=True)
            values = [[_fitting(value, kind) for value in column] for column, kind in cells]
            paths = [row[where_path] for row in group]
            exact = [None if _printable(path) == path else os.fsencode(path) for path in paths]
            writer.write_table(pyarrow.table([*values, exact], schema=writer.schema))
            count += len(group)
    return count


def import_parquet() -> Any:
    """pyarrow with its Parquet module. Raises UsageError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError("Parquet needs the extra: pip install 'cliqa[parquet]'") from None
    return pyarrow


def read_table(path: str, texts: Iterable[str] = ()) -> Table:
    """A table by its suffix; empty cells are None. `texts` are columns whose values stay text, whatever they look like.

    A last line that a killed run left half written is dropped. Raises OSError, ValueError or csv.Error, while reading too.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".csv":
        return _read_csv(path, TEXT_COLUMNS | set(texts))
    return _read_jsonl(path) if suffix == ".jsonl" else read_parquet(path)


def csv_cells(path: str) -> Iterator[list[str]]:
    """The rows of a CSV file as text, its first line telling whether commas, semicolons or tabs part the cells.

    Where semicolons or tabs do, numbers may have decimal commas: they come with points.
    """
    with open(path, "rb") as raw:
        wide = raw.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    with open(path, newline="", encoding="utf-16" if wide else "utf-8-sig", errors="surrogateescape") as stream:
        head = stream.readline()
        if told := _SEPARATOR_LINE.fullmatch(head.rstrip("\r\n")):
            delimiter = told[1]
        else:
            delimiter = max(",;\t", key=lambda mark: len(next(csv.reader([head], delimiter=mark), [])))
            stream.seek(0)
        for cells in csv.reader(stream, delimiter=delimiter):
            yield cells if delimiter == "," else [_pointed(cell) for cell in cells]


def _pointed(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _read_csv(path: str, texts: set[str]) -> Table:
    lines = csv_cells(path)
    columns = next(lines, [])

    def rows() -> Iterator[Row]:
        for number, cells in enumerate(lines, 2):
            if cells and len(cells) != len(columns):
                if len(cells) < len(columns) and next(lines, None) is None:
                    return
                raise ValueError(f"row {number} has {len(cells)} cells instead of {len(columns)}")
            if cells:
                yield {
                    name: text if name in texts and text else _typed(name, text)
                    for name, text in zip(columns, cells, strict=True)
                }

    return columns, rows()


def _typed(column: str, text: str) -> Any:
    """A cell as the number that it looks like; what is empty is None, but for a path."""
    if not text:
        return "" if column == "path" else None
    for kind in (int, float) if text.isascii() and "_" not in text else ():
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _read_jsonl(path: str) -> Table:
    def rows() -> Iterator[Row]:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    if not line.endswith("\n") and line.startswith(_FIRST_KEY[: len(line)]):
                        return
                    raise ValueError(f"line {number} is no JSON object")
                yield row

    return _peeked(rows())


def read_parquet(where: str | IO[bytes]) -> Table:
    """A Parquet file or stream, exact paths restored. Raises ValueError where it is none."""
    pyarrow = import_parquet()

    def rows() -> Iterator[Row]:
        try:
            with pyarrow.parquet.ParquetFile(where) as table:
                for batch in table.iter_batches(_ROW_GROUP):
                    for row in batch.to_pylist():
                        exact = row.pop("path_bytes", None)
                        if exact is not None:
                            row["path"] = os.fsdecode(exact)
                            if "\\udc" in (row.get("real_path") or ""):
                                row["real_path"] = None  # its exact bytes follow from those of the path
                        yield row
        except pyarrow.ArrowException as error:
            raise ValueError(str(error)) from error

    try:
        columns = [name for name in pyarrow.parquet.read_schema(where).names if name != "path_bytes"]
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
    return columns, rows()


def _peeked(rows: Iterator[Row]) -> Table:
    """The rows with the names of the first one as columns."""
    first = list(islice(rows, 1))
    return list(first[0]) if first else [], (row for part in (first, rows) for row in part)


def _fitting(value: Any, kind: type) -> Any:
    """The value in the type of its column; None for what a damaged file or a wrong label has there."""
    if value is None or kind is str:
        return None if value is None else _printable(value)
    try:
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _printable(value: Any) -> str:
    """Text that UTF-8 can hold: stray bytes are written as escapes."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
