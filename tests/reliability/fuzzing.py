"""Mutated files through the whole pipeline, in real workers: what came of each, how long it took, how much memory there was."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import numpy as np

from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Source
from tests.reliability.mutations import mutated
from tests.reliability.seeds import seeds
from tests.reliability.touching_metric import Touching

_CHUNK = 500  # files on disk at a time


@dataclass
class Outcome:
    """What became of the mutated files of one format.

    Attributes:
        files, records, issues: how many went in, were scored, gave an issue.
        deaths: workers that had to be replaced.
        seconds: the most processor time that one file took of a worker (a file that it was ended over is among `deaths`).
        mebibytes: the most memory that a worker held (resident).
        unexpected: findings against a promise: a file with no answer or two, an exception that is no issue.
        messages: how often each kind of issue came.
    """

    files: int = 0
    records: int = 0
    issues: int = 0
    deaths: int = 0
    seconds: float = 0.0
    mebibytes: float = 0.0
    slowest: str = ""
    unexpected: list[str] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)


def fuzz(format_name: str, count: int, folder: Path, workers: int = 1, seed: int = 0) -> Outcome:
    """Mutate `count` files of a format and score them.

    Args:
        format_name: one of `seeds.FORMATS`.
        count: how many files.
        folder: an empty folder to write them to, a chunk at a time.
        workers: decode processes.
        seed: file `n` is made from (seed, format, n) alone.
    """
    outcome = Outcome()
    others = [sound for name in ("JPEG", "PNG", "TIFF", "WEBP", format_name) for sound in seeds(name)]
    for first in range(0, count, _CHUNK):
        made: dict[str, str] = {}
        for number in range(first, min(first + _CHUNK, count)):
            rng = np.random.default_rng([seed, sum(format_name.encode()), number])
            sound = seeds(format_name)[number % len(seeds(format_name))]
            data, what = mutated(sound, others, rng)
            path = folder / f"{number:06d}.{format_name.lower()}"
            path.write_bytes(data)
            made[str(path)] = what
        with _watched(outcome):
            settings = PipelineSettings(workers=workers, batch_size=64)
            answers = Counter[str]()
            for found in run([Source(path) for path in made], [Touching({}, {})], settings):
                answers[found.path] += 1
                if isinstance(found, Issue):
                    outcome.issues += 1
                    outcome.messages[_kind(found.message)] += 1
                    if _is_unforeseen(found.message):
                        outcome.unexpected.append(f"{Path(found.path).name} {made[found.path]}: {found.message}")
                else:
                    outcome.records += 1
        outcome.files += len(made)
        outcome.unexpected += [f"{Path(path).name}: {answers[path]} answers" for path in made if answers[path] != 1]
        for path in made:
            os.unlink(path)
    return outcome


@contextlib.contextmanager
def _watched(outcome: Outcome) -> Iterator[None]:
    """Take the time and the memory of every answer of a worker, and count the workers that died."""
    receive, bury = WorkerPool._receive, WorkerPool._bury
    before: dict[int, float] = {}

    def watched_receive(pool: WorkerPool, worker: object) -> object:
        used = _processor_seconds(worker.process.pid)  # type: ignore[attr-defined]
        seconds = used - before.get(id(worker), used)
        before[id(worker)] = used
        if seconds > outcome.seconds:
            outcome.seconds, outcome.slowest = seconds, Path(worker.held[0][1].path).name  # type: ignore[attr-defined]
        outcome.mebibytes = max(outcome.mebibytes, _peak_mebibytes(worker.process.pid))  # type: ignore[attr-defined]
        return receive(pool, worker)  # type: ignore[arg-type]

    def watched_bury(pool: WorkerPool, worker: object, reason: str) -> object:
        outcome.deaths += 1
        before.pop(id(worker), None)
        outcome.messages[f"worker: {reason}"] += 1
        return bury(pool, worker, reason)  # type: ignore[arg-type]

    with (
        mock.patch.object(WorkerPool, "_receive", watched_receive),
        mock.patch.object(WorkerPool, "_bury", watched_bury),
    ):
        yield


def _processor_seconds(pid: int | None) -> float:
    """What a process has used so far (Linux; 0 elsewhere): a busy machine's clock would tell of its neighbours."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/stat") as stream:
        user, system = stream.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _peak_mebibytes(pid: int | None) -> float:
    """The most memory that a process has held (Linux; 0 elsewhere)."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as stream:
        for line in stream:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _is_unforeseen(message: str) -> bool:
    """Whether an issue is a fault of ours that was caught at the last line: the type of an exception, not a reason."""
    return message.split(":")[0].endswith(("Error", "Exception", "Warning")) or "died on this file" in message


def _kind(message: str) -> str:
    return "".join("#" if char.isdigit() else char for char in message)[:60]
