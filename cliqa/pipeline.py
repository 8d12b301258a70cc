"""Files -> decode workers -> batches -> metrics -> a stream of records, in input order and bounded memory.

Workers send back only the small arrays that the metrics observe, and never more files are under way than
`workers * DEPTH + batch_size`, so memory does not depend on how many files there are or how large they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cliqa.errors import ImageIssue
from cliqa.images import DEFAULT_MAX_IMAGE_PIXELS
from cliqa.metrics import Metric, Observation
from cliqa.records import Issue, Record, Source
from cliqa.workers import DecodeSettings, Observed, WorkerPool, observe_file

DEFAULT_BATCH_SIZE = 16


@dataclass(frozen=True)
class PipelineSettings:
    """How a run is carried out; none of it changes a score.

    `workers` is the number of decode processes, 0 decodes in this process. `content_hash` adds the file's SHA-256.
    """

    workers: int = 0
    batch_size: int = DEFAULT_BATCH_SIZE
    num_patches: int = 8
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
    content_hash: bool = False


def default_workers() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    sources: Iterable[Source | Issue],
    metrics: Sequence[Metric] | Sequence[Sequence[Metric]],
    settings: PipelineSettings,
) -> Iterator[Record | Issue]:
    """Score files; yields one Record or Issue for each source, in order.

    Args:
        sources: files; an Issue among them is passed through in its place.
        metrics: loaded metrics, or one such list per device to share the batches between.
        settings: see PipelineSettings.
    """
    devices = [list(group) for group in metrics if not isinstance(group, Metric)] or [
        [metric for metric in metrics if isinstance(metric, Metric)]
    ]
    scorer = _Scorer(devices)
    decode = DecodeSettings(
        tuple(metric.target for metric in devices[0]),
        settings.num_patches,
        settings.max_image_pixels,
        settings.content_hash,
    )
    try:
        observed = (
            _decode_here(sources, decode, devices[0]) if settings.workers == 0 else _decode(sources, decode, settings)
        )
        for batch in observed:
            yield from scorer(batch, settings.batch_size)
    finally:
        scorer.close()


def _decode_here(
    sources: Iterable[Source | Issue], decode: DecodeSettings, metrics: Sequence[Metric]
) -> Iterator[list[Observed | Issue]]:
    classes = [type(metric) for metric in metrics]
    for source in sources:
        yield [source if isinstance(source, Issue) else observe_file(source, decode, classes)]


def _decode(
    sources: Iterable[Source | Issue], decode: DecodeSettings, settings: PipelineSettings
) -> Iterator[list[Observed | Issue]]:
    """Lists of results, each list the run of neighbours that is complete; order is that of `sources`."""
    numbered = enumerate(sources)
    waiting: dict[int, Observed | Issue] = {}
    first = issued = 0
    exhausted = False
    with WorkerPool(decode, settings.workers) as pool:
        window = pool.room() + settings.batch_size
        while True:
            while not exhausted and pool.room() > 0 and issued - first < window:
                following = next(numbered, None)
                if following is None:
                    exhausted = True
                    break
                number, source = following
                issued = number + 1
                if isinstance(source, Issue):
                    waiting[number] = source
                else:
                    pool.submit(number, source)
            ready = []
            while first in waiting:
                ready.append(waiting.pop(first))
                first += 1
            if ready:
                yield ready
            elif not pool.busy:
                return
            waiting.update(pool.results(None if not ready else 0.0))


class _Scorer:
    """Runs the metrics over batches, on one device or on several side by side."""

    def __init__(self, devices: list[list[Metric]]) -> None:
        self.devices = devices
        self.pool = ThreadPoolExecutor(len(devices)) if len(devices) > 1 else None

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)

    def __call__(self, found: list[Observed | Issue], batch_size: int) -> list[Record | Issue]:
        good = [item for item in found if isinstance(item, Observed)]
        batches = [good[start : start + batch_size] for start in range(0, len(good), batch_size)]
        if self.pool is None:
            scored = [_score(self.devices[0], batch) for batch in batches]
        else:
            shares = [self.devices[index % len(self.devices)] for index in range(len(batches))]
            scored = list(self.pool.map(_score, shares, batches))
        records = iter([record for batch in scored for record in batch])
        return [item if isinstance(item, Issue) else next(records) for item in found]


def _score(metrics: list[Metric], batch: list[Observed]) -> list[Record]:
    records = [Record(item.source, dict(item.facts)) for item in batch]
    for metric in metrics:
        mine: list[tuple[Record, Observation]] = []
        for record, item in zip(records, batch, strict=True):
            observation = item.observations[metric.name]
            if isinstance(observation, ImageIssue):
                record.values |= {f"{metric.name}.{field.name}": None for field in metric.fields}
                record.notes.append(f"{metric.name}: {observation}")
            else:
                mine.append((record, observation))
        if mine:
            answers = metric.score([observation for _, observation in mine])
            for (record, _), answer in zip(mine, answers, strict=True):
                record.values |= {f"{metric.name}.{field.name}": answer[field.name] for field in metric.fields}
    return records
