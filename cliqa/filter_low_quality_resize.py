"""`python -m cliqa.filter_low_quality_resize`: keep the images that were never enlarged."""

from __future__ import annotations

import sys

from cliqa.cli.options import bounded
from cliqa.cli.threshold import Threshold, threshold_filter

COMMAND = threshold_filter(
    "filter_low_quality_resize",
    "scale_factor",
    Threshold("quality", 95, bounded(0, 100), "quality threshold; 95 is an enlargement by 1.05"),
    "Copy (or link) the images that were not enlarged, as their pixels show it. Quality 100 is the original size or smaller, 80 is "
    "an enlargement by 1.2 and 0 by 2 or more. Blur, rotation and a camera's softness are no enlargement.",
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
