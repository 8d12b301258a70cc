"""The Ray engine against the local one: the same command over the same shards, by turns, in one run.

    python benchmarks/engines.py --data photos/

1080p JPEG files (quality 92, 4:2:0), mosaics of the photographs, go into tars of 50. Each engine scores a short and a long list of them
in each round, in a process of its own. Long against nothing is the rate with the start of everything (Python, Ray, actors, weights);
long less short is the rate of a run that is under way. Medians of the rounds count, and ratios are taken within a round.
Beside the clock stands what the processors spent on a picture, in all processes of a command: on a machine that others use too it
alone tells what a quiet one would do.
Scores of both engines are compared bit by bit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mosaics import SIZES, make_folder

from cliqa.pipeline.run import default_workers
from cliqa.results.store import Store
from cliqa.training.photos import read_photos

IN_A_TAR = 50
DISTINCT = 100  # pictures that are made; the list goes round them


def make_shards(photos: str, count: int, folder: Path) -> None:
    """Tars of samples named by number, `000.tar` and on."""
    tiles = [photo.pixels() for photo in read_photos(photos, kinds=("lossless",))[:60]]
    make_folder(tiles, SIZES["1080p"], min(count, DISTINCT), folder / "files")
    files = sorted((folder / "files").iterdir())
    for start in range(0, count, IN_A_TAR):
        with tarfile.open(folder / f"{start // IN_A_TAR:03d}.tar", "w") as tar:
            for number in range(start, min(start + IN_A_TAR, count)):
                tar.add(files[number % len(files)], f"{number:06d}.jpg")


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock, and seconds of processors in all processes."""

    clock: float
    processors: float

    def __sub__(self, other: Taken) -> Taken:
        return Taken(self.clock - other.clock, self.processors - other.processors)


class ProcessorTime(threading.Thread):
    """Adds up the processor time of a process and all below it, looking five times a second (Linux)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.seen: dict[int, float] = {}
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.2):
            for pid, parent, seconds in sorted(_processes()):  # a child has the larger number
                if pid == self.pid or pid in self.seen or parent in self.seen:
                    self.seen[pid] = seconds

    def total(self) -> float:
        self.over.set()
        self.join()
        return sum(self.seen.values())


def _processes() -> Iterator[tuple[int, int, float]]:
    """(process, its parent, its seconds of processors)."""
    tick = os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            yield int(entry.name), int(fields[1]), (int(fields[11]) + int(fields[12])) / tick


def score(engine: str, folder: Path, count: int, metrics: Sequence[str], results: Path) -> Taken:
    """What one command takes over the first `count` pictures."""
    given = f"{folder}/{{000..{count // IN_A_TAR - 1:03d}}}.tar"
    command = [sys.executable, "-m", "cliqa.score", "-i", given, "--results", str(results), "--engine", engine]
    start = time.perf_counter()
    words = [*command, "--quiet", "-g", "-1", "--metrics", *metrics]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        processors = ProcessorTime(process.pid)
        processors.start()
        message = process.communicate()[1]
    taken = Taken(time.perf_counter() - start, processors.total())
    if process.returncode:
        raise SystemExit(f"{engine} failed: {message}")
    return taken


def same_scores(one: Path, other: Path) -> bool:
    """Whether two stores hold the same rows, to the last bit."""
    with Store(str(one)) as first, Store(str(other)) as second:
        columns = [name for name in first.columns if name not in ("kept", "placed")]
        return sorted(first.rows(columns), key=str) == sorted(second.rows(columns), key=str)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--metrics", nargs="+", default=["jpeg_quality", "grain_noise", "scale_factor"])
    parser.add_argument("--short", type=int, default=200, help=f"pictures, a multiple of {IN_A_TAR}")
    parser.add_argument("--long", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)

    seconds: dict[tuple[str, int], list[Taken]] = {}
    with tempfile.TemporaryDirectory(prefix="cliqa-engines-") as name:
        folder = Path(name)
        make_shards(given.data, given.long, folder)
        for turn in range(given.rounds):
            for count in (given.short, given.long):
                for engine in ("local", "ray") if turn % 2 == 0 else ("ray", "local"):
                    results = folder / f"{engine}-{count}-{turn}{'.db' if engine == 'local' else ''}"
                    taken = score(engine, folder, count, given.metrics, results)
                    seconds.setdefault((engine, count), []).append(taken)
                    spent = f"{taken.clock:7.1f} s, {taken.processors:7.1f} s of processors"
                    print(f"round {turn + 1}: {engine:5} {count:5} pictures {spent}", file=sys.stderr, flush=True)
        equal = same_scores(folder / f"local-{given.long}-0.db", folder / f"ray-{given.long}-0")
    short, long = given.short, given.long
    running = {
        engine: [slow - fast for slow, fast in zip(seconds[engine, long], seconds[engine, short], strict=True)]
        for engine in ("local", "ray")
    }
    whole = {engine: seconds[engine, long] for engine in ("local", "ray")}
    print(f"{default_workers()} processors of {os.cpu_count()}, {given.rounds} rounds, {', '.join(given.metrics)}\n")
    print("| 1080p JPEG in tars | local | ray | ray / local |\n|---|---|---|---|")
    for what, found, count in (("under way", running, long - short), (f"{long} pictures with all starts", whole, long)):
        print(_row(f"{what}: images/s", {engine: [count / each.clock for each in found[engine]] for engine in found}))
        spending = {engine: [count / each.processors for each in found[engine]] for engine in found}
        print(_row(f"{what}: images per second of a processor", spending))
    print(f"\nscores of both engines: {'the same, to the last bit' if equal else 'NOT THE SAME'}")
    return 0 if equal else 1


def _row(name: str, rates: dict[str, list[float]]) -> str:
    ratios = [ray / local for ray, local in zip(rates["ray"], rates["local"], strict=True)]
    middle = {engine: statistics.median(found) for engine, found in rates.items()}
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    return f"| {name} | {middle['local']:.1f} | {middle['ray']:.1f} | {spread} |"


if __name__ == "__main__":
    sys.exit(main())
