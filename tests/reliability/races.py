"""Two runs at the same moment over one folder: one output, one store, one table, one report."""

from __future__ import annotations

import io
import os
import random
import shutil
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from cliqa import score
from tests import toy_filter
from tests.reliability.campaign import Tally
from tests.reliability.commands import COMMANDS, TOY
from tests.reliability.runs import damage, inputs, leftovers, make_workspace, placed, rows_of

_PLAIN = next(command for command in COMMANDS if command.name == "filter without results")


def race(folder: Path, count: int, seed: int = 0) -> Tally:
    """`count` races, each of two processes that start within a few milliseconds of one another."""
    tally, draw = Tally(), random.Random(seed)
    kinds = {"one output folder": _one_output, "one database": _one_database, "one table": _one_table}
    for number in range(count):
        kind = list(kinds)[number % len(kinds)]
        root = folder / "race"
        make_workspace(root, _PLAIN, 14)
        before = inputs(root)
        findings = kinds[kind](root, draw.uniform(0, 0.06), draw)
        findings += damage(root, before)
        findings += [f"left behind: {name}" for name in leftovers(root)]
        tally.injected[kind] += 1
        tally.findings += [f"race {number}, {kind}: {finding}" for finding in findings]
        shutil.rmtree(root)
    return tally


def _one_output(root: Path, delay: float, draw: random.Random) -> list[str]:
    """Two filters into one folder: everything lands, nothing is overwritten, whoever comes first."""
    words = [*_PLAIN.arguments(root), *(["--symlink"] if draw.random() < 0.3 else [])]
    statuses = _both(toy_filter.COMMAND.main, words, words, delay)
    findings = [] if statuses == [0, 0] else [f"statuses {statuses}"]
    kept = [path for path in (root / "in").rglob("*.png") if 60 + 12 * int(path.stem) >= 100]
    contents = [path.read_bytes() for path in placed(root)]
    for path in kept:
        if contents.count(path.read_bytes()) not in (
            1,
            2,
        ):  # the second finds what the first has placed, or comes too early
            findings.append(f"{path.name} lies there {contents.count(path.read_bytes())} times after two runs")
    return findings


def _one_database(root: Path, delay: float, draw: random.Random) -> list[str]:
    """Two scorings into one store, of one metric or of two: every file is there once, with what both have found."""
    other = draw.choice([TOY, "tests.reliability.touching_metric:Touching"])
    words = [
        "-i",
        str(root / "in"),
        "-r",
        "--results",
        str(root / "r.db"),
        "--resume",
        "--workers",
        "0",
        "--quiet",
        "--metrics",
    ]
    statuses = _both(score.main, [*words, TOY], [*words, other], delay)
    if statuses != [0, 0]:  # one that was refused has not written its columns
        return [f"statuses {statuses}"]
    findings = []
    rows = rows_of(root / "r.db", "scores")
    paths = sorted(str(row["path"]) for row in rows)
    if (
        paths != sorted(str(path) for path in (root / "in").rglob("*.png"))
        or len(rows_of(root / "r.db", "issues")) != 1
    ):
        findings.append(f"{len(paths)} rows")
    if any(row["brightness.mean"] is None or (other != TOY and row["touching.stored"] is None) for row in rows):
        findings.append("a score is missing")
    return findings


def _one_table(root: Path, delay: float, draw: random.Random) -> list[str]:
    """Two filters with one table: the second is refused or comes after the first; the table is whole either way."""
    kind = draw.choice(["csv", "jsonl", "parquet"])
    words = [*_PLAIN.arguments(root), "--results", str(root / f"r.{kind}"), "--resume"]
    statuses = _both(toy_filter.COMMAND.main, words, words, delay)
    findings = [] if statuses in ([0, 0], [0, 1], [1, 0]) else [f"statuses {statuses}"]
    rows = rows_of(root / f"r.{kind}", "scores")
    if len(rows) != 14 or len({str(row["path"]) for row in rows}) != 14:
        findings.append(f"{len(rows)} rows after {statuses}")
    if len(placed(root)) != sum(str(row["kept"]) == "1" for row in rows):
        findings.append(f"{len(placed(root))} files placed")
    return findings


def _both(main: object, one: Sequence[str], other: Sequence[str], delay: float) -> list[int]:
    children = [_forked(main, one), _forked(main, other, delay)]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _forked(main: object, words: Sequence[str], delay: float = 0.0) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            time.sleep(delay)
            sys.stderr = io.StringIO()
            os._exit(main(words))  # type: ignore[operator]
        finally:
            os._exit(99)
    return child
