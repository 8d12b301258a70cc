"""What `cliqa.export` does: saved scores, and the files without one, as tables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cliqa.cli.console import Console
from cliqa.errors import UsageError
from cliqa.results.conditions import column
from cliqa.results.faces import TABLE_SUFFIXES, issues_path, write_table
from cliqa.results.schema import INTEGER_COLUMNS, ISSUE_COLUMNS, read_mark, write_mark
from cliqa.results.store import Store
from cliqa.text import display


def export(options: argparse.Namespace, console: Console) -> int:
    """Write the tables that the options name; returns the exit status."""
    if os.path.splitext(options.output)[1].lower() not in TABLE_SUFFIXES:
        raise UsageError(f"a table is one of {', '.join(TABLE_SUFFIXES)}, not {display(options.output)}")
    if options.spreadsheet and not options.output.lower().endswith(".csv"):
        raise UsageError("--spreadsheet is for .csv: the other formats tell text from formulas")
    beside = issues_path(options.output)
    for name in (options.output, beside):
        if os.path.lexists(name):
            raise UsageError(f"{display(name)} exists; give another name")
    with Store(options.store) as store:
        condition = options.where
        if condition.strip():
            store.where(condition)  # says what is wrong with it before anything is written
        columns = {name: _type(store, name) for name in _chosen(store, options)}
        rows = _unmarked(store.rows(list(columns), condition), list(columns), store)
        count = write_table(options.output, columns, rows, spreadsheet=options.spreadsheet)
        lost = sorted({name.rpartition(".")[0] for name in _opaque(store) if name not in columns})
        issues = 0
        if not condition.strip() and any(True for _ in store.issues()):
            kinds = {name: int if name in INTEGER_COLUMNS else str for name in ISSUE_COLUMNS}
            issues = write_table(beside, kinds, store.issues(ISSUE_COLUMNS), spreadsheet=options.spreadsheet)
    console.say(f"{count} rows in {display(options.output)}" + (f", {issues} issues beside" if issues else ""))
    if lost and options.columns == ["all"]:
        names = " ".join(lost)
        console.say(f"hashes and thumbnails of {names} are left out; --columns all {names} takes them too")
    return 0


def _chosen(store: Store, options: argparse.Namespace) -> list[str]:
    """The columns that --columns names, each once; the path is always one. Raises UsageError for a name that there is not."""
    opaque = () if options.output.lower().endswith(".parquet") else _opaque(store)
    chosen: list[str] = []
    for word in (part for words in options.columns for part in words.split(",") if part):
        fields = [name for name in store.score_columns if name.startswith(f"{word}.")]
        every = [name for name in store.columns if name not in opaque]
        chosen += every if word == "all" else fields or [column(word, store.columns)]
    return list(dict.fromkeys(chosen if "path" in chosen else ["path", *chosen]))


def _opaque(store: Store) -> list[str]:
    """The columns that tell a person nothing and take most of a row."""
    return [name for name in store.score_columns if store.field(name).opaque]


def _unmarked(rows: Iterable[Sequence[Any]], columns: Sequence[str], store: Store) -> Iterator[Sequence[Any]]:
    """The rows; those whose weights they name have all their scores, so that a run that goes on with the table makes the others."""
    lacking = {name.rpartition(".")[0] for name in store.score_columns if name not in columns}
    if not lacking or "weights" not in columns:
        yield from rows
        return
    at = columns.index("weights")
    for row in rows:
        marks = {name: mark for name, mark in read_mark(row[at] or "").items() if name not in lacking}
        yield [*row[:at], write_mark(marks) or None, *row[at + 1 :]]


def _type(store: Store, name: str) -> type:
    if name in store.score_columns:
        return {"float": float, "int": int, "str": str}[store.field(name).kind]
    return int if name in INTEGER_COLUMNS else str
