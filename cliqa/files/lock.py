"""One writer at a time: a lock on a file that several runs could want, released by the system however a run ends.

The lock lies beside the file in a hidden one of its own (`.scores.csv.cliqa-lock`), which is removed at the end; what a killed
run leaves of it locks nothing. Where the file system knows no locks (some network ones), there is none.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket

from cliqa.errors import ResultsError
from cliqa.text import display

_UNKNOWN = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_LOCKED_BYTE = 1 << 30  # Windows locks ranges, against reading too: one that holds nothing


class RunLock:
    """Holds the lock on `path` from its making until `release`.

    Raises:
        ResultsError: another run holds it; the message says which.
        OSError: the lock can't be written beside the file.
    """

    def __init__(self, path: str) -> None:
        folder, name = os.path.split(path)
        self.path = os.path.join(folder, f".{name[:200]}.cliqa-lock")
        os.makedirs(folder or os.curdir, exist_ok=True)
        self._descriptor = self._locked(path)
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"{os.getpid()} on {socket.gethostname()}".encode())

    def release(self) -> None:
        """Let the next run have it; more than once does no harm."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        os.close(self._descriptor)
        self._descriptor = -1

    def _locked(self, path: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        while True:
            descriptor = os.open(self.path, flags, 0o666)
            try:
                if not _lock(descriptor):
                    raise ResultsError(f"{display(path)} is being written by another run{_holder(descriptor)}")
                if self._is_still(descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # the run that held it removed it while this one waited to look

    def _is_still(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except FileNotFoundError:
            return False


def _lock(descriptor: int) -> bool:
    """Whether the lock was free."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNKNOWN:
            return True
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True


def _holder(descriptor: int) -> str:
    with contextlib.suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 200).decode("utf-8", "replace")
        return f" (process {display(text)})" if text else ""
    return ""
