"""Saved scores, read: the database that `cliqa.score` wrote, opened so that nothing but reading is possible.

A `.csv`, `.jsonl` or `.parquet` results file is read into a database of its own in a temporary folder first, so every
command that acts on scores takes any of them.
"""

from __future__ import annotations

import json
import ntpath
import os
import re
import shlex
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from cliqa.errors import ResultsError, UsageError
from cliqa.metrics import Field, metric_class
from cliqa.results.conditions import SAFE_FUNCTIONS, quote, to_sql
from cliqa.results.database import from_sql_text, holds_rows, live_path, load_tables, open_to_read
from cliqa.results.faces import TABLE_SUFFIXES
from cliqa.results.schema import FACTS
from cliqa.text import display

DATABASE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_READABLE = frozenset({"scores", "issues"})
_NOT_SCORES = frozenset({"id", "path", "filename", "kept", "placed", "notes", "weights", "real_path", *FACTS})
_CHUNK = 2000  # rows fetched at a time; chosen by hand: bounds memory
_MAX_TEXT = 1_000_000  # bytes that any text made by a condition may have; chosen by hand: no path or note is as long


class Store:
    """Saved scores, read-only. Use as a context manager.

    Args:
        path: what a run wrote.
        roots: (old, new) folders: what was scored below the old one lies below the new one now.

    Attributes:
        path: the file, as it was given.
        columns: the columns of the scores, without the row number.
        score_columns: those of them that are `metric.field`.
        inputs: the folders or files that were scored, as far as the store tells.
        base: the folder from which relative paths hold, "" where the store doesn't tell.
        database: the SQLite file that is read; another one than `path` where that is a table.
    """

    def __init__(self, path: str, roots: Sequence[tuple[str, str]] = ()) -> None:
        self.path = path
        self._roots = roots
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.database = path
        self.connection = self._open(path)
        try:
            self._look()
        except (sqlite3.Error, ValueError) as error:
            self.close()
            raise ResultsError(f"{display(path)} is no results database: {error}") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; remove the temporary one."""
        self.connection.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def where(self, condition: str) -> tuple[str, list[str]]:
        """(SQL, columns used) of a condition; see `cliqa.results.conditions.to_sql`."""
        return to_sql(condition, self.columns)

    def count(self, condition: str = "") -> int:
        """How many rows of scores there are, or fulfil a condition."""
        return int(next(self._run("SELECT count(*) FROM scores" + self._condition(condition)))[0])

    def rows(
        self,
        columns: Sequence[str],
        condition: str = "",
        order: Sequence[tuple[str, bool]] = (),
        limit: int | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """Stream rows of scores in bounded memory; paths as text again.

        Args:
            columns: the columns to read.
            condition: as the user wrote it; "" for all rows.
            order: (column, whether the largest comes first); rows without a value come last. Ties and no order: as stored.
            limit: at most so many rows.
        """
        ordering = [f"{quote(name)} IS NULL, {quote(name)}{' DESC' if down else ''}" for name, down in order]
        text = f"SELECT {', '.join(map(quote, columns))} FROM scores{self._condition(condition)}"
        text += f" ORDER BY {', '.join([*ordering, 'id'])}"
        if limit is not None:
            text += f" LIMIT {int(limit)}"
        texts = [index for index, name in enumerate(columns) if name in ("path", "filename", "placed", "real_path")]
        for row in self._run(text):
            if any(isinstance(row[index], bytes) for index in texts):
                row = tuple(from_sql_text(value) if isinstance(value, bytes) else value for value in row)
            yield row

    def at(self, numbers: Sequence[int], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Rows of scores by their numbers, as `newer` gives them, in no order."""
        names = ", ".join(map(quote, columns))
        for start in range(0, len(numbers), _CHUNK):
            wanted = ", ".join(str(int(number)) for number in numbers[start : start + _CHUNK])
            yield from self._run(f"SELECT id, {names} FROM scores WHERE id IN ({wanted})")

    def newer(self, columns: Sequence[str], after: int = 0, table: str = "scores") -> Iterator[tuple[Any, ...]]:
        """Rows whose number is above `after`, as (number, *columns): what a run has added since. Texts as the database has them."""
        names = ", ".join(map(quote, columns))
        yield from self._run(f"SELECT id, {names} FROM {table} WHERE id > {int(after)} ORDER BY id")

    def issues(self, columns: Sequence[str] = ("path", "issue_type", "issue_message")) -> Iterator[tuple[Any, ...]]:
        """Stream the files that gave no score; a column that the store lacks is None throughout."""
        wanted = ", ".join(quote(name) if name in self._issue_columns else "NULL" for name in columns)
        if "path" in self._issue_columns:
            for row in self._run(f"SELECT {wanted} FROM issues ORDER BY id"):
                yield tuple(from_sql_text(value) if isinstance(value, bytes) else value for value in row)

    def field(self, name: str) -> Field:
        """The facts of a `metric.field`: as the store has them, else as the installed metric, else from the values."""
        if name not in self._fields:
            self._fields[name] = self._saved_field(name) or _registered_field(name) or self._guessed_field(name)
        return self._fields[name]

    def locate(self, path: str) -> str:
        """Where a saved path is found from here, as the store spells it where that can be opened.

        Relative paths hold from the folder where the scoring was started, even where a file of that name lies here too; where that
        folder or its file is gone, from here: they were taken along.
        """
        moved = self.rerooted(path)
        if moved != path or os.path.isabs(path) or self._scored_here:
            return moved
        there = os.path.join(self.rerooted(self.base), path)
        return path if not os.path.lexists(there) and os.path.lexists(path) else there

    def rerooted(self, path: str) -> str:
        """A saved path with the old folder of `roots` replaced by the new one; as it is where it lies below none."""
        for old, new in self._roots:
            rest = _below(path, old)
            if rest is not None:
                return os.path.join(new, rest) if rest else new
        return path

    @cached_property
    def _scored_here(self) -> bool:
        """Whether relative paths hold from here: the scoring was started here, or where is not told or gone."""
        base = self.rerooted(self.base)
        return not os.path.isdir(base) or os.path.samefile(base, os.curdir)

    def told_gone(self) -> str:
        """That no file is where it was scored any more, and what to do, in a line; "" where one is. Members of shards count as gone."""
        first = ""
        for (path,) in self.rows(["path"]):
            here = self.locate(path)
            if os.path.lexists(here):
                return ""
            first = first or here
        if not first:
            return ""
        old = self.inputs[0] if self.inputs else os.path.dirname(first)
        return (
            f"no file of the store is where it was scored, such as {display(first)}; where the folder was moved or renamed, say so: "
            f"--root {shlex.quote(display(old))}=NEW"
        )

    def folder(self, path: str) -> str:
        """The folder of a file below the input folder that it came from ("" at its top), for mirroring the tree."""
        directory = os.path.dirname(os.path.normpath(self.rerooted(path)))
        inputs = [os.path.normpath(self.rerooted(name)) for name in self.inputs]
        below = [root for root in inputs if directory == root or directory.startswith(os.path.join(root, ""))]
        if below:
            relative = os.path.relpath(directory, max(below, key=len))
            return "" if relative == os.curdir else relative
        outside = os.path.isabs(directory) or directory.split(os.sep)[0] in ("", os.curdir, os.pardir)
        return "" if outside else directory

    def _open(self, path: str) -> sqlite3.Connection:
        live = live_path(os.path.realpath(path))
        if not path.lower().endswith(DATABASE_SUFFIXES) and holds_rows(live):  # a run that goes on, or was killed
            self.database = live
            return open_to_read(live)
        if not os.path.exists(path):
            raise ResultsError(f"there is no results file {display(path)}")
        if path.lower().endswith(DATABASE_SUFFIXES):
            return open_to_read(path)
        if not path.lower().endswith(TABLE_SUFFIXES) and not os.path.isdir(path):
            known = ", ".join((*DATABASE_SUFFIXES, *TABLE_SUFFIXES))
            raise UsageError(
                f"a results file is one of {known} or a folder of parts, not {display(os.path.basename(path))}"
            )
        self._temporary = tempfile.TemporaryDirectory(prefix="cliqa-")
        database = os.path.join(self._temporary.name, "scores.db")
        try:
            load_tables(path, database)
        except BaseException:
            self._temporary.cleanup()
            raise
        self.database = database
        return open_to_read(database)

    def _look(self) -> None:
        """What the store holds; after this the connection can do nothing but read the scores and issues."""
        connection = self.connection
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        if sys.version_info >= (3, 11):
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_TEXT)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self.columns = [row[1] for row in connection.execute("PRAGMA table_info(scores)") if row[1] != "id"]
        if "scores" not in tables or "path" not in self.columns:
            raise ValueError("it has no table of scores")
        self._issue_columns = {row[1] for row in connection.execute("PRAGMA table_info(issues)")}
        self.score_columns = [name for name in self.columns if "." in name and name not in _NOT_SCORES]
        self._meta: dict[str, str] = {}
        if "meta" in tables:
            self._meta = {str(key): str(value) for key, value in connection.execute("SELECT key, value FROM meta")}
        self.base = str(json.loads(self._meta.get("base", '""')))
        self.inputs = [os.path.normpath(str(name)) for name in json.loads(self._meta.get("inputs", "[]"))]
        self._fields: dict[str, Field] = {}
        connection.set_authorizer(_authorize)

    def _condition(self, condition: str) -> str:
        return f" WHERE ({self.where(condition)[0]})" if condition.strip() else ""

    def _run(self, statement: str) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self.connection.execute(statement)
            while chunk := cursor.fetchmany(_CHUNK):
                yield from chunk
        except sqlite3.DatabaseError as error:
            # What the file does is not the condition's fault.
            outside = any(word in str(error) for word in ("disk", "lock", "readonly"))
            if isinstance(error, sqlite3.OperationalError) and not outside:
                raise UsageError(f"SQLite does not take the condition: {error}") from error
            if "not authorized" in str(error) or "prohibited" in str(error):
                raise UsageError("a condition can only read the scores") from error
            raise ResultsError(f"{display(self.path)} can't be read: {error}") from error

    def _saved_field(self, name: str) -> Field | None:
        try:
            return Field(**json.loads(self._meta[f"field.{name}"]))
        except (KeyError, TypeError, ValueError):
            return None

    def _guessed_field(self, name: str) -> Field:
        short = name.rpartition(".")[2]
        low, high, kind = next(
            self._run(f"SELECT min({quote(name)}), max({quote(name)}), max(typeof({quote(name)})) FROM scores")
        )
        if kind == "text" or isinstance(low, (bytes, str)) or isinstance(high, (bytes, str)):
            return Field(short, "", kind="str")
        return Field(short, "", float(low or 0.0), float(high or 0.0))


def _below(path: str, folder: str) -> str | None:
    """The rest of a path below a folder, None where it lies elsewhere; paths of Windows too, wherever this runs."""
    windows = "\\" in folder or re.match(r"[A-Za-z]:", folder) is not None
    rules = ntpath if windows else os.path
    path, folder = rules.normpath(path), rules.normpath(folder)
    if path == folder:
        return ""
    top = folder if folder.endswith(rules.sep) else folder + rules.sep
    return path[len(top) :].replace(rules.sep, os.sep) if path.startswith(top) else None


def _authorize(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """Reading scores and issues, and functions that only compute: nothing else is prepared, wherever it comes from."""
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and first in _READABLE and database in ("main", None):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in SAFE_FUNCTIONS | {"count"}:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _registered_field(name: str) -> Field | None:
    metric, _, short = name.rpartition(".")
    try:
        return next((field for field in metric_class(metric).fields if field.name == short), None)
    except UsageError:
        return None
