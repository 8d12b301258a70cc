"""The journal of moved files: before each step one line of JSON is there and on the disk, by which the step can be undone.

A line says from where, to where, and by which size and time the file is known.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from cliqa.errors import PlacingError, UsageError
from cliqa.records import State
from cliqa.text import display, reason


@dataclass(frozen=True)
class Step:
    """One line of a journal: a file that was about to be moved, absolute paths, and by what it is known."""

    source: str
    target: str
    state: State


class Journal:
    """Written line by line; made with the first one, gone on with where it is there."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._stream: IO[bytes] | None = None

    def note(self, step: Step) -> None:
        """A step that is about to be taken. Raises PlacingError where that can't be written."""
        self._write({"from": step.source, "to": step.target, "size": step.state.size, "mtime_ns": step.state.mtime_ns})

    def void(self, target: str) -> None:
        """The step to `target` was not taken."""
        self._write({"void": target})

    def _write(self, row: dict[str, object]) -> None:
        try:
            if self._stream is None:
                os.makedirs(os.path.dirname(self.path) or os.curdir, exist_ok=True)
                torn = _is_torn(self.path)
                self._stream = open(self.path, "ab")  # noqa: SIM115 - open while the run lasts
                sync_folder(os.path.dirname(self.path) or os.curdir)
                if torn:
                    self._stream.write(b"\n")
            self._stream.write(json.dumps(row).encode("ascii") + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            self.close()
            raise PlacingError(f"the journal {display(self.path)} can't be written: {reason(error)}") from error

    def close(self) -> None:
        """Nothing more is written."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # what a full disk did not take is tried once more
                stream.close()


def read_journal(journal_path: str) -> list[Step]:
    """The steps of a journal that were taken, in order; a last line that was not written whole began no step.

    Raises:
        UsageError: there is no such journal, or the file is none.
        PlacingError: it can't be read.
    """
    steps: dict[str, Step] = {}
    try:
        with open(journal_path, "rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    if "void" in row:
                        steps.pop(str(row["void"]), None)
                        continue
                    step = Step(str(row["from"]), str(row["to"]), State(int(row["size"]), int(row["mtime_ns"])))
                except (ValueError, TypeError, KeyError):
                    if number == 1 and line.endswith(b"\n"):
                        raise UsageError(f"{display(journal_path)} is no journal of moves") from None
                    continue
                steps.pop(step.target, None)
                steps[step.target] = step
    except FileNotFoundError:
        raise UsageError(f"there is no journal {display(journal_path)}") from None
    except OSError as error:
        raise PlacingError(f"{display(journal_path)} can't be read: {reason(error)}") from error
    return list(steps.values())


def _is_torn(path: str) -> bool:
    """Whether a journal ends in the middle of a line: the step was not taken."""
    try:
        with open(path, "rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) != b"\n"
    except OSError:  # there is none, or an empty one
        return False


def sync_folder(folder: str) -> None:
    """Have a new name on the disk too, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder or os.curdir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def journals(path: str) -> Iterator[str]:
    """A journal itself; of a folder those that lie in it, the newest first."""
    if not os.path.isdir(path):
        yield path
        return
    names = sorted((name for name in os.listdir(path) if is_journal(name)), reverse=True)
    if not names:
        raise UsageError(f"there is no journal of moves in {display(path)}")
    yield from (os.path.join(path, name) for name in names)


def journal_name(time: str) -> str:
    """How a journal is called that lies in the folder that files were moved to; `time` so that names sort by it."""
    return f".cliqa-moves-{time}-{os.getpid()}.jsonl"


def is_journal(name: str) -> bool:
    """Whether a file is a journal by its name."""
    return name.startswith(".cliqa-moves-") and name.endswith(".jsonl")
