"""`python -m cliqa.metrics`: see `cliqa.cli.metric_listing`."""

from __future__ import annotations

import sys

from cliqa.cli.metric_listing import main

if __name__ == "__main__":
    sys.exit(main())
