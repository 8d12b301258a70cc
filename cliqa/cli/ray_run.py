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
from typing import TYPE_CHECKING, Any

from cliqa.cli.setup import pipeline_settings, schema_of
from cliqa.errors import CliqaError, RunError, UsageError
from cliqa.inputs.listing import Listing
from cliqa.inputs.locations import is_remote
from cliqa.pipeline.part_scorer import Job, PartScorer
from cliqa.pipeline.parts import Part, PartFolder, plan
from cliqa.results import SUFFIXES
from cliqa.text import counted, display

if TYPE_CHECKING:
    from cliqa.cli.console import Console
    from cliqa.metrics import Metric

ACTOR_CPUS = 0.5
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


def score_with_ray(
    options: argparse.Namespace,
    console: Console,
    listing: Listing,
    names: Sequence[str],
    metrics: Sequence[Metric],
) -> int:
    """Score the input in parts into the folder `--results`; returns the exit status.

    Args:
        options: of `cliqa.score`.
        console: for messages.
        listing: the input.
        names: of the metrics, as actors load them.
        metrics: the same, loaded here, for their fields and weights.
    """
    _check(options)
    ray = _import_ray()
    from cliqa.cli.console import PathPrinter

    printer = PathPrinter(options.null) if options.print else None
    settings = pipeline_settings(options, content_hash=True)
    schema = schema_of(metrics, options.num_patches)
    marks = json.dumps([settings.max_image_pixels, list(listing.suffixes), options.image_column, options.key_column])
    folder = PartFolder(options.results, schema, marks)
    inputs = [given for given in options.input if os.path.isdir(given)]
    folder.open(options.resume, {"base": os.getcwd(), "inputs": inputs})
    known = scored = issues = 0
    waiting: list[Part] = []
    for part in plan(listing):
        counts = folder.done(part) if options.resume else None
        if counts is None:
            waiting.append(part)
        else:
            known, issues = known + counts.scored, issues + counts.issues
            _print(printer, folder, part)
    uses_gpu = any(metric.uses_torch for metric in metrics) and list(options.gpu) != [-1]
    job = Job(
        tuple(names), options.checkpoint, "cpu", settings, listing.suffixes,
        options.image_column, options.key_column, schema, _absolute(options.results), marks, os.getcwd(),
    )  # fmt: skip
    if not waiting:
        _say(console, 0, 0.0, known, issues)
        return 3 if options.strict and issues else 0
    with contextlib.redirect_stdout(sys.stderr):  # Ray reports dead workers on standard output, which carries data only
        started = _start(ray)
        try:
            cluster = ray.cluster_resources()
            gpus = cluster.get("GPU", 0.0) if uses_gpu else 0.0
            slots = slots_for(cluster.get("CPU", 1.0), gpus, len(waiting), options.workers)
            job = replace(
                job, device="cuda:0" if slots.gpus else "cpu", settings=replace(settings, workers=slots.workers)
            )
            console.say(f"{len(waiting)} parts for {slots.count} actors")
            by_name = {part.name: part for part in waiting}
            begun = time.monotonic()
            with console.progress(None):
                for name, part_scored, part_issues in _run(ray, waiting, job, slots):
                    scored, issues = scored + part_scored, issues + part_issues
                    _print(printer, folder, by_name[name])
                    for issue in folder.issues(by_name[name]) if part_issues and not console.quiet else ():
                        console.issue(issue)
                    for _ in range(part_scored + part_issues):
                        console.step()
            seconds = time.monotonic() - begun
        finally:
            if started:
                ray.shutdown()
    _say(console, scored, seconds, known, issues)
    return 3 if options.strict and issues else 0


def _say(console: Console, scored: int, seconds: float, known: int, issues: int) -> None:
    """The closing line. The seconds are those of the job, without the start of Ray itself."""
    parts = [f"{counted(scored)} scored" + (f" in {seconds:.1f} seconds" if scored else "")]
    parts += [f"{known} unchanged since an earlier run"] if known else []
    parts += [f"{issues} with issues"] if issues else []
    console.say("; ".join(parts))


def _run(ray: Any, parts: Sequence[Part], job: Job, slots: Slots) -> Iterator[tuple[str, int, int]]:
    """(name, scored, issues) of each part, as they are done."""
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
            yield str(row["name"]), int(row["scored"]), int(row["issues"])
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
    from cliqa.pipeline.run import default_workers

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


def _print(printer: Any, folder: PartFolder, part: Part) -> None:
    if printer is not None:
        for path in folder.paths(part):
            printer(path)


def _cause(error: BaseException) -> str:
    """The line that says what went wrong: Ray wraps it in the story of how it learned of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
