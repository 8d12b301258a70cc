"""JPEG XL: whether a codestream may be lossless, from its image and first frame header (ISO 18181-1). Its distance is entropy coded."""

from __future__ import annotations

from typing import IO

from cliqa.images.jxl import Bits, codestream, read_size

SEARCHED = 1 << 16  # bytes in which the codestream has to begin; chosen by hand: boxes before it are short


def jxl_header(stream: IO[bytes]) -> bool | None:
    """False for a picture in XYB colours, which is lossy (VarDCT or modular); None where it keeps its own colours.

    Raises ValueError, EOFError or struct.error where there is no such header.
    """
    bits = Bits(codestream(stream.read(SEARCHED))[2:512])
    read_size(bits)
    if bits.read(1):  # all default: 8 bits, XYB
        return False
    if bits.read(1):  # extra fields
        bits.read(3)
        if bits.read(1):
            read_size(bits)
        if bits.read(1) or bits.read(1):
            return None  # a preview or an animation: not followed
    if bits.read(1):  # floats
        _choice(bits, 32, 16, 24, (6, 1))
        bits.read(4)
    else:
        _choice(bits, 8, 10, 12, (6, 1))
    bits.read(1)
    if _choice(bits, 0, 1, (4, 2), (12, 1)):
        return None  # further channels: not followed
    return False if bits.read(1) else None


def _choice(bits: Bits, *options: int | tuple[int, int]) -> int:
    """U32: two bits choose a constant, or a number of (bits, offset)."""
    option = options[bits.read(2)]
    return option if isinstance(option, int) else bits.read(option[0]) + option[1]
