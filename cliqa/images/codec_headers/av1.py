"""AV1: `base_q_idx` of a key frame, from its sequence and frame headers (AV1 bitstream specification, 5.5 and 5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cliqa.images.codec_headers.bits import Bits

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6
_SELECT = 2
_IDENTITY, _UNSPECIFIED = 0, 2


@dataclass(frozen=True)
class Sequence:
    """What a frame header can't be read without, and the colours."""

    reduced: bool
    decoder_model: bool
    equal_interval: bool
    frame_ids: int  # bits, 0 for none
    width_bits: int
    height_bits: int
    width: int
    height: int
    screen_tools: int
    integer_motion: int
    order_bits: int
    superblock_128: bool
    superres: bool
    mono: bool
    exact_colours: bool  # RGB coded as it is


def base_q_index(settings: bytes, data: bytes) -> tuple[int, bool]:
    """`base_q_idx` (0-255) of the first frame, and whether it is coded without loss.

    Args:
        settings: the av1C box. data: the item's first bytes.

    Raises:
        EOFError, ValueError: it can't be read.
    """
    sequence = None
    for kind, payload in [*_units(data), *_units(settings[4:])]:
        if kind == _SEQUENCE and sequence is None:
            sequence = _sequence(Bits(payload))
    for kind, payload in _units(data):
        if kind in (_FRAME, _FRAME_HEADER) and sequence is not None:
            return _frame(Bits(payload), sequence)
    raise ValueError("no AV1 frame")


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(data):
        head = data[place]
        place += 2 if head & 4 else 1
        length = len(data) - place
        if head & 2:
            length = shift = 0
            for _ in range(8):
                byte = data[place] if place < len(data) else 0
                place += 1
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
        yield head >> 3 & 15, data[place : place + length]
        place += length


def _sequence(bits: Bits) -> Sequence:
    profile = bits.read(3)
    bits.skip(1)  # still_picture
    reduced = bits.flag()
    model = equal = False
    delay_bits = 0
    if reduced:
        bits.skip(5)
    else:
        if bits.flag():  # timing
            bits.skip(64)
            equal = bits.flag()
            if equal:
                bits.unsigned()
            model = bits.flag()
            if model:
                delay_bits = bits.read(5) + 1
                bits.skip(32 + 5 + 5)
        delays = bits.flag()
        for _ in range(bits.read(5) + 1):
            bits.skip(12)
            if bits.read(5) > 7:
                bits.skip(1)
            if model and bits.flag():
                bits.skip(2 * delay_bits + 1)
            if delays and bits.flag():
                bits.skip(4)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    frame_ids = 0
    if not reduced and bits.flag():
        delta = bits.read(4) + 2
        frame_ids = bits.read(3) + delta + 1
    superblock_128 = bits.flag()
    bits.skip(2)
    screen, motion, order_bits = _SELECT, _SELECT, 0
    if not reduced:
        bits.skip(4)
        if bits.flag():
            bits.skip(2)
            ordered = True
        else:
            ordered = False
        screen = _SELECT if bits.flag() else bits.read(1)
        if screen > 0:
            motion = _SELECT if bits.flag() else bits.read(1)
        if ordered:
            order_bits = bits.read(3) + 1
    superres = bits.flag()
    bits.skip(2)
    high = bits.flag()
    if profile == 2 and high:
        bits.skip(1)
    mono = False if profile == 1 else bits.flag()
    matrix = _UNSPECIFIED
    if bits.flag():
        bits.skip(16)  # primaries, transfer
        matrix = bits.read(8)
    exact = mono or matrix == _IDENTITY
    return Sequence(
        reduced, model, equal, frame_ids, width_bits, height_bits, width, height, screen, motion, order_bits,
        superblock_128, superres, mono, exact,
    )  # fmt: skip


def _frame(bits: Bits, sequence: Sequence) -> tuple[int, bool]:
    if not sequence.reduced:
        if bits.flag() or bits.read(2) != 0 or not bits.flag():
            raise ValueError("the first frame is no key frame that is shown")
        if sequence.decoder_model and not sequence.equal_interval:
            raise ValueError("a frame of a timed decoder model")
    still_updates = bits.flag()  # disable_cdf_update
    screen = bits.read(1) if sequence.screen_tools == _SELECT else sequence.screen_tools
    if screen and sequence.integer_motion == _SELECT:
        bits.skip(1)
    if sequence.frame_ids:
        bits.skip(sequence.frame_ids)
    override = False
    if not sequence.reduced:
        override = bits.flag()
        bits.skip(sequence.order_bits)
    if sequence.decoder_model and bits.flag():
        raise ValueError("a frame of a timed decoder model")
    width, height = sequence.width, sequence.height
    if override:
        width, height = bits.read(sequence.width_bits) + 1, bits.read(sequence.height_bits) + 1
    scaled = sequence.superres and bits.flag()
    if scaled:
        width = 8 * width // (bits.read(3) + 9)
    if bits.flag():
        bits.skip(32)  # render size
    if screen and not scaled:
        bits.skip(1)
    if not sequence.reduced and not still_updates:
        bits.skip(1)
    _tiles(bits, width, height, sequence.superblock_128)
    index = bits.read(8)
    lossless = index == 0 and not bits.flag() and sequence.exact_colours  # the flag: another step for DC
    return index, lossless


def _tiles(bits: Bits, width: int, height: int, large: bool) -> None:
    """Read past tile_info()."""
    shift = 5 if large else 4  # of units of four pixels
    columns, rows = (2 * ((length + 7) >> 3) for length in (width, height))
    columns, rows = ((length + (1 << shift) - 1) >> shift for length in (columns, rows))
    most_wide, most_area = 4096 >> (shift + 2), (4096 * 2304) >> (2 * (shift + 2))
    least = _log2(most_wide, columns)
    least_tiles = max(least, _log2(most_area, rows * columns))
    if bits.flag():  # uniform
        wide = least
        while wide < _log2(1, min(columns, 64)) and bits.flag():
            wide += 1
        tall = max(least_tiles - wide, 0)
        while tall < _log2(1, min(rows, 64)) and bits.flag():
            tall += 1
    else:
        widest, wide = _sizes(bits, columns, most_wide)
        area = (rows * columns) >> (least_tiles + 1) if least_tiles else rows * columns
        _, tall = _sizes(bits, rows, max(area // widest, 1))
    if wide or tall:
        bits.skip(wide + tall + 2)


def _sizes(bits: Bits, length: int, most: int) -> tuple[int, int]:
    """Tiles of given sizes along one axis: the widest, and the logarithm of their number."""
    widest = start = count = 0
    while start < length:
        size = _non_symmetric(bits, min(length - start, most)) + 1
        widest, start, count = max(widest, size), start + size, count + 1
    return widest, _log2(1, count)


def _non_symmetric(bits: Bits, values: int) -> int:
    width = values.bit_length()
    short = (1 << width) - values
    value = bits.read(width - 1)
    return value if value < short else (value << 1) - short + bits.read(1)


def _log2(unit: int, target: int) -> int:
    power = 0
    while unit << power < target:
        power += 1
    return power
