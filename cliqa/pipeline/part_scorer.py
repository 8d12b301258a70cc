"""One slot of a cluster: loads the weights once, scores part after part by the local engine's own code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cliqa.errors import RunError
from cliqa.inputs.listing import open_shard
from cliqa.metrics import load_metric
from cliqa.pipeline.parts import Counts, Part, PartFolder
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Record, Source
from cliqa.results.schema import Schema


@dataclass(frozen=True)
class Job:
    """What every slot has to know.

    Attributes:
        metrics: names, or `package.module:Class`.
        checkpoint: a weights file of a single metric; None for the shipped ones.
        device: where torch networks run.
        settings: of the pipeline inside a slot.
        suffixes, image_column, key_column: how shards are read.
        schema: the columns of the results.
        results: their folder.
        marks: `PartFolder.settings`.
        base: the folder from which relative paths hold.
    """

    metrics: tuple[str, ...]
    checkpoint: str | None
    device: str
    settings: PipelineSettings
    suffixes: Sequence[str]
    image_column: str
    key_column: str
    schema: Schema
    results: str
    marks: str
    base: str


class PartScorer:
    """Scores parts; the decode workers live as long as it does."""

    def __init__(self, job: Job) -> None:
        with contextlib.suppress(OSError):  # another machine may lack it; then the paths are absolute, or each an issue
            os.chdir(job.base)
        self._job = job
        self._folder = PartFolder(job.results, job.schema, job.marks)
        self._rest: Iterator[Source | Issue] = iter(())  # of the part in work
        # Looked up ahead, so that it is known which source is a part's last
        self._following: Source | Issue | None = None
        self._under_way = 0
        metrics = [load_metric(name, job.checkpoint, job.device) for name in job.metrics]
        marks = {metric.name: metric.metadata.get("weights", "none") for metric in metrics}
        for name, mark in job.schema.weights.items():
            if not mark.startswith(marks.get(name, "?")):
                raise RunError(f"this machine has other weights of {name} than the one that started the run")
        self._scored = run(self._sources(), metrics, job.settings, self._ready)

    def score(self, part: Part) -> Counts:
        """Score one part and put its results in place, unless they are there."""
        done = self._folder.done(part)  # by a worker that died right after
        if done is not None:
            return done
        state = part.state()
        job = self._job
        shard = part.shard
        self._rest = iter(open_shard(shard, job.suffixes, job.image_column, job.key_column) if shard else part.sources)
        self._following = next(self._rest, None)
        records: list[Record] = []
        issues: list[Issue] = []
        while self._following is not None or self._under_way:
            found = next(self._scored)
            self._under_way -= 1
            if isinstance(found, Issue):
                issues.append(found)
            else:
                records.append(found)
        return self._folder.write(part, state, records, issues)

    def close(self) -> None:
        """End the decode workers."""
        self._scored.close()

    def _sources(self) -> Iterator[Source | Issue]:
        while self._following is not None:
            source, self._following = self._following, next(self._rest, None)
            self._under_way += 1
            yield source

    def _ready(self) -> bool:
        """Whether the next source is at hand: between parts the pipeline finishes what is under way."""
        return self._following is not None
