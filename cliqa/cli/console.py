"""What a person sees while a command runs: progress, issues and a summary on standard error, data alone on standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any, TypeVar

from cliqa.errors import RunError
from cliqa.records import Issue
from cliqa.text import display, reason

Item = TypeVar("Item")


class Console:
    """Messages of one command. `quiet` leaves only errors."""

    def __init__(self, command: str, quiet: bool = False) -> None:
        self.command = command
        self.quiet = quiet
        self._bar: Any = None

    @property
    def terminal(self) -> bool:
        """Whether somebody watches: standard error is a terminal, and not to be quiet."""
        return not self.quiet and sys.stderr is not None and sys.stderr.isatty()

    def say(self, message: str) -> None:
        """One line, unless quiet."""
        if not self.quiet:
            self._write(message)

    def error(self, message: str) -> None:
        """One line, always."""
        self._write(f"{self.command}: {message}")

    def issue(self, issue: Issue) -> None:
        """The line of a file that gave no score."""
        self.say(str(issue))

    def watched(self, items: Iterable[Item], total: int | None = None) -> Iterable[Item]:
        """The same items, on a terminal with a bar that counts those that were taken."""
        if not self.terminal:
            return items
        from tqdm import tqdm

        self._bar = tqdm(items, total=total, unit="image", dynamic_ncols=True)
        watched: Iterable[Item] = self._bar
        return watched

    def more(self, count: int) -> None:
        """The last item stood for so many more."""
        if self._bar is not None:
            self._bar.update(count)

    def _write(self, message: str) -> None:
        message = display(message)  # names in it, and texts out of files, are foreign
        if sys.stderr is None:  # closed; `print` would take standard output
            return
        with contextlib.suppress(OSError):  # nobody listens: no reason to stop
            if self._bar is not None:
                self._bar.write(message, file=sys.stderr)
            else:
                print(message, file=sys.stderr, flush=True)


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Around what writes to standard output, which is flushed when the block ends.

    Raises:
        BrokenPipeError: the next command has gone.
        RunError: it can't be written (a full disk, say).
    """
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"standard output can't be written: {reason(error)}") from error


class PathPrinter:
    """Paths to standard output, byte for byte, each ended by a line feed or a zero byte."""

    def __init__(self, null: bool = False, stream: IO[bytes] | None = None) -> None:
        self._end = b"\0" if null else b"\n"
        if stream is None and sys.stdout is None:
            raise RunError("standard output is closed")
        self._stream = stream if stream is not None else sys.stdout.buffer

    def __call__(self, path: str) -> None:
        """Write one path and flush it, so that the next command in the pipe can begin. Raises as `standard_output`."""
        with standard_output():
            self._stream.write(os.fsencode(path) + self._end)
            self._stream.flush()
