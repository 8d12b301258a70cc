"""Opening files that somebody else named: only regular ones, and never waiting for one."""

from __future__ import annotations

import os
import stat
from typing import IO

from cliqa.errors import ImageError


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
