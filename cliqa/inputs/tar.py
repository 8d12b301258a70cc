"""The members of a tar, read forward in bounded memory: names, sizes and where their bytes lie. Nothing is extracted.

A reader of our own rather than `tarfile`, since shards come from strangers: `tarfile` keeps every member it has seen, takes
name records of any size into memory, and in older Pythons can be sent back by a forged size to read the same header for
ever. Here positions only grow, records of names are limited, and what is damaged says where.

Read: ustar (POSIX 1003.1-1988), pax (1003.1-2001: `path`, `size`, `mtime`), and GNU's long names and large numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

from cliqa.errors import ImageError

BLOCK = 512
MAX_RECORD_BYTES = 1 << 20  # of a pax or GNU name record; paths end at 32 KiB
_PIECE = 1 << 20
_NO_DATA = b"123456"  # links, devices, folders, pipes: no bytes follow, whatever the size field says

Kind = Literal["file", "folder", "link", "device", "sparse", "unknown", "cut"]
_KINDS: dict[bytes, Kind] = {
    b"0": "file", b"\0": "file", b"7": "file", b"1": "link", b"2": "link", b"3": "device", b"4": "device",
    b"5": "folder", b"6": "device", b"S": "sparse",
}  # fmt: skip


class ForwardReader:
    """A stream that is only read onwards; `position` counts the bytes passed.

    Args:
        stream: what to read; decompressors and network files may be short of what was asked for, and are asked again.
        length: bytes in all, where that is known and the stream can seek; then skipping costs nothing.
    """

    def __init__(self, stream: IO[bytes], length: int | None = None) -> None:
        self.stream = stream
        self.length = length
        self.position = 0

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        pieces = []
        missing = size
        while missing > 0 and (piece := self.stream.read(min(missing, _PIECE))):
            pieces.append(piece)
            missing -= len(piece)
        self.position += size - missing
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def skip_to(self, position: int) -> bool:
        """Go on to a later position; False where the stream ends before it."""
        if self.length is not None:
            if position != self.position:
                self.stream.seek(min(position, self.length))
            self.position = position
            return position <= self.length
        while self.position < position:
            piece = self.stream.read(min(_PIECE, position - self.position))
            if not piece:
                return False
            self.position += len(piece)
        return True


@dataclass(frozen=True)
class Member:
    """One member: `size` bytes at `offset`, its first header at `start`; kind "cut" where the tar ends within it."""

    name: str
    kind: Kind
    size: int
    start: int
    offset: int
    mtime: int = 0


def read_members(reader: ForwardReader) -> Iterator[Member]:
    """Members in order. While one is held, its bytes may be read from `reader`; the rest of them is passed over.

    Raises:
        ImageError: damage, or an end without the mark that closes a tar; what came before has been yielded.
    """
    name: str | None = None
    pax: dict[str, str] = {}
    start = reader.position
    while True:
        at = reader.position
        block = reader.read(BLOCK)
        if len(block) < BLOCK:
            raise ImageError(_cut(block, at))
        if not block.strip(b"\0"):
            return
        _check_sum(block, at)
        flag = block[156:157]
        size = _number(block[124:136], at)
        if flag in (b"x", b"X", b"g", b"L", b"K"):
            record = _record(reader, size, at)
            if flag in (b"x", b"X"):
                pax = _pax_fields(record, at)
            elif flag == b"L":
                name = _text(record)
            continue
        if "size" in pax:
            size = _decimal(pax["size"], at)
        if flag in _NO_DATA:
            size = 0
        given = pax.get("path", name) or _short_name(block)
        kind = _KINDS.get(flag, "unknown")
        if kind == "file" and given.endswith("/"):
            kind = "folder"  # as tars older than the flag write them
        if any(field.startswith("GNU.sparse.") for field in pax):
            kind = "sparse"
        if kind == "sparse" and flag == b"S":
            _pass_sparse_map(reader, block, at)
        offset = reader.position
        if reader.length is not None and offset + size > reader.length:
            kind = "cut"
        mtime = _number(block[136:148], at, negative=True)
        yield Member(given, kind, size, start, offset, max(0, mtime))
        if kind == "cut" or not reader.skip_to(offset + -(-size // BLOCK) * BLOCK):
            raise ImageError(f"the tar is cut short, {reader.length or reader.position} bytes from its beginning")
        name, pax, start = None, {}, reader.position


def _cut(rest: bytes, at: int) -> str:
    if at == 0:
        return "is no tar" if rest else "the file is empty"
    if rest:
        return f"the tar is cut short, {at + len(rest)} bytes from its beginning"
    return "the tar has no end mark: it may have been cut short between two members"


def _check_sum(block: bytes, at: int) -> None:
    """The header's own check: the sum of its bytes, the sum itself taken as blanks; some old tars add signed bytes."""
    field = block[148:156].strip(b" \0")
    blanked = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(blanked)
    signed = unsigned - 256 * sum(byte > 127 for byte in blanked)
    try:
        given = int(field, 8)
    except ValueError:
        given = -1
    if given not in (unsigned, signed):
        raise ImageError("is no tar" if at == 0 else f"the tar is damaged at byte {at}: what follows can't be read")


def _number(field: bytes, at: int, negative: bool = False) -> int:
    """A header's number: octal digits, or GNU's big-endian bytes behind a first byte of 0x80 (0xff where negative)."""
    if field[0] in (0x80, 0xFF):
        value = int.from_bytes(field, "big", signed=True) if field[0] == 0xFF else int.from_bytes(field[1:], "big")
    else:
        digits = field.split(b"\0", 1)[0].strip()
        try:
            value = int(digits or b"0", 8)
        except ValueError:
            raise ImageError(f"the tar is damaged at byte {at}: a number can't be read") from None
    if (value < 0 and not negative) or value > 1 << 62:
        raise ImageError(f"the tar is damaged at byte {at}: a member of {value} bytes")
    return value


def _decimal(text: str, at: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ImageError(f"the tar is damaged at byte {at}: a size can't be read")
    return int(text)


def _record(reader: ForwardReader, size: int, at: int) -> bytes:
    """The bytes of a name record, its padding passed over."""
    if size > MAX_RECORD_BYTES:
        raise ImageError(f"the tar is damaged at byte {at}: a name record of {size} bytes")
    record = reader.read(size)
    if len(record) < size or not reader.skip_to(at + BLOCK + -(-size // BLOCK) * BLOCK):
        raise ImageError(_cut(record or b"\0", at))
    return record


def _pax_fields(record: bytes, at: int) -> dict[str, str]:
    """`"30 path=photos/a.jpg\\n..."` -> fields; each begins with its own length in bytes."""
    fields: dict[str, str] = {}
    position = 0
    while position < len(record) and record[position] != 0:
        digits, blank, _ = record[position : position + 20].partition(b" ")
        length = int(digits) if digits.isdigit() and blank else 0
        body = record[position + len(digits) + 1 : position + length - 1]
        keyword, equals, value = body.partition(b"=")
        if length < 5 or position + length > len(record) or not equals:
            raise ImageError(f"the tar is damaged at byte {at}: a pax record can't be read")
        fields[keyword.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        position += length
    return fields


def _pass_sparse_map(reader: ForwardReader, block: bytes, at: int) -> None:
    """GNU's old sparse files: further blocks of the map follow the header, as long as each says so."""
    more = block[482]
    while more:
        block = reader.read(BLOCK)
        if len(block) < BLOCK:
            raise ImageError(_cut(block or b"\0", at))
        more = block[504]


def _short_name(block: bytes) -> str:
    """ustar's prefix and name; other tars have other things where the prefix would be."""
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
