"""Files that are not finished yet: hidden names of our own, by which what a killed run left is known and removed."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import zlib
from collections.abc import Iterator

from cliqa.errors import UsageError
from cliqa.files.atomic_copy import name_finished
from cliqa.inputs.folders import display

_PART = ".cliqa-part-"


def part_name() -> str:
    """A hidden name that no other run uses, and by which `sweep` knows it."""
    return f"{_PART}{os.getpid()}-{_host()}-{secrets.token_hex(6)}"


def _host() -> str:
    """Eight letters for this machine or container: processes of others can't be asked whether they still run."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def sweep(folder: str) -> None:
    """Remove what killed runs left half done below `folder`: only hidden files of our own naming."""
    for inside, _, names in os.walk(folder):
        for name in names:
            if _is_abandoned(name):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(inside, name))


def sweep_beside(path: str) -> None:
    """Remove what killed runs left half done in the folder of `path`, not below it."""
    folder = os.path.dirname(path) or os.curdir
    for name in os.listdir(folder):
        if _is_abandoned(name):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def _is_abandoned(name: str) -> bool:
    number, _, rest = name[len(_PART) :].partition("-")
    return name.startswith(_PART) and rest.startswith(_host()) and number.isdigit() and not is_running(int(number))


def is_running(pid: int) -> bool:
    """Whether another run may still be writing; on Windows a file that is in use can't be removed anyway."""
    if os.name == "nt" or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def replacing(path: str) -> Iterator[str]:
    """A new file beside `path` to write to; it takes the place of `path` when the block ends, and is removed if it fails."""
    with _beside(path) as part:
        yield part
        os.replace(part, path)


@contextlib.contextmanager
def creating(path: str) -> Iterator[str]:
    """The same for a file that must not be there yet.

    Raises:
        UsageError: it is there, now or when the block ends; whatever it is, it is left alone.
    """
    taken = UsageError(f"{display(path)} exists; give another name")
    if os.path.lexists(path):
        raise taken
    os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
    with _beside(path) as part:
        yield part
        try:
            name_finished(part, path)
        except FileExistsError:
            raise taken from None


@contextlib.contextmanager
def _beside(path: str) -> Iterator[str]:
    part = os.path.join(os.path.dirname(path), part_name())
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield part
    finally:
        with contextlib.suppress(OSError):  # it has got its name, most times
            os.unlink(part)
