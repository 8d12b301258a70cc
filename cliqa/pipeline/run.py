"""Files -> decode workers -> metrics -> a stream of records, in input order and bounded memory.

Workers send back only the small arrays that the metrics observe, or their fields, and never more files are under way than
twice `workers * DEPTH + batch_size`, so memory does not depend on how many files there are or how large they are.

Networks that run on the CPU beside decode workers do so on one thread per image, several images side by side. The workers keep every
processor busy anyway, and the threads of one operation wait for each other by spinning: where none of them is sure of a
processor of its own, that costs more than the networks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, cycle

from cliqa.errors import ImageIssue
from cliqa.metrics import Metric, Value
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import DEFAULT_BATCH_SIZE, PipelineSettings, default_workers
from cliqa.pipeline.worker import Observed, observe_file, plain_score
from cliqa.records import Issue, Record, Source

__all__ = ["DEFAULT_BATCH_SIZE", "PipelineSettings", "default_workers", "run"]


def run(
    sources: Iterable[Source | Issue | Record],
    metrics: Sequence[Metric] | Sequence[Sequence[Metric]],
    settings: PipelineSettings,
    ready: Callable[[], bool] | None = None,
) -> Generator[Record | Issue, None, None]:
    """Score files; yields one Record or Issue for each source, in order.

    Args:
        sources: files; an Issue or a Record among them is settled already, and comes out in its place as it is.
        metrics: loaded metrics, or one such list per device to share the files between.
        settings: see PipelineSettings.
        ready: whether the next source can be had without waiting, while it can't, what is under way is finished; None: it always can.
    """
    devices = [list(group) for group in metrics if not isinstance(group, Metric)] or [
        [metric for metric in metrics if isinstance(metric, Metric)]
    ]
    scorer = Scorer(devices, settings.workers)
    try:
        if settings.workers:
            with WorkerPool(devices[0], settings) as pool:
                for neighbours in pool.observed(sources, ready):
                    yield from scorer(neighbours)
        else:
            for source in sources:
                found = observe_file(source, settings, devices[0]) if isinstance(source, Source) else source
                yield from scorer([found])
    finally:
        scorer.close()


class Scorer:
    """Runs the metrics over images, each on one lane; a lane is a list of metrics.

    Args:
        devices: the loaded metrics, one list per device.
        workers: decode processes beside this one; with 0 the networks may use every processor for one image.
    """

    def __init__(self, devices: list[list[Metric]], workers: int) -> None:
        here = [metric for metric in devices[0] if not metric.in_worker]
        on_cpu = any(metric.uses_torch and metric.device == "cpu" for metric in here)
        self.beside = on_cpu and workers > 0 and len(devices) == 1
        self.lanes = devices * workers if self.beside else devices
        self.pool: ThreadPoolExecutor | None = None
        self._ready = False
        self._threads_before = 0

    def _prepare(self) -> None:
        """Build the networks, and start the lanes."""
        self._ready = True
        initializer = None
        if self.beside:
            import torch

            self._threads_before = torch.get_num_threads()
            torch.set_num_threads(1)
            initializer = _flush_denormals
        for metric in chain.from_iterable(self.lanes[:1] if self.beside else self.lanes):
            if not metric.in_worker:
                metric.prepare()
        if len(self.lanes) > 1:
            self.pool = ThreadPoolExecutor(len(self.lanes), initializer=initializer)

    def close(self) -> None:
        """End the threads; give torch its own back."""
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
        if self._threads_before:
            import torch

            torch.set_num_threads(self._threads_before)

    def __call__(self, found: Sequence[Observed | Issue | Record]) -> list[Record | Issue]:
        """Records (or issues) in place of what was observed; what is settled stays."""
        good = [item for item in found if isinstance(item, Observed)]
        if good and not self._ready:
            self._prepare()
        run = map if self.pool is None or len(good) < 2 else self.pool.map
        if not self.beside:
            shares = [good[number :: len(self.lanes)] for number in range(len(self.lanes))]
            list(run(_foresee, self.lanes, shares))
        records = iter(list(run(_record, cycle(self.lanes), good)))
        return [next(records) if isinstance(item, Observed) else item for item in found]


def _foresee(metrics: Sequence[Metric], items: Sequence[Observed]) -> None:
    """What a GPU runs at once for all images of its lane; the CPU gains nothing by that."""
    for metric in metrics:
        if metric.device != "cpu":
            seen = [item.observations.get(metric.name) for item in items]
            metric.foresee([each for each in seen if each is not None and not isinstance(each, ImageIssue)])


def _flush_denormals() -> None:
    """A setting of each thread: denormal numbers cost a CPU many times what others do."""
    import torch

    torch.set_flush_denormal(True)


def _record(metrics: Sequence[Metric], item: Observed) -> Record | Issue:
    """The record with the fields of all metrics; an Issue for a file that none of them could score."""
    record = Record(item.source, dict(item.facts), notes=list(item.notes))
    failures: list[ImageIssue] = []
    for metric in metrics:
        try:
            values = item.values.get(metric.name) or _score(metric, item)
        except ImageIssue as issue:
            failures.append(issue)
            record.notes.append(f"{metric.name}: {issue}")
            values = dict.fromkeys(field.name for field in metric.fields)
        record.values |= {f"{metric.name}.{name}": value for name, value in values.items()}
    return Issue.of(record.source, failures[0], record.facts) if len(failures) == len(metrics) else record


def _score(metric: Metric, item: Observed) -> dict[str, Value]:
    seen = item.observations[metric.name]
    if isinstance(seen, ImageIssue):
        raise seen
    return plain_score(metric, seen)
