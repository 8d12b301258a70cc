"""`python -m cliqa.view`: pictures and scores in a browser, to mark and to take."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import new_parser, positive

COMMAND = "view"
DEFAULT_PORT = 8731


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Look at pictures and their scores in a browser: scores what is not scored yet, shows why, takes marks, and copies, "
        "links or moves the files that you keep. Served from this machine, to this machine alone; nothing is written into the folder.",
        "FOLDER | STORE [options]",
    )
    parser.add_argument(
        "target",
        metavar="FOLDER | STORE",
        help="a folder of pictures, or what cliqa.score or a filter's --results wrote",
    )
    parser.add_argument(
        "--recursive",
        "-r",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="with a folder: go into its sub-folders",
    )
    parser.add_argument(
        "--store", metavar="FILE",
        help="with a folder: the .db file for scores and marks (default: one of this folder's own, in your state folder)",
    )  # fmt: skip
    parser.add_argument(
        "--output", "-o", default="kept", metavar="FOLDER", help="where the page may place files, and nowhere else"
    )
    parser.add_argument("--no-score", action="store_true", help="with a folder: show it, but score nothing")
    parser.add_argument(
        "--sidecars", action="store_true", help="let the page write XMP sidecars beside the pictures, on request"
    )
    parser.add_argument(
        "--port",
        type=positive(int, zero=True),
        default=DEFAULT_PORT,
        metavar="N",
        help="of this machine; another one is taken if it is in use, 0 for any",
    )
    parser.add_argument("--no-browser", action="store_true", help="open no browser; the address is printed either way")
    parser.add_argument(
        "--workers",
        type=positive(int),
        metavar="N",
        help="decode processes of the scoring (default: all processors but one)",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but the address")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return run_body(COMMAND, "cliqa.view.opening:view", options)


if __name__ == "__main__":
    sys.exit(main())
