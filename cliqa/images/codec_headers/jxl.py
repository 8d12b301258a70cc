"""JPEG XL: whether a codestream may be lossless, and the distance that it was made with (ISO/IEC 18181-1: headers, TOC, LfGlobal).

The distance itself is not stored. libjxl draws the step of the lowest frequencies from it (`InitialQuantDC`), and that step is
among the first plain bits of a frame; so it comes back but for rounding.
"""

from __future__ import annotations

from typing import IO

from cliqa.images.jxl import Bits, codestream, read_size

SEARCHED = 1 << 16  # bytes in which the codestream has to begin; chosen by hand: boxes before it are short
FOLLOWED = 1 << 13  # bytes of the codestream that are followed; the table of a picture of 100 megapixels takes 6,000
GROUP = 256  # pixels a side of a group; eight times that of one of the lowest frequencies
_PATCHES, _SPLINES, _NOISE = 2, 16, 1
# libjxl: quant_dc = DC_QUANT / d, with d the distance up to DC_FROM and DC_FROM * (distance / DC_FROM) ** DC_POWER beyond.
DC_QUANT, DC_FROM, DC_POWER = 1.095924, 0.3, 0.83


def jxl_header(stream: IO[bytes]) -> tuple[float | None, bool | None]:
    """(distance, lossless): False for a picture in XYB colours, which is lossy (VarDCT or modular); None where it keeps its own.

    The distance is None where the headers have something rare in them that is not followed.
    Raises ValueError, EOFError or struct.error where there is no such header.
    """
    bits = Bits(codestream(stream.read(SEARCHED))[2:FOLLOWED])
    size = read_size(bits)
    plain = bool(bits.read(1))  # all default: 8 bits, XYB, sRGB
    if not plain:
        if bits.read(1):  # extra fields
            bits.read(3)
            if bits.read(1):
                read_size(bits)
            if bits.read(1) or bits.read(1):
                return None, None  # a preview or an animation: not followed
        if bits.read(1):  # floats
            _choice(bits, 32, 16, 24, (6, 1))
            bits.read(4)
        else:
            _choice(bits, 8, 10, 12, (6, 1))
        bits.read(1)
        if _choice(bits, 0, 1, (4, 2), (12, 1)):
            return None, None  # further channels: not followed
        if not bits.read(1):
            return None, None
        plain = bool(bits.read(1)) and not _u64(bits)  # sRGB, no extensions
    if not plain or not bits.read(1):  # the last: default transforms
        return None, False
    try:
        return _distance(bits, size), False
    except EOFError:
        return None, False


def _distance(bits: Bits, size: tuple[int, int]) -> float | None:
    """The distance from the first frame's own bits, None where it has what is not followed: crops, patches, splines, several passes."""
    bits.align()
    flags = 0
    if not bits.read(1):  # not all default
        if bits.read(2) or bits.read(1):
            return None  # no regular frame, or a modular one
        flags = _u64(bits)
        if flags & (_PATCHES | _SPLINES) or _choice(bits, 1, 2, 4, 8) != 1:
            return None
        bits.read(6)  # scales of X and B
        if _choice(bits, 1, 2, 3, (3, 4)) != 1 or bits.read(1):
            return None  # passes, a crop
        if _choice(bits, 0, 1, 2, (2, 3)) or not bits.read(1):
            return None  # blended, or not the last
        if _choice(bits, 0, (4, 0), (5, 16), (10, 48)):
            return None  # a name
        if not bits.read(1) and not _restoration(bits):
            return None
        if _u64(bits):
            return None  # extensions
    _skip_table(bits, size)
    if flags & _NOISE:
        bits.read(80)
    if not bits.read(1):
        bits.read(48)  # the channels' own steps
    scale = _choice(bits, (11, 1), (11, 2049), (12, 4097), (16, 8193))
    step = DC_QUANT / (scale * _choice(bits, 16, (5, 1), (8, 1), (16, 1)) / 65536)
    return step if step <= DC_FROM else float(DC_FROM * (step / DC_FROM) ** (1 / DC_POWER))


def _restoration(bits: Bits) -> bool:
    """Read past the filters of a frame that are not the default ones; False where they have weights of their own."""
    if bits.read(1) and bits.read(1):
        return False
    return not (bits.read(2) and (bits.read(1) or bits.read(1) or bits.read(1))) and not _u64(bits)


def _skip_table(bits: Bits, size: tuple[int, int]) -> None:
    """Past the table of the sections' sizes. Raises EOFError where they are in another order."""
    if bits.read(1):
        raise EOFError("permuted sections")
    bits.align()
    groups, low = (-(-size[0] // side) * -(-size[1] // side) for side in (GROUP, 8 * GROUP))
    for _ in range(1 if groups == 1 else 2 + low + groups):
        _choice(bits, (10, 0), (14, 1024), (22, 17408), (30, 4211712))
    bits.align()


def _choice(bits: Bits, *options: int | tuple[int, int]) -> int:
    """U32: two bits choose a constant, or a number of (bits, offset)."""
    option = options[bits.read(2)]
    return option if isinstance(option, int) else bits.read(option[0]) + option[1]


def _u64(bits: Bits) -> int:
    """U64, the part of it that occurs: up to 272. Raises EOFError for more."""
    choice = bits.read(2)
    if choice == 3:
        raise EOFError("a large number")
    return (0, 1 + bits.read(4) if choice == 1 else 0, 17 + bits.read(8) if choice == 2 else 0)[choice]
