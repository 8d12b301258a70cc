"""JPEG XL: whether a codestream may be lossless, from its image and first frame header (ISO 18181-1). Its distance is entropy coded."""

from __future__ import annotations

from typing import IO

SEARCHED = 1 << 16


def jxl_header(stream: IO[bytes]) -> bool | None:
    """False for a picture in XYB colours, which is lossy (VarDCT or modular); None where it keeps its own colours.

    Raises ValueError, EOFError or IndexError where there is no such header.
    """
    data = stream.read(SEARCHED)
    if data[:2] != b"\xff\x0a":
        place = 0
        while data[place + 4 : place + 8] not in (b"jxlc", b"jxlp"):
            length = int.from_bytes(data[place : place + 4], "big")
            if length < 8 or place + length >= len(data):
                raise ValueError("no codestream")
            place += length
        data = data[place + (8 if data[place + 4 : place + 8] == b"jxlc" else 12) :]
    if data[:2] != b"\xff\x0a":
        raise ValueError("no codestream")
    bits = _LittleBits(data[2:512])
    _skip_size(bits)
    if bits.read(1):  # all default: 8 bits, XYB
        return False
    if bits.read(1):  # extra fields
        bits.read(3)
        if bits.read(1):
            _skip_size(bits)
        if bits.read(1) or bits.read(1):
            return None  # a preview or an animation: not followed
    if bits.read(1):  # floats
        bits.choice(32, 16, 24, (6, 1))
        bits.read(4)
    else:
        bits.choice(8, 10, 12, (6, 1))
    bits.read(1)
    if bits.choice(0, 1, (4, 2), (12, 1)):
        return None  # further channels: not followed
    return False if bits.read(1) else None


class _LittleBits:
    """Bits of a JPEG XL header, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def read(self, count: int) -> int:
        if count > self._left:
            raise EOFError("the header ends early")
        found = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return found

    def choice(self, *options: int | tuple[int, int]) -> int:
        """U32: two bits choose a constant, or a number of (bits, offset)."""
        option = options[self.read(2)]
        return option if isinstance(option, int) else self.read(option[0]) + option[1]


def _skip_size(bits: _LittleBits) -> None:
    """Read past a SizeHeader."""
    widths = ((9, 1), (13, 1), (18, 1), (30, 1))
    small = bits.read(1)
    if small:
        bits.read(5)
    else:
        bits.choice(*widths)
    if bits.read(3) == 0:
        if small:
            bits.read(5)
        else:
            bits.choice(*widths)
