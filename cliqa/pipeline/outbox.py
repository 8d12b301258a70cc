"""Messages to a worker, sent by a thread: one that is larger than a pipe's buffer must not hold up the main process.

While a worker is busy it doesn't read, so sending it an image's bytes would wait; and were its own answer waiting to be read
at that moment, both would wait for ever.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from multiprocessing.connection import Connection
from typing import Any


class Outbox:
    """Sends messages over a connection, in order. A dead other end is left for the reader to find."""

    def __init__(self, connection: Connection) -> None:
        self._waiting: queue.SimpleQueue[tuple[Any] | None] = queue.SimpleQueue()
        self._connection = connection
        self._thread = threading.Thread(target=self._send, name="cliqa-outbox", daemon=True)
        self._thread.start()

    def put(self, message: Any) -> None:
        """Send when those before it are gone; returns at once."""
        self._waiting.put((message,))

    def close(self) -> None:
        """End the thread; to be called when the other end is dead, since only then nothing waits in it."""
        self._waiting.put(None)
        self._thread.join(5)

    def _send(self) -> None:
        while (message := self._waiting.get()) is not None:
            with contextlib.suppress(OSError):
                self._connection.send(message[0])
            del message
