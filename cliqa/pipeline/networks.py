"""Batches of observations -> records: the metrics' `score`, on one device or several, or image by image on threads of the CPU.

Networks that run on the CPU beside decode workers do so on one thread per image, several images side by side. The workers keep every
processor busy anyway, and the threads of one operation wait for each other by spinning: where none of them is sure of a
processor of its own, that costs more than the networks themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

from cliqa.errors import ImageError, ImageIssue
from cliqa.metrics import Field, Metric, Observation, Value
from cliqa.pipeline.observe import Observed
from cliqa.records import Issue, Record

Passed = TypeVar("Passed")


class Scorer:
    """Runs the metrics over batches, in lanes side by side: lists of metrics, each used by one thread at a time.

    Args:
        devices: the loaded metrics, one list per device.
        workers: decode processes beside this one; with 0 the networks may use every processor for one image.
    """

    def __init__(self, devices: list[list[Metric]], workers: int) -> None:
        on_cpu = any(metric.uses_torch and metric.device == "cpu" for metric in devices[0])
        self.one_by_one = on_cpu and workers > 0 and len(devices) == 1
        self.lanes = devices * workers if self.one_by_one else devices
        self.pool: ThreadPoolExecutor | None = None
        self._ready = False
        self._threads_before = 0

    def _prepare(self, devices: list[list[Metric]]) -> None:
        """Build the networks, and start the lanes."""
        self._ready = True
        initializer = None
        if self.one_by_one:
            import torch

            self._threads_before = torch.get_num_threads()
            torch.set_num_threads(1)
            initializer = _flush_denormals
        for metric in chain.from_iterable(devices):
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

    def __call__(self, found: list[Observed | Issue | Passed], batch_size: int) -> list[Record | Issue | Passed]:
        """Records (or issues) in place of what was observed; whatever else is in the list stays."""
        good = [item for item in found if isinstance(item, Observed)]
        if good and not self._ready:
            self._prepare(self.lanes[:1] if self.one_by_one else self.lanes)
        step = 1 if self.one_by_one else batch_size
        batches = [good[start : start + step] for start in range(0, len(good), step)]
        shares = [self.lanes[index % len(self.lanes)] for index in range(len(batches))]
        run = map if self.pool is None or len(batches) == 1 else self.pool.map
        records = iter([record for batch in run(_score, shares, batches) for record in batch])
        return [next(records) if isinstance(item, Observed) else item for item in found]


def _flush_denormals() -> None:
    """A setting of each thread: denormal numbers cost a CPU many times what others do."""
    import torch

    torch.set_flush_denormal(True)


def _score(metrics: list[Metric], batch: list[Observed]) -> list[Record | Issue]:
    """Records with the fields of all metrics; an Issue for a file that none of them could score."""
    records = [Record(item.source, dict(item.facts), notes=list(item.notes)) for item in batch]
    failures: list[list[ImageIssue]] = [[] for _ in batch]
    for metric in metrics:
        observations = [item.observations[metric.name] for item in batch]
        good = [found for found in observations if not isinstance(found, ImageIssue)]
        answers = iter(_answers(metric, good))
        for record, failed, found in zip(records, failures, observations, strict=True):
            values = found if isinstance(found, ImageIssue) else _values(metric, next(answers))
            if isinstance(values, ImageIssue):
                failed.append(values)
                record.notes.append(f"{metric.name}: {values}")
                values = {field.name: None for field in metric.fields}
            record.values |= {f"{metric.name}.{name}": value for name, value in values.items()}
    return [
        Issue.of(record.source, failed[0], record.facts) if len(failed) == len(metrics) else record
        for record, failed in zip(records, failures, strict=True)
    ]


def _answers(metric: Metric, observations: Sequence[Observation]) -> Sequence[Mapping[str, Value]]:
    """On a GPU the batch at once. On the CPU one by one: the last bits of a matrix product depend on how many rows it has, and
    which files share a batch on timing, but a run that was stopped and resumed has to store the very same scores.
    """
    if metric.device == "cpu":
        return [metric.score([observation])[0] for observation in observations]
    return metric.score(observations) if observations else []


def _values(metric: Metric, answer: Mapping[str, Value]) -> dict[str, Value] | ImageIssue:
    """The fields as plain Python values; an issue where a number is not finite, so that no rule compares with it."""
    values = {field.name: _plain(field, answer[field.name]) for field in metric.fields}
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            return ImageError(f"{metric.name} gave no finite {name}")
    return values


def _plain(field: Field, value: Value) -> Value:
    if value is None:
        return None
    plain: Value = {"float": float, "int": int, "str": str}[field.kind](value)
    return plain
