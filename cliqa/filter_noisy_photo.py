"""`python -m cliqa.filter_noisy_photo`: keep the photographs without visible noise."""

from __future__ import annotations

import sys

from cliqa.cli.filtering import Filter, Threshold
from cliqa.cli.options import bounded

THRESHOLD = Threshold("psnr", 40, bounded(0, 50), "quality threshold, in dB", digits=2)
COMMAND = Filter(
    "filter_noisy_photo",
    "grain_noise",
    "Copy (or link) the photographs whose noise, as their pixels show it, leaves a PSNR that reaches a threshold. 50 is no noise "
    "and 20 is very strong noise. What a codec took afterwards still counts, as far as its traces tell of it.",
    THRESHOLD.add_option,
    THRESHOLD.keep,
    THRESHOLD.prefix,
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
