"""Campaigns: runs disturbed once by a fault or a kill drawn from a seed, then resumed, then compared with an undisturbed one."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability import faults
from tests.reliability.commands import COMMANDS, Command
from tests.reliability.runs import (
    damage,
    expected,
    inputs,
    leftovers,
    make_workspace,
    run,
    run_forked,
    state,
)  # fmt: skip

_DATABASE = ("database is locked", "disk I/O error", "database or disk is full", "attempt to write a readonly database")


@dataclass
class Tally:
    """What came of a campaign.

    Attributes:
        injected: how many runs were disturbed, by what was injected.
        commands: the same, by the command that was run.
        statuses: how the disturbed runs ended.
        findings: promises that did not hold, each with what makes it happen again.
    """

    injected: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many disturbances there were."""
        return sum(self.injected.values())


class Campaign:
    """Disturbs commands in workspaces below `folder`."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.tally = Tally()
        self._expected: dict[str, dict[str, object]] = {}
        self._number = 0

    def faults(self, count: int) -> None:
        """Calls that fail, disks that fill up, databases that refuse: one a run, until `count` have struck."""
        while self.tally.count < count:
            command = self.random.choice(COMMANDS)
            draw = self.random.random()
            if draw < 0.25:
                self._full_disk(command)
            elif draw < 0.4 and (command.results.endswith(".db") or command.name == "apply"):
                self._database(command)
            else:
                self._call(command)

    def kills(self, count: int) -> None:
        """SIGKILL at random moments and at single calls, once or several times before the run is allowed to end."""
        end = self.tally.count + count
        while self.tally.count < end:
            command = self.random.choice(COMMANDS)
            times = self.random.choice([1, 1, 2, 3])
            self._disturbed(
                command, "killed", lambda root, command=command, times=times: self._kill(command, root, times)
            )

    def _call(self, command: Command) -> None:
        name = self.random.choice(list(faults.CALLS))
        error = self.random.choice(faults.CALLS[name][2])
        number = self.random.choice([1, 1, 2, 3, 5, 8, 13, 21, 34])
        self._faulty(
            command, name, lambda root: faults.failing(name, number, error, str(root)), f"call {number}, errno {error}"
        )

    def _full_disk(self, command: Command) -> None:
        room = self.random.choice([0, 1, 40, 100, 150, 200, 300, 500, 900, 1500, 2500])
        self._faulty(command, "full disk", lambda root: faults.full_disk(room, str(root)), f"{room} bytes left")

    def _database(self, command: Command) -> None:
        number, message = self.random.randint(1, 60), self.random.choice(_DATABASE)
        self._faulty(
            command, "database", lambda root: faults.failing_database(number, message), f"statement {number}: {message}"
        )

    def _faulty(
        self,
        command: Command,
        kind: str,
        fault: Callable[[Path], contextlib.AbstractContextManager[object]],
        what: str,
    ) -> None:
        def disturb(root: Path) -> tuple[bool, str, list[str]]:
            with fault(root) as struck:
                status, messages = run(command, root, *command.again)
            did = struck.done if isinstance(struck, faults.Trigger) else struck[0] == 0  # type: ignore[index]
            findings = [] if status in (0, 1, 3) else [f"status {status}: {messages.strip()[-300:]}"]
            if "internal error" in messages or "Traceback" in messages:
                findings.append(messages.strip()[-300:])
            return did, str(status), findings

        self._disturbed(command, kind, disturb, what)

    def _kill(self, command: Command, root: Path, times: int) -> tuple[bool, str, list[str]]:
        struck, how, findings = False, "", []
        before = inputs(root)
        for _ in range(times):
            if self.random.random() < 0.5:
                number, first = self.random.randint(1, 150), self.random.random() < 0.5
                status = run_forked(command, root, faults.killed(number, str(root), first), command.again, None)
            else:
                status = run_forked(
                    command, root, contextlib.nullcontext(), command.again, self.random.uniform(0, 0.15)
                )
            struck |= status == -9
            how = "killed" if struck else str(status)
            findings += [] if status in (-9, 0) else [f"status {status}"]
            findings += damage(root, before, command.moves)
        return struck, how, findings

    def _disturbed(
        self, command: Command, kind: str, disturb: Callable[[Path], tuple[bool, str, list[str]]], what: str = ""
    ) -> None:
        self._number += 1
        label = f"run {self._number}, {command.name}, {kind} {what}"
        if command.name not in self._expected:
            self._expected[command.name] = expected(command, self.folder / "undisturbed")
        root = self.folder / "workspace"
        make_workspace(root, command)
        before = inputs(root)
        try:
            struck, how, findings = disturb(root)
            findings += damage(root, before, command.moves)
            status, messages = run(command, root, *command.again)
            if status != 0:
                findings.append(f"the resume ended with {status}: {messages.strip()[-300:]}")
            findings += damage(root, before, command.moves)
            found = state(command, root)
            for part, wanted in self._expected[command.name].items():
                if found[part] != wanted:
                    findings.append(f"{part} differ: {_difference(found[part], wanted)}")
            if command.again:  # a plain run does not look for half files of a dead one
                findings += [f"left behind: {name}" for name in leftovers(root)]
        except Exception as error:
            struck, how, findings = True, "exception", [f"{type(error).__name__}: {error}"]
        if struck:
            self.tally.injected[kind] += 1
            self.tally.commands[command.name] += 1
            self.tally.statuses[how] += 1
        self.tally.findings += [f"{label}: {finding}" for finding in findings]
        shutil.rmtree(root)


def _difference(found: object, wanted: object) -> str:
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
        return "; ".join(f"{key}: {found.get(key)} for {wanted.get(key)}" for key in keys[:3])
    return f"{found!r:.200} for {wanted!r:.200}"
