"""Gzip, unpacked as it is read and watched: a bomb is given up long before it has cost time, and never costs memory."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO

from cliqa.errors import ImageError

MAX_RATIO = 100  # photographs don't compress; text beside them reaches 10
FREE_BYTES = 256 << 20  # unpacked before the ratio counts


class Unpacked(io.RawIOBase):
    """The bytes of a gzip stream. `read` returns at most what was asked for.

    Raises:
        ImageError: damage, an early end, or more than `MAX_RATIO` times the packed bytes.
    """

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__()
        self._packed = packed
        self._plain = gzip.GzipFile(fileobj=packed, mode="rb")
        self._count = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; b"" at the end alone."""
        try:
            piece = self._plain.read(size)
        except EOFError:
            raise ImageError("the gzip stream is cut short") from None
        except (OSError, zlib.error) as error:
            raise ImageError(f"the gzip stream is damaged: {error}") from error
        self._count += len(piece)
        if self._count > FREE_BYTES and self._count > MAX_RATIO * max(1, self._packed.tell()):
            raise ImageError(f"unpacks to more than {MAX_RATIO} times its size: given up")
        return piece
