"""Decode workers: processes that open a file, decode it once and reduce it to what the metrics read.

A pool of our own rather than `concurrent.futures`, because it must know which file a dead worker held: that file is tried
once more in a new worker and then given up, its neighbours are simply handed out again, and the run goes on.
Processes start by `spawn` everywhere, so Linux, macOS and Windows run the same code.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from cliqa.errors import ImageIssue, RunError
from cliqa.images import DEFAULT_MAX_IMAGE_PIXELS, load_image
from cliqa.metrics import Metric, Observation, View, metric_class
from cliqa.records import Issue, Scalar, Source

DEPTH = 2  # files handed to a worker at a time: one in work, one waiting
FILE_SECONDS = 300.0  # a worker that holds one file longer is taken for hung
START_SECONDS = 120.0


@dataclass(frozen=True)
class DecodeSettings:
    """What a worker has to know."""

    metrics: tuple[str, ...]
    num_patches: int = 8
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
    content_hash: bool = False


@dataclass
class Observed:
    """One decoded file: facts, and per metric its observation or the reason why there is none."""

    source: Source
    facts: dict[str, Scalar]
    observations: dict[str, Observation | ImageIssue]


def observe_file(source: Source, settings: DecodeSettings, classes: Sequence[type[Metric]]) -> Observed | Issue:
    """Open, decode once and observe. Whatever goes wrong with the file becomes an Issue."""
    facts: dict[str, Scalar] = {}
    try:
        facts = _stat_facts(source.path)
        if settings.content_hash:
            facts["sha256"] = content_sha256(source.path)
        image = load_image(source.path, settings.max_image_pixels)
        facts |= image.header.facts()
        view = View(image, settings.num_patches)
        observations: dict[str, Observation | ImageIssue] = {}
        for cls in classes:
            try:
                observations[cls.name] = cls.observe(view)
            except ImageIssue as issue:
                observations[cls.name] = issue
        failures = [found for found in observations.values() if isinstance(found, ImageIssue)]
        if failures and len(failures) == len(observations):
            return Issue.of(source, failures[0], facts)
        return Observed(source, facts, observations)
    except ImageIssue as error:
        return Issue.of(source, error, facts)
    except MemoryError:
        return Issue(source, "error", "not enough memory", facts)
    except Exception as error:  # one file never ends the run
        reason = " ".join(str(error).split())[:200]
        return Issue(source, "error", f"{type(error).__name__}: {reason}" if reason else type(error).__name__, facts)


def _stat_facts(path: str) -> dict[str, Scalar]:
    try:
        status = os.stat(path)
    except OSError:
        return {}  # opening it will say why
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def content_sha256(path: str) -> str | None:
    """SHA-256 of a file's bytes in hexadecimal, None where they can't be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _work(connection: Connection, settings: DecodeSettings) -> None:
    """The life of a worker: files in, observations out, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    classes = [metric_class(name) for name in settings.metrics]
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(None)
        while True:
            source = connection.recv()
            if source is None:
                return
            connection.send(observe_file(source, settings, classes))


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    held: deque[tuple[int, Source]] = field(default_factory=deque)
    ready: bool = False
    since: float = field(default_factory=time.monotonic)


class WorkerPool:
    """Hands files to workers and yields results as they come, numbered. Use as a context manager."""

    def __init__(self, settings: DecodeSettings, workers: int) -> None:
        self.settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._size = max(1, workers)
        self._again: deque[tuple[int, Source]] = deque()
        self._tried: set[int] = set()
        self._dead_at_start = 0

    def __enter__(self) -> WorkerPool:
        for _ in range(self._size):
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(2)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

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
            worker.connection.send(source)

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
                        answer = worker.connection.recv()
                        worker.since = time.monotonic()
                        if worker.ready:
                            found.append((worker.held.popleft()[0], answer))
                        else:
                            worker.ready = True
                            self._dead_at_start = 0
                except (EOFError, OSError):
                    found += self._bury(worker, "the decoder process died on this file")
                    continue
            limit = FILE_SECONDS if worker.ready else START_SECONDS
            if worker.held and time.monotonic() - worker.since > limit:
                worker.process.kill()
                found += self._bury(worker, f"decoding took longer than {limit:.0f} seconds")
        while self._again and any(len(worker.held) < DEPTH for worker in self._workers):
            self.submit(*self._again.popleft())
        return found

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self.settings), daemon=True)
        with _single_threaded_numerics():
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _bury(self, worker: _Worker, reason: str) -> list[tuple[int, Observed | Issue]]:
        """Replace a dead worker; blame the file that it had in work, hand the others out again."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join(5)
        given_up: list[tuple[int, Observed | Issue]] = []
        if worker.ready and worker.held:
            number, source = worker.held.popleft()
            if number in self._tried:
                given_up.append((number, Issue(source, "error", f"{reason}, twice")))
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


@contextlib.contextmanager
def _single_threaded_numerics() -> Iterator[None]:
    """One thread of linear algebra per worker, set where a spawned process inherits it: there is a worker per core."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
