"""`python -m cliqa.filter_low_perceptual_quality`: keep the pictures that look good to people."""

from __future__ import annotations

import argparse
import sys

from cliqa.cli.filtering import Filter, Threshold


class _Model(argparse.Action):
    """A fitted model is a whole weights file, so it simply takes the shipped one's place."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        namespace.checkpoint = values


THRESHOLD = Threshold(
    "quality", 50, float, "quality threshold, 0 to 100; with --model, in the unit of the labels that it was fitted on"
)


def _add_options(group: argparse._ArgumentGroup) -> None:
    THRESHOLD.add_option(group)
    group.add_argument(
        "--model", action=_Model, metavar="FILE", dest="checkpoint", default=argparse.SUPPRESS,
        help="model fitted to labels of your own by `python -m cliqa.grepq fit`",
    )  # fmt: skip


COMMAND = Filter(
    command="filter_low_perceptual_quality",
    metric="grepq",
    description=(
        "Copy (or link) the pictures whose perceptual quality, as people would rate it, reaches a threshold. The shipped score learned "
        "from human ratings; --model takes one that was fitted to your own."
    ),
    add_options=_add_options,
    keep=THRESHOLD.keep,
    prefix=THRESHOLD.prefix,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
