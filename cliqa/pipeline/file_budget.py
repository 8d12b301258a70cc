"""What one file may take of a decode worker: processor time and memory, by the work that its header declares.

The system itself enforces both, since a decoder that hangs in C can be asked nothing: a timer of the process's own processor time
ends it (waiting for a slow disk costs none), and allocations beyond the limit fail, which becomes an issue. Where a system lacks
one of the two (Windows both, macOS the second), only the pool's limit on waiting is left.
"""

from __future__ import annotations

import contextlib
import signal

TIMER_SIGNAL = getattr(signal, "SIGPROF", None)  # what ends a process whose timer ran out
_SECONDS_PER_MEGAPIXEL = 0.5  # JPEG takes 3 ms, PNG 13, AVIF and JPEG 2000 up to 100; slow machines ten times as much
_LEAST_BYTES = 1 << 30  # of a worker: enough for 44 megapixels, so that most files change no limit
_BYTES_OF_A_WORKER = 512 << 20  # interpreter, libraries, the metrics' own tables
_BYTES_PER_PIXEL = 12  # Pillow holds four a pixel, twice where a mode is converted; decoders hold planes of their own
_PIXELS_PER_BYTE = 25  # photographs have 1 to 20 as JPEG; a blank scan as PNG has hundreds


class FileBudget:
    """Starts small, grows when a header has declared an image within the limits, ends with the file.

    Args:
        seconds: processor seconds for any file, before what its pixels add; 0 for no limit.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def allow(self, size: int = 0, declared: int = 0) -> None:
        """A file of `size` bytes that declares so many pixels is about to be decoded, none while nothing is known; counts from now on.

        A file of two kilobytes may declare 179 megapixels, but it gets neither the time nor the memory for them.
        """
        pixels = min(declared, _PIXELS_PER_BYTE * size)
        self._set_timer(self.seconds + _SECONDS_PER_MEGAPIXEL * pixels / 1e6 if self.seconds else 0.0)
        _set_memory(max(_LEAST_BYTES, _BYTES_OF_A_WORKER + _BYTES_PER_PIXEL * pixels))

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
