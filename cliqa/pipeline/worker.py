"""What a decode worker does: one file -> what the metrics observe of it, or an issue, within a budget of time and memory.

`observe_file` opens a file, decodes it once and reduces it; it runs in the main process too. Only a worker has a budget, which the
system enforces, since a decoder that hangs in C can be asked nothing: a timer of the process's own processor time ends it (waiting for
a slow disk costs none), and allocations beyond the limit fail, which becomes an issue. Where a system lacks one of the two (Windows
both, macOS the second), only the pool's limit on waiting is left.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import pickle
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

from cliqa.errors import ImageError, ImageIssue, ImageSkipped
from cliqa.images.jpeg import hand_on
from cliqa.images.loading import load_image
from cliqa.inputs.contents import content_sha256
from cliqa.metrics import Metric, Observation, Value, View, metric_class
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Issue, Scalar, Source
from cliqa.text import described

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
# glibc gives memory of this size back to the system whenever it is freed, so every image would have to fault its pages in
# again: a tenth of a worker's time. With these a worker keeps up to 128 MiB for the next image. Elsewhere they mean nothing.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(128 << 20)}
DIGITS = 6  # significant ones of a stored number: beyond, two machines differ, and no score is that exact
TIMER_SIGNAL = getattr(signal, "SIGPROF", None)  # what ends a process whose timer ran out
_SECONDS_PER_MEGAPIXEL = 0.5  # JPEG takes 3 ms, PNG 13, AVIF and JPEG 2000 up to 100; slow machines ten times as much
_LEAST_BYTES = 1 << 30  # of a worker: enough for 44 megapixels, so that most files change no limit
_BYTES_OF_A_WORKER = 512 << 20  # interpreter, libraries, the metrics' own tables
_BYTES_PER_PIXEL = 12  # Pillow holds four a pixel, twice where a mode is converted; decoders hold planes of their own
_PIXELS_PER_BYTE = 25  # photographs have 1 to 20 as JPEG; a blank scan as PNG has hundreds


@dataclass
class Observed:
    """One decoded file: facts, and per metric its observation, its fields where it is `in_worker`, or why there is neither."""

    source: Source
    facts: dict[str, Scalar]
    observations: dict[str, Observation | ImageIssue] = field(default_factory=dict)
    values: dict[str, dict[str, Value]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def observe_file(
    source: Source,
    settings: PipelineSettings,
    metrics: Sequence[Metric | type[Metric]],
    declared: Callable[[int, int], None] = lambda size, pixels: None,
) -> Observed | Issue:
    """Open, decode once and observe. Whatever goes wrong with the file becomes an Issue.

    Loaded metrics that are `in_worker` score too; of the others the class will do.

    `declared` is called before the pixels are decoded, with the file's size and how many its header declares.
    """
    facts: dict[str, Scalar] = {}
    content = source.content
    if content is not None:
        source = source.released()
    try:
        facts = _stat_facts(source)
        data = content.read() if content is not None else None
        if settings.content_hash:
            facts["sha256"] = content_sha256(source.path) if data is None else hashlib.sha256(data).hexdigest()
        image = load_image(
            source.path if data is None else data,
            settings.max_image_pixels,
            partial(declared, int(facts.get("size") or 0)),
            settings.score_damaged,
        )
        facts |= image.facts()
        view = View(image, settings.num_patches)
        found = Observed(source, facts)
        for metric in metrics:
            try:
                if image.is_preview and metric.reads_grid:
                    raise ImageSkipped("a preview's pixels are not those of the picture")
                seen = metric.observe(view)
                if isinstance(metric, Metric) and metric.in_worker:
                    found.values[metric.name] = plain_score(metric, seen)
                else:
                    found.observations[metric.name] = seen
            except ImageIssue as issue:
                found.observations[metric.name] = issue
        if image.header.format == "JPEG":
            hand_on(image.stored)
        failures = [seen for seen in found.observations.values() if isinstance(seen, ImageIssue)]
        if failures and len(failures) == len(metrics):
            return Issue.of(source, failures[0], facts)
        found.notes += image.notes
        if image.icc_ignored:
            found.notes.append("the colour profile can't be used and was ignored")
        return found
    except ImageIssue as error:
        return Issue.of(source, error, facts)
    except MemoryError:
        return Issue(source, "error", "not enough memory", facts)
    except Exception as error:  # one file never ends the run
        return Issue(source, "error", described(error), facts)


def _stat_facts(source: Source) -> dict[str, Scalar]:
    state = source.state()
    return {} if state is None else {"size": state.size, "mtime_ns": state.mtime_ns}  # opening it will say why


def plain_score(metric: Metric, observation: Observation) -> dict[str, Value]:
    """The metric's `score` in plain Python values, with `DIGITS` digits: what runs decide by and store.

    Raises ImageError where a number is not finite, so that no rule compares with it.
    """
    answer = metric.score(observation)
    values = {field.name: _plain(field.kind, answer[field.name]) for field in metric.fields}
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ImageError(f"{metric.name} gave no finite {name}")
    return values


def _plain(kind: str, value: Value) -> Value:
    if value is None:
        return None
    if kind == "float":
        number = float(value)
        return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else number
    return int(value) if kind == "int" else str(value)


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


def work(connection: Connection, settings: PipelineSettings) -> None:
    """The life of a worker: it says that it is there, gets the metrics, says that it has them; then files in, observations out.

    The metrics come as one pickle, to a worker that reads: were they its arguments, one that dies before it reads them would hold up
    who starts it for ever. Those that only observe here are given by their `target`; those that score here come loaded.
    """
    _ignore_interrupts()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(None)
        early: list[Source] = []  # what was handed out before the metrics
        while not isinstance(message := connection.recv(), bytes):
            early.append(message)
        found = [metric_class(metric) if isinstance(metric, str) else metric for metric in pickle.loads(message)]
        _silence()
        budget = FileBudget(settings.file_seconds)
        connection.send(None)
        while True:
            source = early.pop(0) if early else connection.recv()
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
