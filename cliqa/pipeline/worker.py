"""The inside of a decode worker, and what a process that starts as one inherits."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

from cliqa.metrics import Metric, metric_class
from cliqa.pipeline.file_budget import FileBudget
from cliqa.pipeline.observe import observe_file
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Issue
from cliqa.text import described

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
# glibc gives memory of this size back to the system whenever it is freed, so every image would have to fault its pages in
# again: a tenth of a worker's time. With these a worker keeps up to 128 MiB for the next image. Elsewhere they mean nothing.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(128 << 20)}


def work(connection: Connection, metrics: Sequence[Metric | str], settings: PipelineSettings) -> None:
    """The life of a worker: files in, observations out, until the other end closes.

    Metrics that only observe here are given by their `target`; those that score here come loaded.
    """
    _ignore_interrupts()
    found = [metric_class(metric) if isinstance(metric, str) else metric for metric in metrics]
    _silence()
    budget = FileBudget(settings.file_seconds)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(None)
        while True:
            source = connection.recv()
            budget.allow()
            answer = observe_file(source, settings, found, budget.allow)
            budget.end()
            try:
                connection.send(answer)
            except OSError:
                raise
            except Exception as error:  # an observation or an exception of a metric that can't be pickled
                connection.send(
                    Issue(source.released(), "error", f"can't be sent between processes: {described(error)}")
                )


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the terminal; it is the main process's to handle, which then ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _silence() -> None:
    """Decoders in C write where they like: nothing of it may reach the data on standard output, or garble the messages."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError):
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    if nowhere > 2:
        os.close(nowhere)


@contextlib.contextmanager
def clean_start() -> Iterator[None]:
    """What a process that starts now inherits.

    One thread of linear algebra, since there is a worker per core; memory that is kept from image to image; Ctrl-C held back
    until the worker ignores it; and no main module, which `spawn` would import again in every worker.
    """
    settings = ONE_THREAD | {name: os.environ.get(name, value) for name, value in KEPT_MEMORY.items()}
    before = {name: os.environ.get(name) for name in settings}
    main = sys.modules["__main__"]
    mask = None
    if hasattr(signal, "pthread_sigmask") and threading.current_thread() is threading.main_thread():
        resource_tracker.ensure_running()  # it unblocks the signal when it starts
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(settings)
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
