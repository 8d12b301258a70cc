"""`python -m cliqa.export`: saved scores as a table, `path` and `metric.field` columns, one row a file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cliqa.cli.guard import guarded
from cliqa.cli.options import add_store, new_parser
from cliqa.errors import UsageError

if TYPE_CHECKING:
    from cliqa.cli.console import Console
    from cliqa.results.store import Store

COMMAND = "export"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Turn saved scores into a table; the files without a score go into one beside it.",
        "STORE -o FILE [options]",
    )
    add_store(parser)
    parser.add_argument("--output", "-o", required=True, metavar="FILE", help="a .csv, .jsonl or .parquet file")
    parser.add_argument("--where", "-w", default="", metavar="CONDITION", help="only the rows that fulfil a condition")
    parser.add_argument(
        "--spreadsheet", action="store_true",
        help="CSV to look at in a spreadsheet: an apostrophe goes before text that one would run as a formula (paths that begin "
        "with = + - @ no longer lead to their files)",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no summary on standard error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return guarded(COMMAND, options.quiet, lambda console: _run(options, console))


def _run(options: argparse.Namespace, console: Console) -> int:
    from cliqa.results import ISSUE_COLUMNS, issues_path
    from cliqa.results.faces import TABLE_SUFFIXES, for_spreadsheet, write_table
    from cliqa.results.schema import INTEGER_COLUMNS
    from cliqa.results.store import Store
    from cliqa.text import display

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
        kinds = {name: int if name in INTEGER_COLUMNS else str for name in ISSUE_COLUMNS}
        issues = (
            0
            if condition.strip() or not any(True for _ in store.issues())
            else (write_table(beside, kinds, tame(store.issues(ISSUE_COLUMNS))))
        )
    console.say(f"{count} rows in {display(options.output)}" + (f", {issues} issues beside" if issues else ""))
    return 0


def _type(store: Store, name: str) -> type:
    from cliqa.results.schema import INTEGER_COLUMNS

    if name in INTEGER_COLUMNS:
        return int
    if name in store.score_columns:
        return {"float": float, "int": int, "str": str}[store.field(name).kind]
    return str


if __name__ == "__main__":
    sys.exit(main())
