"""A filter by brightness, for tests of everything that filters share: `python -m tests.toy_filter`."""

from __future__ import annotations

import os
import sys

from cliqa.cli.filtering import Filter
from cliqa.cli.options import bounded

COMMAND = Filter(
    command="toy_filter",
    metric="tests.toy_metric:" + os.environ.get("TOY_METRIC", "Brightness"),
    description="Keep bright pictures.",
    add_options=lambda group: group.add_argument("--mean", type=bounded(0, 255), default=100),
    keep=lambda options, fields: fields["mean"] >= options.mean,
    prefix=lambda fields: f"{round(fields['mean']):03d}",
)
main = COMMAND.main

if __name__ == "__main__":
    sys.exit(main())
