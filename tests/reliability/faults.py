"""What can go wrong around a program: a call that fails, a disk that is full, a process that is killed, at a chosen moment.

Only calls that touch files below one folder count, so that neither Python nor the test runner is hit.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import fcntl
import io
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

# What may fail, and how. Paths decide whether a call counts; calls that take none count always.
CALLS: dict[str, tuple[Any, str, tuple[int, ...]]] = {
    "open": (builtins, "open", (errno.EACCES, errno.EMFILE, errno.EIO, errno.ENOSPC)),
    "os.open": (os, "open", (errno.EACCES, errno.EMFILE, errno.ENOSPC, errno.EIO)),
    "os.link": (os, "link", (errno.EPERM, errno.EIO, errno.ENOSPC, errno.EXDEV, errno.EMLINK)),
    "os.symlink": (os, "symlink", (errno.EIO, errno.ENOSPC, errno.EPERM)),
    "os.replace": (os, "replace", (errno.EIO, errno.EACCES, errno.ENOSPC)),
    "os.rename": (os, "rename", (errno.EIO,)),
    "os.mkdir": (os, "mkdir", (errno.EACCES, errno.ENOSPC, errno.EROFS)),
    "os.unlink": (os, "unlink", (errno.EACCES, errno.EIO)),
    "os.scandir": (os, "scandir", (errno.EIO, errno.EACCES)),
    "os.stat": (os, "stat", (errno.EIO, errno.EACCES, errno.ESTALE)),
    "os.utime": (os, "utime", (errno.EPERM,)),
    "os.fchmod": (os, "fchmod", (errno.EPERM,)),
    "flock": (fcntl, "flock", (errno.ENOLCK, errno.EIO)),
}


@dataclass
class Trigger:
    """Counts calls and acts at the `number`-th; `done` tells whether it came to that."""

    number: int
    act: Callable[[], None]
    calls: int = 0
    done: bool = False

    def __call__(self) -> None:
        self.calls += 1
        if self.calls == self.number:
            self.done = True
            self.act()


def _raise(error: int) -> Callable[[], None]:
    def act() -> None:
        raise OSError(error, os.strerror(error))

    return act


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def failing(call: str, number: int, error: int, root: str) -> Iterator[Trigger]:
    """The `number`-th call of `call` that touches `root` fails with an errno, once."""
    trigger = Trigger(number, _raise(error))
    owner, name, _ = CALLS[call]
    real = getattr(owner, name)

    def replaced(*arguments: Any, **options: Any) -> Any:
        if _touches(arguments, root):
            trigger()
        return real(*arguments, **options)

    with mock.patch.object(owner, name, replaced):
        yield trigger


@contextlib.contextmanager
def killed(number: int, root: str, before: bool) -> Iterator[Trigger]:
    """This process is killed before (or after) the `number`-th of all the calls that touch `root`. For a forked child."""
    trigger = Trigger(number, _die)

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def replaced(*arguments: Any, **options: Any) -> Any:
            counts = _touches(arguments, root)
            if counts and before:
                trigger()
            try:
                return real(*arguments, **options)
            finally:
                if counts and not before:
                    trigger()

        return replaced

    with contextlib.ExitStack() as stack:
        for owner, name, _ in CALLS.values():
            stack.enter_context(mock.patch.object(owner, name, wrapped(getattr(owner, name))))
        stack.enter_context(mock.patch.object(builtins, "open", _opening(builtins.open, root, trigger)))
        yield trigger


@contextlib.contextmanager
def full_disk(room: int, root: str) -> Iterator[list[int]]:
    """Files below `root` can grow by `room` bytes in all; what goes beyond fails, half written, from then on."""
    left = [room]

    def write(real: Callable[[Any], int], data: Any) -> int:
        size = len(memoryview(data).cast("B"))
        if size > left[0]:
            written = real(memoryview(data).cast("B")[: left[0]]) if left[0] else 0
            left[0] = 0
            if written:
                return written  # as the system does: what fits is written, the next call fails
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= size
        return real(data)

    with (
        mock.patch.object(builtins, "open", _opening(builtins.open, root, None, write)),
        mock.patch.object(
            os, "fdopen", lambda fd, mode="r", *rest, **options: _opening(open, root, None, write)(fd, mode)
        ),
    ):
        yield left


@contextlib.contextmanager
def failing_database(number: int, message: str) -> Iterator[Trigger]:
    """The `number`-th statement of any SQLite connection fails with this message."""

    def act() -> None:
        raise sqlite3.OperationalError(message)

    trigger = Trigger(number, act)

    class Failing(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            trigger()
            return super().execute(*arguments)

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            trigger()
            return super().executemany(*arguments)

    real = sqlite3.connect
    with mock.patch.object(
        sqlite3, "connect", lambda *arguments, **options: real(*arguments, **options, factory=Failing)
    ):
        yield trigger


class _RawFile(io.FileIO):
    """A file whose writes (and reads) go through a fault."""

    fault: Callable[[Callable[[Any], int], Any], int] | None = None
    trigger: Trigger | None = None

    def write(self, data: Any) -> int:
        if self.trigger is not None:
            self.trigger()
        return self.fault(super().write, data) if self.fault is not None else super().write(data)


def _opening(
    real: Callable[..., Any],
    root: str,
    trigger: Trigger | None,
    fault: Callable[[Callable[[Any], int], Any], int] | None = None,
) -> Callable[..., Any]:
    """`open`, whose files below `root` (or of a number) count every write that reaches the system."""

    def opened(file: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if "r" in mode or not (isinstance(file, int) or _touches((file,), root)):
            return real(file, mode, *rest, **options)
        raw = _RawFile(file, mode.replace("b", "").replace("t", ""))
        raw.fault, raw.trigger = fault, trigger
        buffered = io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(
            buffered, **{key: options[key] for key in ("encoding", "errors", "newline") if key in options}
        )

    return opened


def _touches(arguments: tuple[Any, ...], root: str) -> bool:
    paths = [argument for argument in arguments if isinstance(argument, (str, bytes, os.PathLike))]
    if not paths:
        return any(isinstance(argument, int) for argument in arguments)
    return any(os.fsdecode(path).startswith(root) for path in paths)
