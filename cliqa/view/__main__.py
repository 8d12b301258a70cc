"""`python -m cliqa.view`."""

import sys

from cliqa.view.command import main

if __name__ == "__main__":
    sys.exit(main())
