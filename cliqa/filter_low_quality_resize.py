"""`python -m cliqa.filter_low_quality_resize`: keep the images that were never enlarged, by a kernel or by a network."""

from __future__ import annotations

import argparse
import sys

from cliqa.cli.filtering import Fields, Filter, Threshold
from cliqa.cli.options import bounded

QUALITY = Threshold("quality", 95, bounded(0, 100), "quality threshold; 95 is an enlargement by 1.05")


def _add_options(group: argparse._ArgumentGroup) -> None:
    QUALITY.add_option(group)
    group.add_argument(
        "--learned",
        type=bounded(0, 1),
        default=0.5,
        help="drop images whose probability of having been made by an upscaling network is this or more; 1 switches it off",
    )


def _by_network(options: argparse.Namespace, fields: Fields) -> bool:
    return bool(options.learned < 1 and fields["learned"] >= options.learned)


def _keep(options: argparse.Namespace, fields: Fields) -> bool:
    return QUALITY.keep(options, fields) and not _by_network(options, fields)


def _reason(options: argparse.Namespace, fields: Fields) -> str:
    rules = [] if QUALITY.keep(options, fields) else [f"quality {fields['quality']:.1f} < {options.quality:g}"]
    if _by_network(options, fields):
        rules.append(f"learned {fields['learned']:.2f} >= {options.learned:g}")
    return " and ".join(rules)


COMMAND = Filter(
    "filter_low_quality_resize",
    "scale_factor",
    "Copy (or link) the images that were not enlarged, as their pixels show it. Quality 100 is the original size or smaller, 80 is "
    "an enlargement by 1.2 and 0 by 2 or more; learned is the probability that an upscaling network (ESRGAN and its kin) made the "
    "picture. Rotation and a camera's softness are no enlargement; a strong blur may read as one. The notes of the results say which "
    "rule dropped an image.",
    _add_options,
    _keep,
    QUALITY.prefix,
    reason=_reason,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
