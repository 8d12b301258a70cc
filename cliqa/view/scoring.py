"""The run that scores what is not scored yet, in a process of its own: whatever happens to it, the page and the marks stay."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import IO

NICENESS = 5  # the page and its thumbnails come first
_GRACE = 20.0  # seconds to write out what is done when it is asked to end


class BackgroundScoring:
    """One run of `cliqa.score` with `--resume`.

    Attributes:
        started: when, by `time.monotonic`; 0 before.
    """

    def __init__(self, folder: str, store: str, options: Sequence[str] = ()) -> None:
        self._arguments = ["-i", folder, "--results", store, "--resume", "--quiet", *options]
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._message = ""
        self.started = 0.0

    def start(self) -> None:
        """Begin; does nothing where it has begun."""
        with self._lock:
            if self._process is not None:
                return
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cliqa.view.scoring", *self._arguments],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors, start_new_session=True,
            )  # fmt: skip

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._process is not None and self._process.poll() is None

    @property
    def over(self) -> bool:
        """Whether it has begun and ended."""
        return self._process is not None and self._process.poll() is not None

    @property
    def message(self) -> str:
        """Why it ended before its time, in one line; empty where it did not."""
        if not self._message and self.over and self._process is not None and self._process.returncode != 0:
            text = ""
            if self._errors is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._errors.seek(0)
                    text = self._errors.read()[-4000:].decode("utf-8", "replace").strip()
            last = text.splitlines()[-1] if text else f"it ended with status {self._process.returncode}"
            self._message = f"scoring has stopped: {last}"
        return self._message

    def stop(self) -> None:
        """End it, with what is done written out."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._errors is not None:
            self._errors.close()


def seconds_left(done: int, waiting: int, since: float) -> float | None:
    """How long the rest may take at the pace so far; None while that can't be told."""
    spent = time.monotonic() - since
    return spent / done * waiting if done >= 5 and spent > 1 else None


def main() -> int:
    """What that process does: score at low priority until done, or until standard input ends.

    It is a pipe that the viewer holds open: its end tells that the viewer is no more, however that came.
    """
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
