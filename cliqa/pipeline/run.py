"""Files -> decode workers -> batches -> metrics -> a stream of records, in input order and bounded memory.

Workers send back only the small arrays that the metrics observe, and never more files are under way than
twice `workers * DEPTH + batch_size`, so memory does not depend on how many files there are or how large they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, DEFAULT_NUM_PATCHES, FILE_SECONDS
from cliqa.metrics import Metric
from cliqa.pipeline.networks import Scorer
from cliqa.pipeline.observe import DecodeSettings, Observed, observe_file
from cliqa.pipeline.pool import WorkerPool
from cliqa.records import Issue, Record, Source

DEFAULT_BATCH_SIZE = 16
Passed = TypeVar("Passed")  # whatever else is among the sources: it comes out in its place


@dataclass(frozen=True)
class PipelineSettings:
    """How a run is carried out; none of it changes a score.

    `workers` is the number of decode processes, 0 decodes in this process. `content_hash` adds the file's SHA-256.
    `score_damaged` has damaged data scored as far as they can be decoded, with a note.
    `file_seconds` is a worker's processor time for any file, before what its pixels add; 0 for no limit.
    """

    workers: int = 0
    batch_size: int = DEFAULT_BATCH_SIZE
    num_patches: int = DEFAULT_NUM_PATCHES
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
    content_hash: bool = False
    score_damaged: bool = False
    file_seconds: float = FILE_SECONDS


def default_workers() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    sources: Iterable[Source | Issue | Passed],
    metrics: Sequence[Metric] | Sequence[Sequence[Metric]],
    settings: PipelineSettings,
    ready: Callable[[], bool] = lambda: True,
) -> Generator[Record | Issue | Passed, None, None]:
    """Score files; yields one Record or Issue for each source, in order.

    Args:
        sources: files; an Issue (or anything else that is no Source) among them is passed through in its place.
        metrics: loaded metrics, or one such list per device to share the batches between.
        settings: see PipelineSettings.
        ready: whether the next source can be had without waiting; while it can't, what is under way is finished.
    """
    devices = [list(group) for group in metrics if not isinstance(group, Metric)] or [
        [metric for metric in metrics if isinstance(metric, Metric)]
    ]
    scorer = Scorer(devices, settings.workers)
    decode = DecodeSettings(
        tuple(metric.target for metric in devices[0]),
        settings.num_patches,
        settings.max_image_pixels,
        settings.content_hash,
        settings.score_damaged,
        settings.file_seconds,
    )
    try:
        here = settings.workers == 0
        observed = _decode_here(sources, decode, devices[0]) if here else _decode(sources, decode, settings, ready)
        for batch in observed:
            yield from scorer(batch, settings.batch_size)
    finally:
        scorer.close()


def _decode_here(
    sources: Iterable[Source | Issue | Passed], decode: DecodeSettings, metrics: Sequence[Metric]
) -> Iterator[list[Observed | Issue | Passed]]:
    classes = [type(metric) for metric in metrics]
    for source in sources:
        yield [observe_file(source, decode, classes) if isinstance(source, Source) else source]


def _decode(
    sources: Iterable[Source | Issue | Passed],
    decode: DecodeSettings,
    settings: PipelineSettings,
    ready: Callable[[], bool],
) -> Iterator[list[Observed | Issue | Passed]]:
    """Lists of results, each list the run of neighbours that is complete; order is that of `sources`."""
    numbered = enumerate(sources)
    waiting: dict[int, Observed | Issue | Passed] = {}
    first = issued = 0
    exhausted = False
    with WorkerPool(decode, settings.workers) as pool:
        window = pool.room() + settings.batch_size
        while True:
            complete = []
            while first in waiting:
                complete.append(waiting.pop(first))
                first += 1
            while not exhausted and pool.room() > 0 and issued - first < window:
                if not ready() and (complete or waiting or pool.busy):
                    break
                following = next(numbered, None)
                if following is None:
                    exhausted = True
                    break
                number, source = following
                issued = number + 1
                if isinstance(source, Source):
                    pool.submit(number, source)
                else:
                    waiting[number] = source
            if complete:
                yield complete
            elif exhausted and not (waiting or pool.busy):
                return
            waiting.update(pool.results(0.0 if complete or first in waiting else None))
