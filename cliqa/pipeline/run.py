"""Files -> decode workers -> metrics -> a stream of records, in input order and bounded memory.

Workers send back only the small arrays that the metrics observe, or their fields, and never more files are under way than
twice `workers * DEPTH + batch_size`, so memory does not depend on how many files there are or how large they are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

from cliqa.metrics import Metric
from cliqa.pipeline.networks import Scorer
from cliqa.pipeline.observe import Observed, observe_file
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import DEFAULT_BATCH_SIZE, PipelineSettings, default_workers
from cliqa.records import Issue, Record, Source

__all__ = ["DEFAULT_BATCH_SIZE", "PipelineSettings", "default_workers", "run"]


def run(
    sources: Iterable[Source | Issue | Record],
    metrics: Sequence[Metric] | Sequence[Sequence[Metric]],
    settings: PipelineSettings,
    ready: Callable[[], bool] = lambda: True,
) -> Generator[Record | Issue, None, None]:
    """Score files; yields one Record or Issue for each source, in order.

    Args:
        sources: files; an Issue or a Record among them is settled already, and comes out in its place as it is.
        metrics: loaded metrics, or one such list per device to share the files between.
        settings: see PipelineSettings.
        ready: whether the next source can be had without waiting; while it can't, what is under way is finished.
    """
    devices = [list(group) for group in metrics if not isinstance(group, Metric)] or [
        [metric for metric in metrics if isinstance(metric, Metric)]
    ]
    scorer = Scorer(devices, settings.workers)
    try:
        observed = (
            _decode(sources, devices[0], settings, ready)
            if settings.workers
            else _decode_here(sources, devices[0], settings)
        )
        for neighbours in observed:
            yield from scorer(neighbours)
    finally:
        scorer.close()


def _decode_here(
    sources: Iterable[Source | Issue | Record], metrics: Sequence[Metric], settings: PipelineSettings
) -> Iterator[list[Observed | Issue | Record]]:
    for source in sources:
        yield [observe_file(source, settings, metrics) if isinstance(source, Source) else source]


def _decode(
    sources: Iterable[Source | Issue | Record],
    metrics: Sequence[Metric],
    settings: PipelineSettings,
    ready: Callable[[], bool],
) -> Iterator[list[Observed | Issue | Record]]:
    """Lists of results, each list the run of neighbours that is complete; order is that of `sources`."""
    numbered = enumerate(sources)
    waiting: dict[int, Observed | Issue | Record] = {}
    first = issued = 0
    exhausted = False
    with WorkerPool(metrics, settings) as pool:
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
