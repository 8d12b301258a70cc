"""`python -m cliqa.filter_low_quality_compression`: keep the images that lossy codecs left nearly as they were."""

from __future__ import annotations

import argparse
import sys

from cliqa.cli.filtering import Fields, Filter, Threshold
from cliqa.cli.options import bounded
from cliqa.signal.compression.codecs import CODECS

THRESHOLD = Threshold("fidelity", 70, bounded(0, 100), "fidelity threshold, on the scale of SSIMULACRA 2")


def codec_list(text: str) -> tuple[str, ...]:
    """Codecs separated by commas. Raises ArgumentTypeError."""
    given = [part.strip().lower() for part in text.split(",") if part.strip()]
    unknown = [part for part in given if part not in CODECS]
    if unknown or not given:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: known codecs are {', '.join(CODECS)}")
    return tuple(dict.fromkeys(given))


def _add_options(group: argparse._ArgumentGroup) -> None:
    THRESHOLD.add_option(group)
    group.add_argument(
        "--codec",
        type=codec_list,
        metavar="NAMES",
        help="judge only images whose strongest traces are of these codecs, separated by commas, and keep all others "
        f"(default: all of {', '.join(CODECS)})",
    )


def _keep(options: argparse.Namespace, fields: Fields) -> bool:
    judged = options.codec is None or fields["codec"] in options.codec
    return not judged or THRESHOLD.keep(options, fields)


def _prefix(fields: Fields) -> str:
    return f"{THRESHOLD.prefix(fields)}_{fields['codec']}"


COMMAND = Filter(
    command="filter_low_quality_compression",
    metric="compression",
    description=(
        "Copy (or link) the images that lossy codecs (JPEG, WebP, AVIF, HEIC, JPEG 2000, JPEG XL, video) left nearly as they were: "
        "100 is nothing lost, 90 visually lossless, 70 high, 50 medium, 30 low quality. Reads the pixels, so a PNG that was a WebP is "
        "told too."
    ),
    add_options=_add_options,
    keep=_keep,
    prefix=_prefix,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
