"""`python -m cliqa.report`."""

import sys

from cliqa.report.command import main

if __name__ == "__main__":
    sys.exit(main())
