"""One file copied into place: whole or not at all, and never over a name that is taken.

A copy is written to an unnamed (or hidden) file and then given its name in one step that fails if the name is taken, so a
killed run leaves no half file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import IO

from cliqa.errors import ImageError
from cliqa.files.regular_files import open_regular

_UNNAMED_FALLBACK = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def copy_file(source: str, target: str, part: str) -> None:
    """Copy with times and permissions, then name it in one step. Raises FileExistsError where the name is taken."""
    try:
        opened = open_regular(source)
    except OSError as error:
        raise ImageError(f"can't be copied: {error.strerror}") from error
    with opened as reader:
        if not _copy_unnamed(reader, target):
            _copy_hidden(reader, target, part)


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


def _copy_hidden(reader: IO[bytes], target: str, part: str) -> None:
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
        raise ImageError(f"can't be copied: {error.strerror or error}") from error
