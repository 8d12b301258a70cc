"""A shipped filter with real workers, killed or robbed of its workers at random moments, then resumed, then compared."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from cliqa import filter_low_quality_jpeg
from tests.jpeg_pictures import stream, textured
from tests.reliability.campaign import Tally
from tests.reliability.runs import rows_of

_COLUMNS = ("kept", "jpeg_quality.quality", "jpeg_quality.subsampling_420", "jpeg_quality.qf_header")


def make_pictures(folder: Path, count: int = 12) -> None:
    """JPEG of many qualities and some PNG, 256 pixels a side."""
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = textured(number)
        if number % 4 == 3:
            Image.fromarray(pixels).save(folder / f"{number:02d}.png")
        else:
            (folder / f"{number:02d}.jpg").write_bytes(stream(pixels, 45 + 5 * number))


def disturb(folder: Path, count: int, kind: str, seed: int = 0, results: str = "r.csv") -> Tally:
    """`count` runs that are killed ("main"), or whose workers are killed one by one while they go on ("workers").

    Scores must be those of an undisturbed run to the last digit, after one resume at most.
    """
    tally, draw = Tally(), random.Random(seed)
    pictures = folder / "in"
    if not pictures.exists():
        make_pictures(pictures)
    before = {path.name: path.read_bytes() for path in pictures.iterdir()}
    expected = _state(folder, "undisturbed", results, lambda child: None)[1]
    while tally.count < count:
        wait = draw.uniform(0.1, 1.5)
        meddle = _killing(wait) if kind == "main" else _robbing(draw, tally)
        status, found = _state(folder, "disturbed", results, meddle, keep=True)
        struck = status == -9 if kind == "main" else tally.statuses["robbed"] > 0
        tally.statuses.pop("robbed", None)
        if kind == "workers" and status != 0:
            tally.findings.append(f"the run ended with {status}")
        if (
            kind == "workers" and found != expected and not found[1]
        ):  # a file whose worker died twice is an issue, until resumed
            tally.findings.append(f"scores differ without an issue: {found}")
        status, found = _state(folder, "disturbed", results, lambda child: None)
        if status != 0 or found != expected:
            tally.findings.append(f"{kind}: the resume ended with {status} and {found}")
        if struck:
            tally.injected[f"{kind} killed, real filter"] += 1
            tally.statuses["resumed"] += 1
        if {path.name: path.read_bytes() for path in pictures.iterdir()} != before:
            tally.findings.append("an input was changed")
    return tally


def _killing(seconds: float) -> Callable[[int], None]:
    def kill(child: int) -> None:
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    return kill


def _robbing(draw: random.Random, tally: Tally) -> Callable[[int], None]:
    """Kill up to three workers, one at a time."""

    def rob(child: int) -> None:
        for _ in range(3):
            time.sleep(draw.uniform(0.3, 1.2))
            with contextlib.suppress(OSError, ValueError, IndexError):
                children = Path(f"/proc/{child}/task/{child}/children").read_text().split()
                workers = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
                os.kill(draw.choice(workers), signal.SIGKILL)
                tally.statuses["robbed"] += 1

    return rob


def _state(
    folder: Path, name: str, results: str, meddle: Callable[[int], None], keep: bool = False
) -> tuple[int, tuple[object, ...]]:
    """One run in a forked child with `meddle` beside it: how it ended, and (scores, issues, files placed)."""
    root = folder / name
    out, table = root / "out", root / results
    words = [
        "-i",
        str(folder / "in"),
        "-o",
        str(out),
        "--results",
        str(table),
        "--resume",
        "--workers",
        "2",
        "--gpu",
        "-1",
        "--quiet",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            sys.stdin = open(os.devnull)  # noqa: SIM115
            os._exit(filter_low_quality_jpeg.main(words))
        finally:
            os._exit(99)
    meddle(child)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if keep and status == -9:
        return status, ()
    scores = {
        os.path.basename(str(row["path"])): [str(row[name]) for name in _COLUMNS] for row in rows_of(table, "scores")
    }
    issues = sorted(os.path.basename(str(row["path"])) for row in rows_of(table, "issues"))
    files = sorted(path.name for path in out.iterdir())
    if not keep:
        shutil.rmtree(root)
    return status, (scores, issues, files)
