"""`python -m cliqa.view.scorer …`: `cliqa.score` beside a viewer, at low priority, ending when whoever started it has gone.

Its standard input is a pipe that the viewer holds open: the pipe's end tells that the viewer is no more, however that came.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading

NICENESS = 5  # the page and its thumbnails come first


def main() -> int:
    """Score until done, or until standard input ends."""
    threading.Thread(target=_end_with_the_viewer, daemon=True).start()
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    from cliqa.score import main as score

    return score(sys.argv[1:])


def _end_with_the_viewer() -> None:
    with contextlib.suppress(OSError, ValueError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
