"""Where the time goes: processor time of every stage of a pass over all metrics, from the listing to the row in the store.

    python benchmarks/profile_stages.py --data photos/ --size 12mp

One process and one thread do all the work, stage by stage, on JPEG files made from the photographs (quality 92, 4:2:0). What
counts is processor time, medians over the files, which hardly depends on what else the machine does. What the metrics share is
a stage of its own; of the encoder's pass, the part that both learned metrics need falls to the first of them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pickle
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent))

from mosaics import SIZES, make_folder, photo_tiles

from cliqa.errors import ImageIssue
from cliqa.images.loading import load_image
from cliqa.inputs.contents import content_sha256
from cliqa.inputs.listing import Listing
from cliqa.metrics import Metric, Observation, Value, View, list_metrics, load_metric
from cliqa.pipeline.worker import KEPT_MEMORY
from cliqa.records import Record, Scalar, Source
from cliqa.results import Schema, open_results

Result = TypeVar("Result")


class Stages:
    """Processor time in milliseconds, by stage, in the order in which the stages first ran."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(list)

    def time(self, stage: str, action: Callable[[], Result], share: int = 1) -> Result:
        """Run it, note what each of `share` images took, return what it returned."""
        start = time.process_time()
        result = action()
        self.spent[stage].append((time.process_time() - start) * 1e3 / share)
        return result

    def medians(self) -> dict[str, float]:
        """Milliseconds an image by stage."""
        return {stage: statistics.median(times) for stage, times in self.spent.items()}


def profile(folder: Path, metrics: Sequence[Metric], rounds: int) -> Stages:
    """Take every file of a folder through all stages, `rounds` times."""
    stages = Stages()
    sources = [source for source in Listing(str(folder)) if isinstance(source, Source)]
    observe_and_score(sources[0], metrics, Stages())  # tables and networks that are made only once
    for number in range(rounds):
        stages.time("listing", lambda: list(Listing(str(folder))), len(sources))
        records = [observe_and_score(source, metrics, stages) for source in sources]
        with tempfile.TemporaryDirectory() as scratch:
            stages.time(
                "row in the store (SQLite)", partial(store, records, metrics, f"{scratch}/{number}.db"), len(records)
            )
    return stages


def observe_and_score(source: Source, metrics: Sequence[Metric], stages: Stages) -> Record:
    """One file through all stages of the worker and of the main process."""
    sha256 = stages.time("SHA-256 of the file", lambda: content_sha256(source.path))
    image = stages.time("decode", lambda: load_image(source.path))
    view = View(image)
    stages.time("ranking of the tiles", lambda: view.tiles.origins)
    stages.time("patches", lambda: view.patches)
    if any(metric.name in ("grepq", "aesthetic") for metric in metrics):
        stages.time("thumbnails of 512 and 384 pixels", lambda: (view.thumbnail(512), view.thumbnail(384)))
    seen: dict[str, Observation] = {}
    for metric in metrics:
        with contextlib.suppress(ImageIssue):
            seen[metric.name] = stages.time(f"`{metric.name}` observes", partial(metric.observe, view))
    values: dict[str, Value] = {}
    received = seen
    for beside in (True, False):  # in the worker, and in the main process
        if not beside:
            message = stages.time("to the main process: pickle", partial(pickle.dumps, (received, values)))
            received, values = stages.time("from the worker: unpickle", partial(pickle.loads, message))
        for metric in metrics:
            if metric.in_worker != beside or metric.name not in received:
                continue
            fields = stages.time(f"`{metric.name}` scores", partial(metric.score, received.pop(metric.name)))
            values |= {f"{metric.name}.{name}": value for name, value in fields.items()}
    status = os.stat(source.path)
    facts: dict[str, Scalar] = {
        **image.facts(),
        "sha256": sha256,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }
    return Record(source, facts, values)


def store(records: Sequence[Record], metrics: Sequence[Metric], path: str) -> None:
    """Write records to a new store."""
    schema = Schema({metric.name: metric.fields for metric in metrics}, {metric.name: "" for metric in metrics})
    with open_results(path, schema, resume=False) as results:
        for record in records:
            results.write(record)


def table(medians: dict[str, float]) -> list[str]:
    """A Markdown table: stage, milliseconds, share."""
    total = sum(medians.values())
    lines = ["| stage | ms | share |", "|---|---|---|"]
    lines += [f"| {stage} | {spent:.1f} | {spent / total:.0%} |" for stage, spent in medians.items() if spent >= 0.05]
    small = sum(spent for spent in medians.values() if spent < 0.05)
    return [*lines, f"| all others | {small:.1f} | {small / total:.0%} |", f"| **all** | **{total:.0f}** | |"]


def main(arguments: list[str] | None = None) -> int:
    """Profile one size; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--metrics", nargs="+", default=list_metrics())
    parser.add_argument("--size", choices=SIZES, default="12mp")
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    as_a_worker()
    metrics = [load_metric(name) for name in given.metrics]
    if any(metric.uses_torch for metric in metrics):
        import torch

        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / given.size
        make_folder(photo_tiles(given.data), SIZES[given.size], given.images, folder)
        print("\n".join(table(profile(folder, metrics, given.rounds).medians())))
    return 0


def as_a_worker() -> None:
    """Start over with the environment of a decode worker: one thread of linear algebra, memory kept from image to image."""
    wanted = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **KEPT_MEMORY}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)


if __name__ == "__main__":
    sys.exit(main())
