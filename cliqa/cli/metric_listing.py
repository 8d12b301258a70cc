"""`python -m cliqa.metrics`: the metrics with their fields, ranges, weights and speed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import new_parser


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        "metrics",
        "List the metrics: what each returns, its weights, and what it costs on this machine.",
        "[NAME ...] [--no-speed]",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--no-speed", action="store_true", help="do not measure the time of a picture")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments, argparse.Namespace(quiet=False))
    return run_body("metrics", "cliqa.cli.metric_facts:print_facts", options)


if __name__ == "__main__":
    sys.exit(main())
