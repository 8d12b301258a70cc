"""`python -m cliqa.score`: every metric, one decode, one row per file in a store that other commands act on."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_compute, add_input, new_parser

COMMAND = "score"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Score every image with every metric, decoding it once, and save one row per file. `cliqa.apply`, `cliqa.report`, "
        "`cliqa.export` and `cliqa.calibrate` work on the saved scores.",
        "INPUT ... [--results FILE] [options]",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="INPUT",
        help="what to score, as of -i; without --results what is wrong with each picture is shown in words",
    )
    group = parser.add_argument_group("scores")
    group.add_argument(
        "--metrics", "-m", nargs="+", default=["all"], metavar="NAME",
        help="names (`cliqa metrics` lists them), or all (default: all)",
    )  # fmt: skip
    group.add_argument(
        "--results", metavar="FILE",
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
    group.add_argument(
        "--all-fields", action="store_true",
        help="show every field of each picture and what it means; without it a picture is one line, and up to three that are named "
        "have one for each metric",
    )  # fmt: skip
    group.add_argument("--print", action="store_true", help="write the paths of the scored files to standard output")
    group.add_argument("--strict", action="store_true", help="exit with status 3 when some files had issues")
    add_input(parser, required=False)
    add_compute(parser, "weights of each metric; needs a single metric")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parse = parser()
    options = parse.parse_args(arguments)
    options.input = [*options.input, *options.paths]
    if not (options.input or _may_hold_input(options.metrics)):
        parse.error(
            "name what to score: images, or a folder; before the options or after -i, since -m takes every word after it"
        )
    if not options.results and (options.resume or options.engine != "local"):
        parse.error("--resume and --engine ray need --results")
    if options.all_fields and (options.results or options.print):
        parse.error("--all-fields is about the words that are shown without --results and --print")
    body = "cliqa.cli.ray_run:score_in_parts" if options.engine == "ray" else "cliqa.cli.scoring:score"
    return run_body(COMMAND, body, options, resumes=bool(options.results))


def _may_hold_input(names: list[str]) -> bool:
    """Whether the last word of `-m NAME PATH` can be the input; to know the metrics' names takes an import."""
    return len(names) > 1 and os.path.exists(names[-1])


if __name__ == "__main__":
    sys.exit(main())
