"""Tars and key lists while single calls fail or the disk is full: nothing half done has a name, and a resume completes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.reliability import faults
from tests.shard_files import read_tar, samples, write_tar
from tests.toy_filter import COMMAND

ROOM = (0, 1, 5, 700, 3000, 9000, 12_000)


class Workspace:
    """Two shards, the run over them, and what an undisturbed run made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for number in range(2):
            values = {f"{number}{each}": 60 * each + 10 for each in range(4)}
            write_tar(root / "in" / f"{number}.tar", samples(values))
        self.expected: dict[str, bytes] = {}
        assert self.run() == 0
        self.expected = self.made()
        assert sorted(self.expected) == ["kept/0.tar", "kept/1.tar", "keys.txt"]
        self.clear()

    def run(self, *more: str) -> int:
        where = [str(self.root / "kept" / "%d.tar"), "--keys", str(self.root / "keys.txt"), "--shard-size", "3"]
        given = ["-i", str(self.root / "in" / "{0..1}.tar"), "--mean", "100", "-g", "-1", "--workers", "0"]
        return COMMAND.main([*given, "-o", *where, *more])

    def made(self) -> dict[str, bytes]:
        """All files but the input, by name below the root."""
        files = [path for path in self.root.rglob("*") if path.is_file() and path.parent.name != "in"]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}

    def clear(self) -> None:
        for name in self.made():
            (self.root / name).unlink()

    def disturbed(self, fault: Callable[[], AbstractContextManager[Any]], said: Callable[[], str]) -> bool:
        """One run under a fault, and the resume; whether the fault struck."""
        before = {path.name: path.read_bytes() for path in (self.root / "in").iterdir()}
        with fault() as struck:
            status = self.run()
        message = said()
        assert status in (0, 1, 2) and "internal error" not in message and "Traceback" not in message, message
        made = {name: data for name, data in self.made().items() if ".cliqa-part-" not in name}
        if "error: " in message:  # of the input: what goes out are the samples that could be read
            assert status == 0 and all(set(read_tar(self.root / name)) for name in made if name.endswith(".tar"))
        else:
            assert made.items() <= self.expected.items(), (status, sorted(made), message)  # whole, or not there
            assert status != 0 or made == self.expected
            assert self.run("--resume") == 0, said()
            assert self.made() == self.expected, said()
            said()
        assert before == {path.name: path.read_bytes() for path in (self.root / "in").iterdir()}
        self.clear()
        return struck.done if isinstance(struck, faults.Trigger) else struck[0] == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX calls")
@pytest.mark.parametrize("call", ["open", "os.open", "os.link", "os.mkdir", "os.unlink", "os.stat", "os.scandir"])
def test_any_call_may_fail(call: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = Workspace(tmp_path)
    capsys.readouterr()
    errors = faults.CALLS[call][2]
    for number in range(1, 200):
        error = errors[number % len(errors)]
        if not workspace.disturbed(
            lambda number=number, error=error: faults.failing(call, number, error, str(tmp_path)),
            lambda: capsys.readouterr().err,
        ):
            break


@pytest.mark.parametrize("room", ROOM)
def test_the_disk_may_be_full(room: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = Workspace(tmp_path)
    capsys.readouterr()
    workspace.disturbed(lambda: faults.full_disk(room, str(tmp_path)), lambda: capsys.readouterr().err)
