"""What one file may take of a decode worker: processor time and memory, by the work that its header declares.

The system itself enforces both, since a decoder that hangs in C can be asked nothing: a timer of the process's own processor time
ends it (waiting for a slow disk costs none), and allocations beyond the limit fail, which becomes an issue. Where a system lacks
one of the two (Windows both, macOS the second), only the pool's limit on waiting is left.
"""

from __future__ import annotations

import contextlib
import signal

from cliqa.limits import FILE_SECONDS, bytes_for, seconds_for

TIMER_SIGNAL = getattr(signal, "SIGPROF", None)  # what ends a process whose timer ran out


class FileBudget:
    """Starts small, grows when a header has declared an image within the limits, ends with the file.

    Args:
        seconds: processor seconds for any file, before what its pixels add; 0 for no limit.
    """

    def __init__(self, seconds: float = FILE_SECONDS) -> None:
        self.seconds = seconds

    def begin(self) -> None:
        """A new file: nothing is known of it yet."""
        self.allow(0)

    def allow(self, pixels: int) -> None:
        """An image of so many pixels is about to be decoded; counts from now on."""
        self._set_timer(seconds_for(pixels, self.seconds) if self.seconds else 0.0)
        _set_memory(bytes_for(pixels))

    def end(self) -> None:
        """The file is done: no more time runs."""
        self._set_timer(0.0)

    def _set_timer(self, seconds: float) -> None:
        if TIMER_SIGNAL is not None:
            signal.setitimer(signal.ITIMER_PROF, seconds)


def _set_memory(limit: int) -> None:
    """Let the process's data grow to `limit` bytes (Linux: heap and anonymous mappings, files mapped for reading not counted)."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
