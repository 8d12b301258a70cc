"""Throughput: decode-only, this pipeline with one worker and with more, and a network of the reference's shape, in one run.

    python benchmarks/throughput.py --data photos/
    python benchmarks/throughput.py --data photos/ --device cuda:0 --workers 16

Folders of JPEG files (1080p and 12 megapixels, quality 92, 4:2:0) are made from the photographs. One metric is measured, then several
in one pass (`--metrics`: names, commas between those of one pass). The contenders take turns over the files, round by round, so that
a change in the machine's speed meets all alike; ratios are taken within a round, and the median of the rounds counts. The rate is
that of a running pipeline: the clock starts with the first record. Ends with status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # as the commands have it: the main process's products would fight the workers

from contenders import DecodeOnly, ReferenceShaped
from mosaics import SIZES, make_folder, photo_tiles

from cliqa.inputs.listing import Listing
from cliqa.metrics import Metric, list_metrics, load_metric
from cliqa.pipeline.run import PipelineSettings, default_workers, run

PLAIN = "decode-only, plain process pool"
REFERENCE = "network of the reference's shape"
FILTERS = "jpeg_quality,grain_noise,scale_factor"
SEVEN = f"{FILTERS},jpeg_qf,exposure,aesthetic,grepq"  # those that were there when the aims for one pass were set
# Images a second against decode-only that are to be reached.
AIMS = {("1080p", "jpeg_quality"): 0.6, ("1080p", FILTERS): 0.25, ("12mp", "jpeg_quality"): 0.7, ("12mp", SEVEN): 0.33}
Bar = tuple[str, float, float]
"""What is compared, the ratio measured, the least it should be."""


def decode(path: str) -> int:
    """What decode-only costs without any pipeline."""
    with Image.open(path) as image:
        image.load()
        return int(image.width)


def pipeline_rate(metrics: Sequence[Metric], workers: int) -> Callable[[Path, int], float]:
    """Images per second of the pipeline with these metrics, clock from the first record."""

    def measure(folder: Path, count: int) -> float:
        sources = list(Listing(str(folder)))[:count]
        start = 0.0
        for number, _ in enumerate(run(sources, metrics, PipelineSettings(workers=workers))):
            if number == 0:
                start = time.perf_counter()
        return (len(sources) - 1) / (time.perf_counter() - start)

    return measure


def plain_decode_rate(workers: int) -> Callable[[Path, int], float]:
    """Images per second of decoding alone, in a plain process pool."""

    def measure(folder: Path, count: int) -> float:
        paths = sorted(str(path) for path in folder.iterdir())[:count]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(decode, paths[:workers]))  # processes up and running
            start = time.perf_counter()
            list(pool.map(decode, paths, chunksize=2))
            return len(paths) / (time.perf_counter() - start)

    return measure


@dataclass(frozen=True)
class Measured:
    """Images per second of every contender, round by round."""

    rates: dict[str, list[float]]

    def ratio(self, name: str, other: str) -> float:
        """Median over the rounds of one contender's rate over another's."""
        return statistics.median(a / b for a, b in zip(self.rates[name], self.rates[other], strict=True))

    def table(self, size: str) -> list[str]:
        """A Markdown table."""
        lines = [
            f"| {size} | images/s | against decode-only | against the network |",
            "|---|---|---|---|",
        ]
        for name, found in self.rates.items():
            to_decode, to_slow = self.ratio(name, PLAIN), self.ratio(name, REFERENCE)
            lines.append(f"| {name} | {statistics.median(found):.1f} | {to_decode:.2f} | {to_slow:.1f} |")
        return lines


def in_pipeline(name: str, workers: int) -> str:
    """How a contender is called."""
    names = name.split(",")
    called = f"`{name}`" if len(names) == 1 else f"{len(names)} metrics in one pass"
    return f"{called}, {workers} worker{'s' if workers > 1 else ''}"


def measure(given: argparse.Namespace, folder: Path) -> Measured:
    """All contenders over one folder, in turns."""
    workers = sorted({1, given.workers} | {2**power for power in range(6) if 2**power < given.workers})
    contenders = {PLAIN: (plain_decode_rate(given.workers), given.images)}
    for name in ("decode_only", *given.metrics):
        metrics: list[Metric] = [DecodeOnly({}, {})]
        if name != "decode_only":
            metrics = [load_metric(each, device=given.device) for each in name.split(",")]
        for number in (
            workers if name == given.metrics[0] else [given.workers]
        ):  # of the same files, which differ in cost
            contenders[in_pipeline(name, number)] = (pipeline_rate(metrics, number), given.images)
    contenders[REFERENCE] = (pipeline_rate([ReferenceShaped({}, {})], given.workers), given.reference_images)
    found = Measured({name: [] for name in contenders})
    for _ in range(given.rounds):
        for name, (rate, count) in contenders.items():
            found.rates[name].append(rate(folder, count))
    return found


def bars(given: argparse.Namespace, size: str, found: Measured) -> list[Bar]:
    """What has to be reached."""
    rows: list[Bar] = []
    if given.workers > 1:
        ratio = found.ratio(in_pipeline(given.metrics[0], given.workers), in_pipeline(given.metrics[0], 1))
        rows.append((f"{size}: {given.workers} workers against one", ratio, 0.9 * given.workers))
    for each in given.metrics:
        aim = AIMS.get((size, each))
        if aim is not None:
            name = in_pipeline(each, given.workers)
            rows.append((f"{size}: {name}, against decode-only", found.ratio(name, PLAIN), aim))
    return rows


def parser() -> argparse.ArgumentParser:
    """All options."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", required=True, help="folder of photographs")
    options.add_argument("--metrics", nargs="+", default=["jpeg_quality", FILTERS, SEVEN, ",".join(list_metrics())])
    options.add_argument("--device", default="cpu", help="where the encoder runs: cpu, or cuda:0")
    options.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    options.add_argument("--workers", type=int, default=default_workers())
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--images", type=int, default=60, help="files per folder")
    options.add_argument(
        "--copies", type=int, default=1, help="names that each file gets: many processors need many files"
    )
    options.add_argument("--reference-images", type=int, default=12, help="files that the slow network is timed on")
    return options


def tables(given: argparse.Namespace) -> tuple[list[str], list[Bar]]:
    """Markdown of all sizes, and the bars."""
    lines = [f"{given.workers} workers, {given.rounds} rounds, {os.cpu_count()} processors", ""]
    rows: list[Bar] = []
    tiles = photo_tiles(given.data)
    with tempfile.TemporaryDirectory() as scratch:
        for size in given.sizes:
            make_folder(tiles, SIZES[size], given.images // given.copies, Path(scratch) / size)
            for path in sorted((Path(scratch) / size).iterdir()):
                for copy in range(1, given.copies):
                    os.link(path, path.with_stem(f"{path.stem}-{copy}"))
            found = measure(given, Path(scratch) / size)
            lines += [*found.table(size), ""]
            rows += bars(given, size, found)
    lines += ["| ratio | measured | bar | |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {ratio:.2f} | {bar:g} | {'reached' if ratio >= bar else '**missed**'} |"
        for name, ratio, bar in rows
    ]
    return lines, rows


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    lines, rows = tables(parser().parse_args(arguments))
    print("\n".join(lines))
    return 0 if all(ratio >= bar for _, ratio, bar in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
