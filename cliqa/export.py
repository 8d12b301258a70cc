"""`python -m cliqa.export`: saved scores as a table, `path` and `metric.field` columns, one row a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cliqa.cli.guard import guarded
from cliqa.cli.options import add_store, new_parser

if TYPE_CHECKING:
    from cliqa.cli.console import Console

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
    from cliqa.cli.exporting import export

    return export(options, console)


if __name__ == "__main__":
    sys.exit(main())
