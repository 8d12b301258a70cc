"""`python -m cliqa.export`: saved scores as a table, `path` and `metric.field` columns, one row a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_store, new_parser

COMMAND = "export"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Turn saved scores into a table; the files without a score go into one beside it.",
        "STORE -o FILE [options]",
    )
    add_store(parser, roots=False)
    parser.add_argument("--output", "-o", required=True, metavar="FILE", help="a .csv, .jsonl or .parquet file")
    parser.add_argument("--where", "-w", default="", metavar="CONDITION", help="only the rows that fulfil a condition")
    parser.add_argument(
        "--columns", nargs="+", default=["all"], metavar="NAME",
        help="only these columns: METRIC.FIELD, a METRIC for all its fields, a fact such as width, or all; for .csv and .jsonl, all is "
        "without the hashes and thumbnails of fingerprint, 5 kB a row, and 'all fingerprint' is with them (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--spreadsheet", action="store_true",
        help="CSV to look at in a spreadsheet: with a byte order mark, so that accents are read rightly, and an apostrophe before text "
        "that one would run as a formula (paths that begin with = + - @ no longer lead to their files)",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no summary on standard error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return run_body(COMMAND, "cliqa.cli.exporting:export", options)


if __name__ == "__main__":
    sys.exit(main())
