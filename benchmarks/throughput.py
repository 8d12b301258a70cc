"""Throughput: decode-only, this pipeline, and a network of the reference's shape in the same pipeline, in one run.

    python benchmarks/throughput.py --data photos/ --metrics jpeg_quality

Folders of JPEG files (1080p and 12 megapixels, quality 92, 4:2:0) are made from the photographs. The contenders then take turns over
them, round by round, so that a change in the machine's speed meets all alike; the median of the rounds counts. The rate is that
of a running pipeline: the clock starts with the first record. Peak memory is the sum over all processes of the run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from contenders import DecodeOnly, ReferenceShaped

from cliqa.listing import Listing
from cliqa.metrics import Metric, load_metric
from cliqa.pipeline import PipelineSettings, default_workers, run
from cliqa.training.photos import read_photos

SIZES = {"1080p": (1920, 1080), "12mp": (4000, 3000)}


def decode(path: str) -> int:
    """What decode-only costs without any pipeline."""
    with Image.open(path) as image:
        image.load()
        return int(image.width)


def make_folder(photos: Sequence[np.ndarray], size: tuple[int, int], count: int, folder: Path) -> None:
    """JPEG files of one size, each a mosaic of photographs at their native resolution."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    width, height = size
    for number in range(count):
        canvas = np.zeros((height, width, 3), np.uint8)
        for top in range(0, height, 512):
            for left in range(0, width, 512):
                tile = photos[int(rng.integers(len(photos)))]
                part = canvas[top : top + 512, left : left + 512]
                part[:] = np.pad(tile, ((0, 512), (0, 512), (0, 0)), mode="symmetric")[: part.shape[0], : part.shape[1]]
        Image.fromarray(canvas).save(folder / f"{number:04d}.jpg", quality=92)


def pipeline_rate(metrics: Sequence[Metric], workers: int) -> Callable[[Path, int], float]:
    """Images per second of the pipeline with these metrics, clock from the first record."""

    def measure(folder: Path, count: int) -> float:
        sources = list(Listing(str(folder)))[:count]
        start = 0.0
        for number, _ in enumerate(run(sources, metrics, PipelineSettings(workers=workers, batch_size=4))):
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


class PeakMemory:
    """Samples the resident memory of this process and its children (Linux), as a context manager."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()

    def __enter__(self) -> PeakMemory:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.05):
            self.peak = max(self.peak, sum(_resident(pid) for pid in _family(os.getpid())))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--metrics", nargs="+", default=["jpeg_quality"])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--workers", type=int, default=default_workers())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=60, help="files per folder")
    parser.add_argument("--reference-images", type=int, default=12, help="files that the slow network is timed on")
    given = parser.parse_args(arguments)

    tiles = [photo.pixels() for photo in read_photos(given.data, kinds=("lossless",))[:60]]
    contenders: dict[str, tuple[Callable[[Path, int], float], int]] = {
        "decode-only, plain process pool": (plain_decode_rate(given.workers), given.images),
        "decode-only in this pipeline": (pipeline_rate([DecodeOnly({}, {})], given.workers), given.images),
    }
    for name in given.metrics:
        contenders[f"{name} in this pipeline"] = (pipeline_rate([load_metric(name)], given.workers), given.images)
    contenders["reference-shaped network in this pipeline"] = (
        pipeline_rate([ReferenceShaped({}, {})], given.workers),
        given.reference_images,
    )
    print(f"{given.workers} workers, {given.rounds} rounds, {os.cpu_count()} processors\n")
    with tempfile.TemporaryDirectory() as scratch:
        for size in given.sizes:
            folder = Path(scratch) / size
            make_folder(tiles, SIZES[size], given.images, folder)
            rates: dict[str, list[float]] = {name: [] for name in contenders}
            peaks: dict[str, int] = {}
            for _ in range(given.rounds):
                for name, (measure, count) in contenders.items():
                    with PeakMemory() as memory:
                        rates[name].append(measure(folder, count))
                    peaks[name] = max(peaks.get(name, 0), memory.peak)
            base = rates["decode-only, plain process pool"]
            slow = rates["reference-shaped network in this pipeline"]
            print(f"| {size} | images/s | against decode-only | against the reference-shaped | peak MiB |")
            print("|---|---|---|---|---|")
            for name, found in rates.items():
                to_decode = statistics.median(a / b for a, b in zip(found, base, strict=True))
                to_slow = statistics.median(a / b for a, b in zip(found, slow, strict=True))
                median = statistics.median(found)
                print(
                    f"| {name} | {median:.1f} | {to_decode:.2f} | {to_slow:.1f} | {peaks[name] / 2**20:.0f} |",
                    flush=True,
                )
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
