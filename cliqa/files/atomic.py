"""Files opened, copied and put in place: only regular ones are read, and what gets a name is whole and over nothing.

A copy is written to an unnamed (or hidden) file and then given its name in one step that fails if the name is taken, so a
killed run leaves no half file. Hidden files have names of our own, by which what a killed run left is known and removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import stat
import zlib
from collections.abc import Iterator
from typing import IO

from cliqa.errors import ImageError, UsageError
from cliqa.text import display, reason

OWN_FILES = ".cliqa-"  # how the names of this program's own hidden files in folders of pictures begin
_PART = f"{OWN_FILES}part-"
_UNNAMED_FALLBACK = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open for reading; a pipe, socket, device or folder is refused rather than waited for."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ImageError("is a folder" if stat.S_ISDIR(mode) else "not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def copy_file(source: str, target: str) -> None:
    """Copy with times and permissions, then name it in one step. Raises FileExistsError where the name is taken."""
    try:
        opened = open_regular(source)
    except OSError as error:
        raise ImageError(f"can't be copied: {reason(error)}") from error
    with opened as reader:
        if not _copy_unnamed(reader, target):
            _copy_hidden(reader, target)


def _copy_unnamed(reader: IO[bytes], target: str) -> bool:
    """Through an unnamed file (Linux), of which a killed run leaves nothing. False where that isn't supported."""
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        descriptor = os.open(os.path.dirname(target) or os.curdir, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError as error:
        if error.errno in _UNNAMED_FALLBACK:
            return False
        raise
    with os.fdopen(descriptor, "wb") as writer:
        _copy_content(reader, writer)
        try:
            os.link(f"/proc/self/fd/{writer.fileno()}", target, follow_symlinks=True)
        except FileExistsError:
            raise
        except OSError:  # no /proc, or a file system without hard links
            reader.seek(0)
            return False
    return True


def _copy_hidden(reader: IO[bytes], target: str) -> None:
    part = os.path.join(os.path.dirname(target), part_name())
    try:
        with open(part, "xb") as writer:
            _copy_content(reader, writer)
        name_finished(part, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def name_finished(part: str, target: str) -> None:
    """Give a finished file its name in one step. Raises FileExistsError where the name is taken."""
    if os.name == "nt":
        os.rename(part, target)  # fails on Windows where the name is taken
        return
    try:
        os.link(part, target)
        return
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # take the name, then fill it in one step
    try:
        os.replace(part, target)
    except BaseException:
        os.unlink(target)
        raise


def _copy_content(reader: IO[bytes], writer: IO[bytes]) -> None:
    while block := _read(reader):
        writer.write(block)
    writer.flush()
    status = os.fstat(reader.fileno())
    with contextlib.suppress(OSError):  # file systems without times or permissions
        if os.utime in os.supports_fd:
            os.utime(writer.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
        if hasattr(os, "fchmod"):
            os.fchmod(writer.fileno(), stat.S_IMODE(status.st_mode) & 0o777 | stat.S_IWUSR)


def _read(reader: IO[bytes]) -> bytes:
    try:
        return reader.read(1 << 20)
    except OSError as error:  # the source's fault, not the output's
        raise ImageError(f"can't be copied: {reason(error)}") from error


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
