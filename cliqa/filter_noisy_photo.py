"""`python -m cliqa.filter_noisy_photo`: keep the photographs without visible noise."""

from __future__ import annotations

import argparse
import sys

from cliqa.filtering import Fields, Filter
from cliqa.options import bounded


def _add_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--psnr", type=bounded(0, 50), default=40, help="quality threshold, in dB")


def _keep(options: argparse.Namespace, fields: Fields) -> bool:
    return bool(fields["psnr"] >= options.psnr)


def _prefix(fields: Fields) -> str:
    return f"{round(fields['psnr']):02d}"


COMMAND = Filter(
    command="filter_noisy_photo",
    metric="grain_noise",
    description=(
        "Copy (or link) the photographs whose noise, as their pixels show it, leaves a PSNR that reaches a threshold. 50 is no noise "
        "and 20 is very strong noise. Trained on JPEG of quality 80 and more: run filter_low_quality_jpeg first."
    ),
    add_options=_add_options,
    keep=_keep,
    prefix=_prefix,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
