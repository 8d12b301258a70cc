"""The members of a tar, read forward in bounded memory: names, sizes and where their bytes lie. Nothing is extracted.

Headers are read by `tarfile`'s own `TarInfo.fromtarfile`, under a guard, since shards come from strangers: `TarFile` itself keeps
every member that it has seen, takes name records of any size into memory, ends without a word at a damaged header, and in older
Pythons can be sent back by a forged size to read the same header for ever. Here positions only grow, records of names are
limited, and what is damaged says where.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal

from cliqa.errors import ImageError
from cliqa.inputs.locations import Opened
from cliqa.text import describe

BLOCK = tarfile.BLOCKSIZE
MAX_RECORD_BYTES = 1 << 20  # of the name records of one member; paths end at 32 KiB
MAX_RATIO = 100  # of gzip: photographs don't compress; text beside them reaches 10; chosen by hand, between those and bombs of 1,000
FREE_BYTES = 256 << 20  # unpacked before the ratio counts; chosen by hand
_MAX_SIZE = 1 << 62  # of a member; above any file, and the sum of two fits 64 bits
_PIECE = 1 << 20  # bytes read at a time; chosen by hand
_PARSING = (tarfile.TarError, ValueError, LookupError, ArithmeticError, TypeError, RecursionError)  # on hostile bytes

Kind = Literal["file", "folder", "link", "device", "sparse", "unknown", "cut"]


def is_packed(path: str) -> bool:
    """Whether a tar is a gzip stream by its name."""
    return not path.lower().endswith(".tar")


class ForwardReader:
    """A stream that is only read onwards; `position` counts the bytes passed.

    Gzip is unpacked as it is read and watched: a bomb is given up long before it has cost time, and never costs memory.

    Args:
        stream: what to read; decompressors and network files may be short of what was asked for, and are asked again.
        length: bytes in all, where that is known and the stream can seek; then skipping costs nothing.
        packed: whether the stream is gzip.
    """

    def __init__(self, stream: IO[bytes], length: int | None = None, packed: bool = False) -> None:
        self.length = None if packed else length
        self.position = 0
        self._stream = stream
        self._plain = gzip.GzipFile(fileobj=stream, mode="rb") if packed else None

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        pieces = []
        missing = size
        while missing > 0 and (piece := self._piece(min(missing, _PIECE))):
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def skip_to(self, position: int) -> bool:
        """Go on to a later position; False where the stream ends before it."""
        if self.length is not None:
            if position != self.position:
                self._stream.seek(min(position, self.length))
            self.position = position
            return position <= self.length
        while self.position < position:
            if not self._piece(min(_PIECE, position - self.position)):
                return False
        return True

    def _piece(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end alone."""
        if self._plain is None:
            piece = self._stream.read(size)
        else:
            try:
                piece = self._plain.read(size)
            except EOFError:
                raise ImageError("the gzip stream is cut short") from None
            except (OSError, zlib.error) as error:
                raise ImageError(f"the gzip stream is damaged: {error}") from error
        self.position += len(piece)
        if self._plain is not None and self.position > max(FREE_BYTES, MAX_RATIO * max(1, self._stream.tell())):
            raise ImageError(f"unpacks to more than {MAX_RATIO} times its size: given up")
        return piece


def open_tar(opened: Opened, packed: bool) -> ForwardReader:
    """The tar in an open file, unpacked where need be; what isn't packed can be skipped through."""
    return ForwardReader(opened.stream, opened.size, packed)


@dataclass(frozen=True, slots=True)
class Member:
    """One member: `size` bytes at `offset`; kind "cut" where the tar ends within it."""

    name: str
    kind: Kind
    size: int
    offset: int
    mtime: int = 0


def read_members(reader: ForwardReader) -> Iterator[Member]:
    """Members in order. While one is held, its bytes may be read from `reader`; the rest of them is passed over.

    Raises:
        ImageError: damage, or an end without the mark that closes a tar; what came before has been yielded.
    """
    guard = _Guard(reader)
    headers: Any = _Headers(fileobj=guard, mode="r", encoding="utf-8", errors="surrogateescape")  # type: ignore[arg-type]
    while (member := _next(reader, guard, headers)) is not None:
        yield member
        if member.kind == "cut" or not reader.skip_to(headers.offset):
            raise ImageError(f"the tar is cut short, {reader.length or reader.position} bytes from its beginning")


def _next(reader: ForwardReader, guard: _Guard, headers: Any) -> Member | None:
    """The member whose first header begins where the reader is; None at the mark that ends a tar."""
    at = reader.position
    guard.left, guard.ended = MAX_RECORD_BYTES, False
    damaged = f"the tar is damaged at byte {at}"
    try:
        info = tarfile.TarInfo.fromtarfile(headers)
        mtime = max(0, int(info.mtime))
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        return None
    except _PARSING as error:
        raise ImageError(_cut(reader.position, at) if guard.ended else _unread(error, damaged, at)) from error
    sized = info.pax_headers.get("size", "0")
    if not 0 <= info.size <= _MAX_SIZE or not sized.isdigit() or headers.offset < reader.position:
        raise ImageError(f"{damaged}: a member of {info.size} bytes, its size can't be")
    kind = _kind(info)
    offset, size = info.offset_data, info.size if kind in ("file", "unknown") else 0
    if reader.length is not None and offset + size > reader.length:
        kind = "cut"
    return Member(info.name, kind, size, offset, mtime)


def _kind(info: tarfile.TarInfo) -> Kind:
    if info.issparse() or any(field.startswith("GNU.sparse.") for field in info.pax_headers):
        return "sparse"
    if info.isdir() or (info.isreg() and info.name.endswith("/")):  # as tars older than the flag write them
        return "folder"
    if info.issym() or info.islnk():
        return "link"
    return "device" if info.isdev() else "file" if info.isreg() else "unknown"


def _cut(end: int, at: int) -> str:
    if at == 0:
        return "is no tar" if end else "the file is empty"
    if end > at:
        return f"the tar is cut short, {end} bytes from its beginning"
    return "the tar has no end mark: it may have been cut short between two members"


def _unread(error: BaseException, damaged: str, at: int) -> str:
    is_first = at == 0 and isinstance(error, tarfile.InvalidHeaderError)  # type: ignore[attr-defined]
    return "is no tar" if is_first else f"{damaged}: what follows can't be read ({describe(error)})"


class _Headers(tarfile.TarFile):
    """The state that `TarInfo.fromtarfile` asks for; members are found by `read_members` and kept by nobody."""

    def next(self) -> None:
        """Not used: opening a `TarFile` would read the first header."""


class _Guard:
    """What `tarfile` reads headers from: no more than `left` bytes, and `ended` says that there were fewer."""

    def __init__(self, reader: ForwardReader) -> None:
        self.left = 0
        self.ended = False
        self._reader = reader

    def read(self, size: int) -> bytes:
        self.left -= abs(size)
        if self.left < 0:
            raise ImageError(
                f"the tar is damaged before byte {self._reader.position}: a name record of {size} bytes or more"
            )
        data = self._reader.read(size)
        self.ended = len(data) < size
        return data

    def tell(self) -> int:
        return self._reader.position
