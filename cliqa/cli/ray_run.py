"""`cliqa score --engine ray`: Ray Data hands parts to one actor per CPU or GPU, on this machine or on a cluster.

Queues, scheduling, retries and the restart of dead actors are Ray's. An actor reads its part by itself, so image bytes pass through
no object store; and it reserves half a CPU, since a pool that takes every CPU leaves none to other operators of a job, which then
hangs for ever. The actor's decode worker survives bad files as it does locally: a file that kills its decoder is an issue.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import pickle
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cliqa.cli.console import Console
from cliqa.cli.scoring import Scoring, metric_names, score
from cliqa.errors import CliqaError, RunError, UsageError
from cliqa.inputs.locations import is_remote
from cliqa.metrics import Metric
from cliqa.pipeline.part_scorer import Job, PartScorer
from cliqa.pipeline.parts import Counts, Part, PartFolder, plan
from cliqa.pipeline.run import default_workers
from cliqa.results import SUFFIXES, Results, Schema
from cliqa.text import display

ACTOR_CPUS = 0.5  # of the processors of a slot that Ray is told of, so that its own processes find room; chosen by hand
_MAX_BLOCKS = 10_000  # tasks that Ray has to know at a time; of more parts each takes several


@dataclass(frozen=True)
class Slots:
    """How many actors there are, what each reserves, and how many decode workers each has."""

    count: int
    cpus: float
    gpus: float
    workers: int


def slots_for(cpus: float, gpus: float, parts: int, asked: int | None = None) -> Slots:
    """One actor per GPU where metrics run on one, with its share of the CPUs to decode; else one per CPU.

    Args:
        cpus: of the cluster.
        gpus: of the cluster, as far as they are to be used.
        parts: how many there are to score: more actors would idle.
        asked: a number of actors to use instead.
    """
    processors = max(1, int(cpus))
    count = asked or (int(gpus) if gpus >= 1 else processors)
    workers = max(1, processors // count) if gpus >= 1 else 1
    return Slots(max(1, min(count, parts)), ACTOR_CPUS * workers, min(1.0, gpus / count) if gpus else 0.0, workers)


class RayScoring(Scoring):
    """The run loop over parts: what a slot has put in place is taken as a local run takes a file."""

    def open_results(self, schema: Schema) -> Iterator[Results]:
        """The folder of parts in the place of a store."""
        options = self.options
        settings = self.settings()
        suffixes = self.listing.suffixes
        marks = json.dumps(
            [
                settings.max_image_pixels, list(suffixes), options.image_column, options.key_column,
                *(["damaged"] if settings.score_damaged else []),
            ]
        )  # fmt: skip
        self.folder = PartFolder(options.results, schema, marks)
        inputs = [given for given in options.input if os.path.isdir(given)]
        self.folder.open(options.resume, {"base": os.getcwd(), "inputs": inputs})
        self.job = Job(
            tuple(metric_names(options.metrics)), options.checkpoint, "cpu", settings, suffixes,
            options.image_column, options.key_column, schema, _absolute(options.results), marks, os.getcwd(),
        )  # fmt: skip
        yield from ()

    def begin(self, stack: contextlib.ExitStack) -> None:
        """Options that the engine doesn't have are refused, and Ray is there."""
        _check(self.options)
        self.ray = _import_ray()
        # Ray reports dead workers there, data only goes there
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))

    def stream(self, metrics: list[list[Metric]]) -> Iterator[tuple[Part, Counts, bool]]:
        """Each part with its counts, and whether an earlier run has scored it."""
        waiting: dict[str, Part] = {}
        for part in plan(self.listing):
            counts = self.folder.done(part) if self.options.resume else None
            if counts is None:
                waiting[part.name] = part
            else:
                yield part, counts, True
        uses_gpu = any(metric.uses_torch for metric in metrics[0]) and self.options.gpu != [-1]
        started = bool(waiting) and _start(self.ray)
        try:
            for name, counts in self._score(list(waiting.values()), uses_gpu) if waiting else ():
                yield waiting[name], counts, False
        finally:
            if started:
                self.ray.shutdown()

    def _score(self, parts: list[Part], uses_gpu: bool) -> Iterator[tuple[str, Counts]]:
        cluster = self.ray.cluster_resources()
        gpus = cluster.get("GPU", 0.0) if uses_gpu else 0.0
        slots = slots_for(cluster.get("CPU", 1.0), gpus, len(parts), self.options.workers)
        settings = replace(self.job.settings, workers=slots.workers)
        job = replace(self.job, device="cuda:0" if slots.gpus else "cpu", settings=settings)
        self.console.say(f"{len(parts)} parts for {slots.count} actors")
        begun = time.monotonic()
        yield from _run(self.ray, parts, job, slots)
        self.seconds = time.monotonic() - begun

    def take(self, found: tuple[Part, Counts, bool]) -> None:
        """One part is done."""
        part, counts, known = found
        self.scored, self.known = self.scored + counts.scored * (not known), self.known + counts.scored * known
        self.issues += counts.issues
        if self.printer is not None:
            for path in self.folder.paths(part):
                self.printer(path)
        for issue in self.folder.issues(part) if counts.issues and not self.console.quiet else ():
            self.console.issue(issue)
        self.console.more(counts.scored + counts.issues - 1)

    def counts(self) -> list[str]:
        """The seconds are those of the job, without the start of Ray itself."""
        first, *rest = super().counts()
        return [first + (f" in {self.seconds:.1f} seconds" if self.scored else ""), *rest]


def score_in_parts(options: argparse.Namespace, console: Console) -> int:
    """What `cliqa score` does, by this engine."""
    return score(options, console, RayScoring)


def _run(ray: Any, parts: Sequence[Part], job: Job, slots: Slots) -> Iterator[tuple[str, Counts]]:
    """Name and counts of each part, as they are done."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [{"part": pickle.dumps(part)} for part in parts]
    dataset = ray.data.from_items(rows, override_num_blocks=min(len(rows), _MAX_BLOCKS)).map_batches(
        _Actor,
        fn_constructor_args=(pickle.dumps(job),),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=slots.count),
        num_cpus=slots.cpus,
        num_gpus=slots.gpus or None,
    )
    try:
        for row in dataset.iter_rows():
            yield str(row["name"]), Counts(int(row["scored"]), int(row["issues"]))
    except CliqaError:
        raise
    except Exception as error:
        raise RunError(f"the Ray job failed: {_cause(error)}; --resume goes on with what is done") from error


class _Actor:
    """A `PartScorer` with the face of a Ray Data function: batches of columns in and out."""

    def __init__(self, job: bytes) -> None:
        self._scorer = PartScorer(pickle.loads(job))

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        parts: list[Part] = [pickle.loads(part) for part in batch["part"]]
        counts = [self._scorer.score(part) for part in parts]
        return {
            "name": [part.name for part in parts],
            "scored": [count.scored for count in counts],
            "issues": [count.issues for count in counts],
        }


def _check(options: argparse.Namespace) -> None:
    if options.by_content:
        raise UsageError("--by-content needs the local engine: parts are known by the sizes and times of their files")
    if os.path.splitext(options.results)[1].lower() in SUFFIXES and not os.path.isdir(options.results):
        raise UsageError("the Ray engine writes a folder of Parquet files: give --results the name of a folder")
    if not is_remote(options.results) and os.path.exists(options.results) and not os.path.isdir(options.results):
        raise UsageError(f"{display(options.results)} exists and is no folder")


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError(f"--engine ray needs the extra: pip install 'cliqa[ray]' ({error})") from None
    return ray


def _start(ray: Any) -> bool:
    """Join the cluster that RAY_ADDRESS names, or start one on this machine's processors; whether it is ours to end."""
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    here = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": default_workers(), "include_dashboard": False}
    try:
        with _silenced():
            ray.init(**here, **quiet)
    except Exception as error:
        raise RunError(f"Ray could not be started or joined: {_cause(error)}") from error
    return True


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Ray's core says on standard error that it has been told to be quiet; what fails is an exception."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _absolute(results: str) -> str:
    return results if is_remote(results) else os.path.abspath(results)


def _cause(error: BaseException) -> str:
    """The line that says what went wrong: Ray wraps it in the story of how it learned of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
