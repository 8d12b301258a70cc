"""`python -m cliqa.filter_blurry_photo`: keep the photographs that are sharp somewhere, and those of which that can't be told."""

from __future__ import annotations

import argparse
import sys

from cliqa.cli.filtering import Fields, Filter
from cliqa.cli.options import bounded

SURE = 0.5  # of the confidence: below it, a picture can't be told and is kept
BLUR = 2.0  # pixels: seen at full size that is soft; camera files are at about 1 by their demosaicing


def _add_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--blur", type=bounded(0, 8), metavar="PIXELS",
        help=f"most blur where the picture is sharpest, as the standard deviation in pixels (default: {BLUR:g}; with --relative, none)",
    )  # fmt: skip
    group.add_argument(
        "--relative", type=bounded(0, 250), metavar="SHARE",
        help="the same in parts per thousand of the long side, for pictures seen whole",
    )  # fmt: skip
    group.add_argument(
        "--sharp-share", type=bounded(0, 1), metavar="SHARE",
        help="least share of what can be told that is as sharp as the sharpest part",
    )  # fmt: skip
    group.add_argument("--motion", type=bounded(0, 40), metavar="PIXELS", help="most length of a directional blur")


def keep(options: argparse.Namespace, fields: Fields) -> bool:
    """Whether a picture is kept: every limit that is given holds, or it can't be told."""
    if fields["confidence"] < SURE:
        return True
    blur = BLUR if options.blur is None and options.relative is None else options.blur
    limits = (("blur", blur), ("relative", options.relative), ("motion", options.motion))
    if any(limit is not None and fields[name] > limit for name, limit in limits):
        return False
    share = fields["sharp_share"]
    return options.sharp_share is None or share is None or bool(share >= options.sharp_share)


def _prefix(fields: Fields) -> str:
    return f"{fields['blur']:.1f}"


COMMAND = Filter(
    command="filter_blurry_photo",
    metric="sharpness",
    description=(
        "Copy (or link) the photographs that are sharp somewhere. A sharp subject before a soft background is sharp; pictures without "
        "an edge to tell by (fog, sky, a flat wall) are kept. The blur is that of lens and motion, in pixels of the file as it is: "
        "noise, JPEG and sharpening hardly change it."
    ),
    add_options=_add_options,
    keep=keep,
    prefix=_prefix,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
