"""Runs of commands over one small folder, and what must hold after each, however it ended.

The output folder holds files of somebody's own from the start, one of them under the name of an input: they must stay.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import signal
import sqlite3
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from cliqa.outputs.journal import is_journal
from cliqa.outputs.placed import RECORD
from cliqa.results.faces import read_table
from tests.conftest import encode
from tests.reliability.commands import Command

PRECIOUS = {
    "out/mine.txt": b"mine",
    "out/04.png": b"no picture, but mine",
    "notes.csv": b"path,mine\n",
    "r.csv.part": b"mine",
}


def make_workspace(root: Path, command: Command, files: int = 10) -> None:
    """Inputs in a folder and a sub-folder, a broken one among them, and what is precious."""
    for number in range(files):
        path = root / "in" / ("sub" if number % 3 == 2 else "") / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(Image.fromarray(np.full((40, 40, 3), 60 + 12 * number, np.uint8)), "PNG"))
    (root / "in" / "broken.jpg").write_bytes(b"no picture")
    for name, content in PRECIOUS.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(content)
    if command.prepare is not None:
        command.prepare(root)


def run(command: Command, root: Path, *more: str) -> tuple[int, str]:
    """(exit status, messages) of one run in this process."""
    messages = io.StringIO()
    with contextlib.redirect_stderr(messages):
        status = command.main([*command.arguments(root), *more])
    return status, messages.getvalue()


def run_forked(
    command: Command,
    root: Path,
    around: contextlib.AbstractContextManager[object],
    more: Sequence[str],
    seconds: float | None,
) -> int:
    """A run in a forked child inside `around`, killed after `seconds`; the wait status (negative: the signal's number)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of the test runner: the child uses none of them
        child = os.fork()
    if child == 0:
        try:
            sys.stderr = io.StringIO()
            with around:
                status = command.main([*command.arguments(root), *more])
            os._exit(status)
        finally:
            os._exit(99)
    if seconds is not None:
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def inputs(root: Path) -> dict[str, bytes]:
    """Everything that must never change, by its path below the workspace."""
    files = [path for path in (root / "in").rglob("*") if path.is_file()]
    files += placed(root)  # by earlier runs
    return {str(path.relative_to(root)): path.read_bytes() for path in files} | PRECIOUS


def damage(root: Path, before: dict[str, bytes], moves: bool = False) -> list[str]:
    """What an interrupted run has broken: files of before that changed, files in the output that are not whole.

    What earlier runs placed may be taken away. Where the run `moves` files, each may lie elsewhere too, but nothing may be lost.
    """
    there = {path.read_bytes() for path in [*(root / "in").rglob("*"), *placed(root)] if path.is_file()}
    found = []
    for name, content in before.items():
        if (root / name).exists():
            found += [f"{name} was changed"] if (root / name).read_bytes() != content else []
        elif name in PRECIOUS or (content not in there if moves else not name.startswith("out/")):
            found.append(f"{name} was lost")
    known = set(before.values())
    for path in placed(root):
        if path.name.startswith(".cliqa-part-"):
            continue
        marked = path.suffix == ".xmp" and path.exists() and b"urn:cliqa" in path.read_bytes()
        if marked and path.read_bytes().rstrip().endswith(b"xmpmeta>"):
            continue  # a sidecar with our marks
        if not path.exists() or path.read_bytes() not in known:
            found.append(f"{path.relative_to(root)} is no whole copy")
    return found


def placed(root: Path) -> list[Path]:
    """The files that runs have put into the output folder."""
    paths = [path for path in (root / "out").rglob("*") if path.is_symlink() or not path.is_dir()]
    ours = (RECORD, "moves.jsonl")
    return sorted(
        path
        for path in paths
        if str(path.relative_to(root)) not in PRECIOUS and path.name not in ours and not is_journal(path.name)
    )


def state(command: Command, root: Path) -> dict[str, object]:
    """What a complete run leaves, without what depends on the workspace or on the order of collisions."""
    whole = [path for path in placed(root) if not path.name.startswith(".cliqa-part-")]
    names = sorted(str(path.relative_to(root)) for path in whole)
    contents = sorted(path.read_bytes() for path in whole)
    found: dict[str, object] = {"names": names, "contents": contents}
    if command.moves:
        found["left"] = sorted(str(path.relative_to(root)) for path in (root / "in").rglob("*") if path.is_file())
    if command.results:
        for table in ("scores", "issues"):
            rows = rows_of(root / command.results, table)
            paths = [os.path.relpath(str(row["path"]), root) for row in rows]
            assert len(set(paths)) == len(paths), f"{table} has a path twice"
            wanted = ("kept", "brightness.mean", "brightness.label", "issue_type", "issue_message", "width")
            found[table] = {
                path: {name: str(row.get(name)) for name in wanted} for path, row in zip(paths, rows, strict=True)
            }
    return found


def leftovers(root: Path) -> list[str]:
    """Files that no complete run leaves: half ones, locks, journals."""
    names = [path.name for path in root.rglob("*")]
    return [
        name
        for name in names
        if "cliqa-part" in name or "cliqa-lock" in name or "cliqa-live" in name or name.endswith("-wal")
    ]


def rows_of(results: Path, table: str) -> list[dict[str, object]]:
    """The rows of `scores` or `issues` as the file holds them."""
    if results.suffix == ".db":
        with contextlib.closing(sqlite3.connect(results)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    path = results if table == "scores" else results.with_name(f"{results.stem}.issues{results.suffix}")
    if not path.exists():
        return []
    if results.suffix != ".csv":
        return [dict(row) for row in read_table(str(path))[1]]
    with open(path, newline="") as stream:
        return [dict(row) for row in csv.DictReader(stream)]


def expected(command: Command, root: Path) -> dict[str, object]:
    """The state after an undisturbed run in a workspace of its own, which is removed."""
    make_workspace(root, command)
    status, messages = run(command, root)
    assert status == 0, messages
    found = state(command, root)
    shutil.rmtree(root)
    return found


def quiet_stdout() -> contextlib.AbstractContextManager[object]:
    """Standard output that goes nowhere."""
    return mock.patch.object(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
