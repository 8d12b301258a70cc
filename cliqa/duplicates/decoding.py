"""The files' own pixels, decoded as every file is: by a worker, within a budget of time and memory.

Files were scored before, but they may have been replaced since by ones that no decoder ends with.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.duplicates.pictures import Picture
from cliqa.errors import ImageIssue
from cliqa.inputs.members import pick
from cliqa.metrics import Metric, Observation, Value, View
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import Observed, observe_file
from cliqa.records import Issue, Source
from cliqa.results.store import Store
from cliqa.signal.copies.shots import LONG_SIDE
from cliqa.signal.jpeg.quantization import first_table

KEPT = 96  # decoded pictures: 130 MB
MIDDLE = 640  # pixels a side that tell of noise as well as more would

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Pixels:
    """What is compared of a file.

    Attributes:
        grey: uint8 (height, width), at most LONG_SIDE a side, as a person sees it, without bars.
        middle: uint8, of the middle of the picture as stored, at its own size, at most MIDDLE a side.
        table: the steps of a JPEG's luma; empty for other formats.
    """

    grey: Grey
    middle: Grey
    table: tuple[int, ...] = ()


class GreyPicture(Metric):
    """No scorer: what a worker hands over of a file are its `Pixels`."""

    name = "grey_picture"
    architecture = "none"
    fields = ()
    weights = False

    @classmethod
    def observe(cls, view: View) -> Observation:
        """The fields of `Pixels`."""
        stored = view.image.stored
        # At a corner of JPEG's blocks, so that two files of one size are cut alike
        left, top = (max(0, side - MIDDLE) // 16 * 8 for side in stored.size)
        middle = stored.crop((left, top, min(stored.width, left + MIDDLE), min(stored.height, top + MIDDLE)))
        table = first_table(view.header.quantization) if view.header.format == "JPEG" else None
        return {
            "grey": np.asarray(view.image.as_seen(LONG_SIDE).convert("L")),
            "middle": np.asarray(middle.convert("L")),
            "table": np.array(table or [], np.int32),
        }

    def score(self, observation: Observation) -> dict[str, Value]:
        """Nothing."""
        return {}


class Decoded:
    """The pixels of a store's files by index, None where there are none. Use as a context manager.

    A file that isn't there (any more) is no matter; one that is there and can't be decoded, in time, within the memory that a worker
    has, is told to `report`.

    Args:
        store: where the files are known.
        pictures: the rows, in the order of the indices.
        report: gets an issue for each file that can't be decoded.
        settings: as of a run; of the workers one is started at most, none decodes in this process, without a budget.
    """

    def __init__(
        self,
        store: Store,
        pictures: Sequence[Picture],
        report: Callable[[Issue], None] = lambda _: None,
        settings: PipelineSettings | None = None,
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._report = report
        given = settings or PipelineSettings(1)
        self._settings = replace(given, workers=min(1, given.workers), score_damaged=True)
        self._stack = contextlib.ExitStack()
        self._pool: WorkerPool | None = None
        self._kept = lru_cache(KEPT)(self._decoded)
        self.failed = 0

    def __enter__(self) -> Decoded:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, index: int) -> Pixels | None:
        """Those of the file at an index."""
        return self._kept(index)

    def _decoded(self, index: int) -> Pixels | None:
        known_as = self._pictures[index].path
        path = self._store.locate(known_as)
        try:
            found = pick(path)
        except (ImageIssue, OSError, ValueError):  # its shard
            return None
        if isinstance(found, Issue) or (found is None and not os.path.isfile(path)):
            return None
        answer = self._observed(index, found or Source(path))
        seen = answer.observations.get(GreyPicture.name) if isinstance(answer, Observed) else None
        if isinstance(answer, Observed) and isinstance(seen, ImageIssue):
            answer = Issue.of(answer.source, seen)
        if isinstance(answer, Issue):
            self.failed += 1
            self._report(Issue(Source(known_as), answer.kind, f"not compared in its pixels: {answer.message}"))
            return None
        return Pixels(seen["grey"], seen["middle"], tuple(seen["table"].tolist())) if isinstance(seen, dict) else None

    def _observed(self, index: int, source: Source) -> Observed | Issue:
        if not self._settings.workers:
            return observe_file(source, self._settings, [GreyPicture])
        if self._pool is None:  # started when the first picture is asked for: most stores hold no pair to compare
            self._pool = self._stack.enter_context(WorkerPool([GreyPicture({}, {})], self._settings))
        self._pool.submit(index, source)
        while True:
            for _, answer in self._pool.results():
                return answer
