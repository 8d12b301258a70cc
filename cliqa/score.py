"""`python -m cliqa.score`: every metric, one decode, one row per file in a store that other commands act on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cliqa.cli.guard import guarded
from cliqa.cli.options import add_compute, add_input, new_parser

if TYPE_CHECKING:
    from cliqa.cli.console import Console

COMMAND = "score"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Score every image with every metric, decoding it once, and save one row per file. `cliqa.apply`, `cliqa.report`, "
        "`cliqa.export` and `cliqa.calibrate` work on the saved scores.",
        "-i INPUT --results FILE [options]",
    )
    group = parser.add_argument_group("scores")
    group.add_argument(
        "--metrics", "-m", nargs="+", default=["all"], metavar="NAME",
        help="names (`python -m cliqa.metrics` lists them), or all (default: all)",
    )  # fmt: skip
    group.add_argument(
        "--results", metavar="FILE", required=True,
        help="the store: a .db file, or a .csv, .jsonl or .parquet table; with --engine ray a folder (or s3:// address)",
    )  # fmt: skip
    group.add_argument(
        "--engine", choices=("local", "ray"), default="local",
        help="local: this process and its workers; ray: in parts, on this machine or the cluster at RAY_ADDRESS, into a "
        "folder of Parquet files; --workers is then the number of actors, and --resume goes on by parts",
    )  # fmt: skip
    group.add_argument(
        "--resume", action="store_true",
        help="go on with --results: files whose path, size, time of change and weights are the same are not scored again",
    )  # fmt: skip
    group.add_argument(
        "--by-content", action="store_true",
        help="with --resume: tell by the SHA-256 of the file's content, instead of its size and time, whether it is the same",
    )  # fmt: skip
    group.add_argument("--print", action="store_true", help="write the paths of the scored files to standard output")
    group.add_argument("--strict", action="store_true", help="exit with status 3 when some files had issues")
    add_input(parser)
    add_compute(parser, "weights of each metric; needs a single metric")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return guarded(COMMAND, options.quiet, lambda console: _run(options, console), resumes=True)


def _run(options: argparse.Namespace, console: Console) -> int:
    from cliqa.cli.scoring import score

    return score(options, console)


if __name__ == "__main__":
    sys.exit(main())
