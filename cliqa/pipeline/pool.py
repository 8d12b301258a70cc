"""Decode workers: processes that open a file, decode it once and reduce it to what the metrics read.

A pool of our own rather than `concurrent.futures`, because it must know which file a dead worker held: that file is tried
once more in a new worker and then given up, its neighbours are simply handed out again, and the run goes on.
Processes start by `spawn` everywhere, so Linux, macOS and Windows run the same code. They import cliqa and the metrics'
modules, never the caller's script: a script needs no `if __name__ == "__main__"`, and its imports cost the workers nothing.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from cliqa.errors import RunError
from cliqa.metrics import Metric
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import TIMER_SIGNAL, Observed, clean_start, work
from cliqa.records import Issue, Record, Source
from cliqa.text import described, reason

DEPTH = 2  # files handed to a worker at a time: one in work, one waiting, so that none ever waits for the main process
STALL_SECONDS = 300.0  # a worker that gives no answer for longer waits for a disk that does not come back; by hand
START_SECONDS = 120.0  # for the imports of a worker; chosen by hand, far longer than they take


class Outbox:
    """Sends messages over a connection, in order, by a thread. A dead other end is left for the reader to find.

    One that is larger than a pipe's buffer must not hold up the main process: while a worker is busy it doesn't read, so sending it an
    image's bytes would wait; and were its own answer waiting to be read at that moment, both would wait for ever.
    """

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


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    held: deque[tuple[int, Source]] = field(default_factory=deque)
    there: bool = False  # it runs, and reads
    ready: bool = False  # it has the metrics
    since: float = field(default_factory=time.monotonic)
    outbox: Outbox | None = None

    def send(self, message: Source | bytes) -> None:
        """Hand over a file, or the metrics; does not wait where a file brings its bytes. Raises OSError where the worker is dead."""
        if self.outbox is None and isinstance(message, Source) and message.released() is not message:
            self.outbox = Outbox(self.connection)
        (self.connection.send if self.outbox is None else self.outbox.put)(message)

    def close(self) -> None:
        """Close this end, once the process is dead."""
        if self.outbox is not None:
            self.outbox.close()
        self.connection.close()


class WorkerPool:
    """Hands files to `settings.workers` processes and yields results as they come, numbered. Use as a context manager."""

    def __init__(self, metrics: Sequence[Metric], settings: PipelineSettings) -> None:
        self._settings = settings
        try:
            self._metrics = pickle.dumps([metric if metric.in_worker else metric.target for metric in metrics])
        except (
            pickle.PicklingError,
            AttributeError,
            TypeError,
        ) as error:  # what pickle raises of a metric of somebody's own
            raise RunError(f"a metric can't be sent to a decode worker: {described(error)}") from error
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._size = max(1, settings.workers)
        self._again: deque[tuple[int, Source]] = deque()
        self._tried: set[int] = set()
        self._dead_at_start = 0

    def __enter__(self) -> WorkerPool:
        try:
            for _ in range(self._size):
                self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(2)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.close()
        self._workers.clear()

    def observed(
        self, sources: Iterable[Source | Issue | Record], ready: Callable[[], bool] | None = None
    ) -> Iterator[list[Observed | Issue | Record]]:
        """What becomes of each source, in their order: lists, each the run of neighbours that is complete.

        What is settled already comes out in its place. `ready` says whether the next source can be had without waiting.
        """
        numbered = enumerate(sources)
        waiting: dict[int, Observed | Issue | Record] = {}
        first = issued = 0
        exhausted = False
        window = self.room() + self._settings.batch_size
        while True:
            complete = []
            while first in waiting:
                complete.append(waiting.pop(first))
                first += 1
            while not exhausted and self.room() > 0 and issued - first < window:
                if ready is not None and not ready() and (complete or waiting or self.busy):
                    break
                following = next(numbered, None)
                if following is None:
                    exhausted = True
                    break
                number, source = following
                issued = number + 1
                if isinstance(source, Source):
                    self.submit(number, source)
                else:
                    waiting[number] = source
            if complete:
                yield complete
            elif exhausted and not (waiting or self.busy):
                return
            waiting.update(self.results(0.0 if complete or first in waiting else None))

    def room(self) -> int:
        """How many more files may be submitted now."""
        return sum(DEPTH - len(worker.held) for worker in self._workers) - len(self._again)

    @property
    def busy(self) -> bool:
        """Whether any file is still to come back."""
        return bool(self._again) or any(worker.held for worker in self._workers)

    def submit(self, number: int, source: Source) -> None:
        """Hand out one file; call only while there is `room`."""
        worker = min(self._workers, key=lambda candidate: len(candidate.held))
        if not worker.held:
            worker.since = time.monotonic()
        worker.held.append((number, source))
        with contextlib.suppress(OSError):  # a dead worker: `results` finds out and hands the file out again
            worker.send(source)

    def results(self, timeout: float | None = None) -> Iterator[tuple[int, Observed | Issue]]:
        """Whatever has come back; waits for the first up to `timeout` seconds (None: as long as it takes)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self._collect(0.5 if deadline is None else max(0.0, min(0.5, deadline - time.monotonic())))
            yield from found
            if found or not self.busy or (deadline is not None and time.monotonic() >= deadline):
                return

    def _collect(self, seconds: float) -> list[tuple[int, Observed | Issue]]:
        found: list[tuple[int, Observed | Issue]] = []
        ready = set(wait([worker.connection for worker in self._workers], seconds))
        for worker in list(self._workers):
            if worker.connection in ready:
                try:
                    while worker.connection.poll():
                        found += self._receive(worker)
                except (EOFError, OSError):
                    found += self._bury(worker, "the decoder process died on this file")
                    continue
            limit = STALL_SECONDS if worker.ready else START_SECONDS
            if worker.held and time.monotonic() - worker.since > limit:
                found += self._bury(worker, f"decoding took longer than {limit:g} seconds")
        while self._again and any(len(worker.held) < DEPTH for worker in self._workers):
            self.submit(*self._again.popleft())
        return found

    def _receive(self, worker: _Worker) -> list[tuple[int, Observed | Issue]]:
        message = worker.connection.recv_bytes()
        worker.since = time.monotonic()
        if not worker.there:
            worker.there = True
            worker.send(self._metrics)
            return []
        if not worker.ready:
            worker.ready = True
            self._dead_at_start = 0
            return []
        number, source = worker.held.popleft()
        try:
            answer: Observed | Issue = pickle.loads(message)
        except Exception as error:  # what could be pickled there need not be readable here
            answer = Issue(source.released(), "error", f"can't be sent between processes: {described(error)}")
        return [(number, answer)]

    def _start(self) -> None:
        try:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=work, args=(theirs, self._settings), daemon=True)
            with clean_start():
                process.start()
        except OSError as error:  # too many processes or open files
            raise RunError(f"a decode worker can't be started: {reason(error)}") from error
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _bury(self, worker: _Worker, reason: str) -> list[tuple[int, Observed | Issue]]:
        """Replace a dead worker; blame the file that it had in work, hand the others out again."""
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join(5)
        worker.close()
        given_up: list[tuple[int, Observed | Issue]] = []
        if worker.ready and worker.held:
            number, source = worker.held.popleft()
            if TIMER_SIGNAL is not None and worker.process.exitcode == -TIMER_SIGNAL:  # it would again
                given_up.append(
                    (number, Issue(source.released(), "error", "its decoding took too much processor time"))
                )
            elif number in self._tried:
                given_up.append((number, Issue(source.released(), "error", f"{reason}, twice")))
            else:
                self._tried.add(number)
                self._again.append((number, source))
        elif not worker.ready:
            self._dead_at_start += 1
            if self._dead_at_start > 2 * self._size:
                raise RunError(f"decode workers do not start (exit status {worker.process.exitcode})")
        self._again.extend(worker.held)
        self._start()
        return given_up
