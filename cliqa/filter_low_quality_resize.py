"""`python -m cliqa.filter_low_quality_resize`: keep the images that were never enlarged."""

from __future__ import annotations

import argparse
import sys

from cliqa.filtering import Fields, Filter
from cliqa.options import bounded


def _add_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--quality", type=bounded(0, 100), default=95, help="quality threshold; 95 is an enlargement by 1.05"
    )


def _keep(options: argparse.Namespace, fields: Fields) -> bool:
    return bool(fields["quality"] >= options.quality)


def _prefix(fields: Fields) -> str:
    return f"{round(fields['quality']):03d}"


COMMAND = Filter(
    command="filter_low_quality_resize",
    metric="scale_factor",
    description=(
        "Copy (or link) the images that were not enlarged, as their pixels show it. Quality 100 is the original size or smaller, 80 is "
        "an enlargement by 1.2 and 0 by 2 or more. Blur, rotation and a camera's softness are no enlargement."
    ),
    add_options=_add_options,
    keep=_keep,
    prefix=_prefix,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
