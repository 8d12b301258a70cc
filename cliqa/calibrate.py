"""`python -m cliqa.calibrate`: thresholds from a few labelled files, and the condition that uses them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_store, bounded, new_parser, positive

COMMAND = "calibrate"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Propose a threshold for each score and the best combination of a few, from files that you labelled keep or drop "
        "(or rated). Precision and recall are estimated by cross-validation, on labels that the thresholds were not chosen by.",
        "STORE --labels FILE [options]",
    )
    add_store(parser)
    parser.add_argument(
        "--labels", "-l", required=True, metavar="FILE", help="a CSV of path and keep, drop or a rating"
    )
    parser.add_argument(
        "--keep-from", type=float, metavar="RATING",
        help="the lowest rating that means keep (default: the middle of the ratings)",
    )  # fmt: skip
    parser.add_argument(
        "--fields", nargs="+", metavar="METRIC.FIELD", help="only these scores (default: all that have a better end)"
    )
    parser.add_argument("--max-conditions", type=positive(int), default=3, metavar="N", help="most scores to combine")
    parser.add_argument(
        "--min-precision", type=bounded(0, 1), default=0, metavar="SHARE",
        help="keep as many as possible with at least this share of keepers among the kept (default: balance both)",
    )  # fmt: skip
    parser.add_argument("--plot", metavar="FILE", help="a .png, .svg or .pdf with the labels over each score")
    parser.add_argument(
        "--all", action="store_true", help="list the thresholds of all scores, not of the best dozen alone"
    )
    parser.add_argument("--print", action="store_true", help="write nothing but the condition to standard output")
    parser.add_argument("--quiet", action="store_true", help="no messages on standard error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return run_body(COMMAND, "cliqa.cli.calibration:calibrate", options)


if __name__ == "__main__":
    sys.exit(main())
