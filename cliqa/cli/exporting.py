"""What `cliqa.export` does: saved scores, and the files without one, as tables."""

from __future__ import annotations

import argparse
import os

from cliqa.cli.console import Console
from cliqa.errors import UsageError
from cliqa.results.faces import TABLE_SUFFIXES, for_spreadsheet, issues_path, write_table
from cliqa.results.schema import INTEGER_COLUMNS, ISSUE_COLUMNS
from cliqa.results.store import Store
from cliqa.text import display


def export(options: argparse.Namespace, console: Console) -> int:
    """Write the tables that the options name; returns the exit status."""
    if os.path.splitext(options.output)[1].lower() not in TABLE_SUFFIXES:
        raise UsageError(f"a table is one of {', '.join(TABLE_SUFFIXES)}, not {display(options.output)}")
    if options.spreadsheet and not options.output.lower().endswith(".csv"):
        raise UsageError("--spreadsheet is for .csv: the other formats tell text from formulas")
    tame = for_spreadsheet if options.spreadsheet else (lambda rows: rows)
    beside = issues_path(options.output)
    for name in (options.output, beside):
        if os.path.lexists(name):
            raise UsageError(f"{display(name)} exists; give another name")
    with Store(options.store) as store:
        condition = options.where
        if condition.strip():
            store.where(condition)  # says what is wrong with it before anything is written
        columns = {name: _type(store, name) for name in store.columns}
        count = write_table(options.output, columns, tame(store.rows(list(columns), condition)))
        issues = 0
        if not condition.strip() and any(True for _ in store.issues()):
            kinds = {name: int if name in INTEGER_COLUMNS else str for name in ISSUE_COLUMNS}
            issues = write_table(beside, kinds, tame(store.issues(ISSUE_COLUMNS)))
    console.say(f"{count} rows in {display(options.output)}" + (f", {issues} issues beside" if issues else ""))
    return 0


def _type(store: Store, name: str) -> type:
    if name in store.score_columns:
        return {"float": float, "int": int, "str": str}[store.field(name).kind]
    return int if name in INTEGER_COLUMNS else str
