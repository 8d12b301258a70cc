"""Memory of a long run: all processes of `cliqa.score` over a folder of very many 12-megapixel JPEG files (Linux).

    python benchmarks/memory.py --data photos/ --seconds 120

The folder holds a few files under many names (hard links), so it can be as long as wanted. From its 100th record on the run is
watched for a while, then stopped; each quarter of that time gives a row. Bars: no worker over 1 GiB, and no growth from the
first quarter to the last.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mosaics import SIZES, make_folder, photo_tiles

KINDS = 8  # different files behind the names
WARM = 100  # records after which everything is built and remembered that ever will be
GROWTH = 1.05  # of the peak, last quarter against the first: what the allocator may wander
MIB = 1 << 20


@dataclass(frozen=True)
class Sample:
    """Resident bytes at one moment: of the main process, of the largest other one, of all."""

    main: int
    largest: int
    total: int


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def resident(pid: int) -> int:
    """Resident bytes of a process, 0 when it has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def sample(pid: int) -> Sample:
    """What a run takes now."""
    main, *others = [resident(each) for each in family(pid)]
    return Sample(main, max(others, default=0), main + sum(others))


def make_links(data: str, folder: Path, count: int) -> None:
    """`count` names of `KINDS` mosaics, 1,000 to a folder."""
    make_folder(photo_tiles(data), SIZES["12mp"], KINDS, folder / "files")
    files = sorted((folder / "files").iterdir())
    for number in range(count):
        name = folder / "links" / f"{number // 1000:04d}" / f"{number:07d}.jpg"
        if number % 1000 == 0:
            name.parent.mkdir(parents=True)
        name.hardlink_to(files[number % KINDS])


def watch(links: Path, metrics: Sequence[str], results: Path, seconds: float) -> list[Sample]:
    """Start a run, sample it twice a second for `seconds` once it is warm, stop it."""
    command = [
        sys.executable,
        "-m",
        "cliqa.score",
        "-i",
        str(links),
        "-r",
        "-g",
        "-1",
        "--quiet",
        "--results",
        str(results),
    ]
    process = subprocess.Popen([*command, "--metrics", *metrics])
    samples = []
    try:
        while process.poll() is None and rows_of(results) < WARM:
            time.sleep(0.5)
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            samples.append(sample(process.pid))
            time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return samples


def rows_of(results: Path) -> int:
    """Files that the run has recorded so far."""
    try:
        with contextlib.closing(sqlite3.connect(f"{results.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM scores").fetchone()[0])
    except sqlite3.OperationalError:  # no file or no table yet
        return 0


def main(arguments: list[str] | None = None) -> int:
    """Watch one run and print its memory; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--metrics", nargs="+", default=["all"])
    parser.add_argument("--links", type=int, default=100_000, help="names in the folder")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the run is watched")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="cliqa-memory-") as scratch:
        make_links(given.data, Path(scratch), given.links)
        results = Path(scratch) / "scores.db"
        samples = watch(Path(scratch) / "links", given.metrics, results, given.seconds)
        scored = rows_of(results)
    quarters = [samples[len(samples) * k // 4 : len(samples) * (k + 1) // 4] for k in range(4)]
    print(
        f"{scored} of {given.links} files scored, the last {given.seconds:.0f} seconds watched: {' '.join(given.metrics)}\n"
    )
    print("| quarter | main process, peak MiB | largest worker | all processes |\n|---|---|---|---|")
    for number, quarter in enumerate(quarters, 1):
        peaks = [max(values) / MIB for values in zip(*((s.main, s.largest, s.total) for s in quarter), strict=True)]
        print(f"| {number} | {' | '.join(f'{peak:.0f}' for peak in peaks)} |")
    growth = max(s.total for s in quarters[3]) / max(s.total for s in quarters[0])
    largest = max(s.largest for s in samples) / MIB
    reached = growth <= GROWTH and largest < 1024
    print(f"\ngrowth {growth:.3f}, largest worker {largest:.0f} MiB: {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
