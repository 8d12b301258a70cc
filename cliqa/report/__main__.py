"""`python -m cliqa.report`: one HTML page to look at saved scores and choose thresholds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_store, new_parser, positive

COMMAND = "report"
DEFAULT_THUMBNAILS = 1500
DEFAULT_MAX_ROWS = 200_000


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Write one HTML page, which opens from disk and offline, to look at saved scores, choose thresholds and copy the "
        "cliqa.apply command that acts on them.",
        "STORE [-o FILE] [options]",
    )
    add_store(parser)
    parser.add_argument("--output", "-o", default="report.html", metavar="FILE", help="the page")
    parser.add_argument(
        "--force", action="store_true", help="replace the page if it is there already; nothing else is replaced"
    )
    parser.add_argument("--title", help="heading of the page (default: the folder that was scored)")
    parser.add_argument(
        "--where", "-w", default="", metavar="CONDITION",
        help='thresholds to begin with instead of the filters\' own, such as "grain_noise.psnr >= 40 and aesthetic.score >= 1"',
    )  # fmt: skip
    parser.add_argument(
        "--thumbnails", type=positive(int, zero=True), default=DEFAULT_THUMBNAILS, metavar="N",
        help="pictures in the page, for a sample over the range of every score; 0 opens no image",
    )  # fmt: skip
    parser.add_argument(
        "--max-rows", type=positive(int), default=DEFAULT_MAX_ROWS, metavar="N",
        help="larger stores are shown by an even sample of so many rows",
    )  # fmt: skip
    parser.add_argument("--workers", type=positive(int), metavar="N", help="threads that read pictures")
    parser.add_argument("--quiet", action="store_true", help="no progress or summary on standard error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return run_body(COMMAND, "cliqa.report.build:write_page", options)


if __name__ == "__main__":
    sys.exit(main())
