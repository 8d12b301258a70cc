"""`python -m cliqa.filter_low_quality_jpeg`: keep the images that were never saved as a low quality JPEG."""

from __future__ import annotations

import argparse
import sys

from cliqa.cli.filtering import Fields, Filter, Threshold
from cliqa.cli.options import bounded

THRESHOLD = Threshold("quality", 90, bounded(0, 100), "quality threshold")


def _add_options(group: argparse._ArgumentGroup) -> None:
    THRESHOLD.add_option(group)
    group.add_argument("--filter-420", action="store_true", help="drop all 4:2:0(chroma-subsampled) JPEG images")


def _is_420(fields: Fields) -> bool:
    return bool(fields["subsampling_420"] > 0.5)


def _keep(options: argparse.Namespace, fields: Fields) -> bool:
    return bool(fields["quality"] >= options.quality) and not (options.filter_420 and _is_420(fields))


def _prefix(fields: Fields) -> str:
    return f"{THRESHOLD.prefix(fields)}_{420 if _is_420(fields) else 444}"


COMMAND = Filter(
    command="filter_low_quality_jpeg",
    metric="jpeg_quality",
    description=(
        "Copy (or link) the images whose JPEG quality, as their pixels show it, reaches a threshold. Sees through files that "
        "were saved again at a higher quality or converted to PNG."
    ),
    add_options=_add_options,
    keep=_keep,
    prefix=_prefix,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
