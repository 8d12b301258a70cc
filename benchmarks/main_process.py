"""How many images a second one main process keeps up with, however many workers there are.

    python benchmarks/main_process.py --data photos/

Simulated workers answer every file at once: one photograph is observed beforehand (and scored, by the metrics that score in the
worker), and its answer, pickled as a worker's is, comes back for each. Measured is the rest, all of it in one thread: listing,
reading the answer, the metrics that score in the main process, order, the row in the store. Processor time counts, so that a busy
machine hardly matters.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pickle
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cliqa import score
from cliqa.metrics import Metric, list_metrics, load_metric
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import Observed, observe_file
from cliqa.records import Source
from cliqa.training.photos import read_photos

DATA_SET_FILTERS = ("jpeg_quality", "grain_noise", "scale_factor")
SIMULATED = 64  # workers: more than any machine that one main process has been asked to feed


class SimulatedPool(WorkerPool):
    """A pool without workers: its answers are there as soon as they are asked for."""

    answer: bytes

    def __init__(self, metrics: Sequence[Metric], settings: PipelineSettings) -> None:
        super().__init__(metrics, settings)
        self._held: deque[tuple[int, Source]] = deque()

    def __enter__(self) -> SimulatedPool:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def busy(self) -> bool:
        """Whether any file is still to come back."""
        return bool(self._held)

    def room(self) -> int:
        """How many more files may be submitted now."""
        return 2 * SIMULATED - len(self._held)

    def submit(self, number: int, source: Source) -> None:
        """Hand out one file; its source is pickled, as on its way to a worker."""
        pickle.dumps(source)
        self._held.append((number, source))

    def results(self, timeout: float | None = None) -> Iterator[tuple[int, Observed]]:
        """The same answer for every file."""
        while self._held:
            number, source = self._held.popleft()
            answer: Observed = pickle.loads(self.answer)
            answer.source = source
            yield number, answer


def images_per_second(names: Sequence[str], photo: str, count: int) -> float:
    """What one main process keeps up with, for these metrics."""
    metrics = [load_metric(name) for name in names]
    seen = observe_file(Source(photo), PipelineSettings(content_hash=True), metrics)
    assert isinstance(seen, Observed), seen
    SimulatedPool.answer = pickle.dumps(seen)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        suffix, content = Path(photo).suffix, Path(photo).read_bytes()[:64]  # enough to be told from other files
        for number in range(count):
            (folder / f"{number:06d}{suffix}").write_bytes(content)
        arguments: list[Any] = ["-i", folder, "--metrics", *names, "--results", f"{scratch}/scores.db", "--gpu", -1]
        start = time.process_time()
        status = score.main([*map(str, arguments), "--workers", "1"])
        spent = time.process_time() - start
    assert status == 0
    return count / spent


def main(arguments: list[str] | None = None) -> int:
    """Measure both sets of metrics; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--images", type=int, default=5000)
    given = parser.parse_args(arguments)
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"OMP_NUM_THREADS": "1"})
    vars(importlib.import_module("cliqa.pipeline.run"))["WorkerPool"] = SimulatedPool
    photo = str(read_photos(given.data, kinds=("lossless",))[0].path)
    print("| metrics | images a second | aim |\n|---|---|---|")
    for words, names, aim in (
        ("the three data-set filters", DATA_SET_FILTERS, 1000),
        (f"all {len(list_metrics())}, on the CPU", list_metrics(), 150),
    ):
        print(f"| {words} | {images_per_second(names, photo, given.images):.0f} | {aim} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
