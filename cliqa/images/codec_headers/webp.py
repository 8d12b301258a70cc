"""WebP: the chunks, the quantizers of a VP8 frame (RFC 6386, section 9), and the quality that libwebp was asked for."""

from __future__ import annotations

import math
import struct
from typing import IO

MOST_CHUNKS = 64  # chosen by hand, against files that are nothing but chunks
FRAME_BYTES = 256  # of a VP8 frame: its header takes about 40
# libwebp's spread of quantizers over its segments at the default strength of spatial noise shaping, 50: 0.9 * 50 / 100 / 128
SPREAD = 0.9 * 50 / 100 / 128
UNDECIDED = 115  # an alpha of the finest segment from which the coarsest one's may be the one that was not clipped; chosen by hand
DISTINCT = 8  # between quantizers that are not equal by chance; chosen by hand


class BooleanDecoder:
    """VP8's arithmetic decoder, bit by bit. Zeros follow the end of the data, as in RFC 6386."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 2
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self._range, self._shifts = 255, 0

    def bit(self, probability: int = 128) -> int:
        """One bit whose chance to be 0 is `probability` / 256."""
        split = 1 + (((self._range - 1) * probability) >> 8)
        found = int(self._value >= split << 8)
        if found:
            self._range -= split
            self._value -= split << 8
        else:
            self._range = split
        while self._range < 128:
            self._value <<= 1
            self._range <<= 1
            self._shifts += 1
            if self._shifts == 8:
                self._shifts = 0
                self._value |= self._data[self._place] if self._place < len(self._data) else 0
                self._place += 1
        return found

    def number(self, bits: int) -> int:
        """An unsigned number, most significant bit first."""
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def optional(self, bits: int) -> int:
        """A flag, and if it is set a magnitude and a sign; 0 otherwise."""
        if not self.bit():
            return 0
        value = self.number(bits)
        return -value if self.bit() else value


def coded_chunk(stream: IO[bytes], start: int = 12, depth: int = 0) -> tuple[str, bytes, int]:
    """The first chunk that holds pixels, of the first frame where there are several: its name, first bytes and length.

    Raises EOFError or ValueError where there is none.
    """
    place = start
    for _ in range(MOST_CHUNKS):
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8:
            raise EOFError("no picture in the WebP file")
        name, length = head[:4], struct.unpack("<I", head[4:])[0]
        if name in (b"VP8 ", b"VP8L"):
            return name.decode().strip(), stream.read(min(length, FRAME_BYTES)), length
        if name == b"ANMF" and depth == 0:
            return coded_chunk(stream, place + 8 + 16, depth + 1)
        place += 8 + length + length % 2
    raise ValueError("too many chunks")


def segment_quantizers(frame: bytes) -> list[int]:
    """The quantizer index (0-127) of each segment of a VP8 key frame; one where it has no segments.

    Raises ValueError where the bytes are no key frame.
    """
    if len(frame) < 12 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        raise ValueError("no VP8 key frame")
    coded = BooleanDecoder(frame[10:])
    coded.number(2)  # colour space, clamping
    absolute, deltas = False, [0]
    if coded.bit():
        with_map, with_data = coded.bit(), coded.bit()
        if with_data:
            absolute = bool(coded.bit())
            deltas = [coded.optional(7) for _ in range(4)]
            for _ in range(4):
                coded.optional(6)
        if with_map:
            for _ in range(3):
                if coded.bit():
                    coded.number(8)
    coded.number(1 + 6 + 3)  # the loop filter: kind, level, sharpness
    if coded.bit() and coded.bit():
        for _ in range(8):
            coded.optional(6)
    coded.number(2)  # partitions
    base = coded.number(7)
    return [min(max(delta if absolute else base + delta, 0), 127) for delta in deltas]


def asked_quality(quantizers: list[int]) -> float:
    """The quality (0-100) that libwebp was most likely asked for.

    It turns the quality into a size c (the cube root of a line with a knee at 75), spreads it over the segments,
    c ** (1 - SPREAD * alpha), and takes 127 * (1 - c) as their quantizers. The alphas lie 255 apart before they are clipped to -127 and
    127, so one end at least is clipped: nearly always the coarsest segment's. It is the finest one's where two segments share it; where
    its alpha would be close to 127 it may be either, and the mean of both answers is given. With one segment there is no spread.
    """
    ordered = sorted(quantizers)
    coarse, fine = _logarithm(ordered[-1]), _logarithm(ordered[0])
    if ordered[0] == ordered[-1]:
        return _quality(coarse)
    by_coarse, by_fine = coarse / (1 + SPREAD * 127), fine / (1 - SPREAD * 127)
    if ordered[0] == ordered[1] < ordered[-2] and ordered[-1] - ordered[0] >= DISTINCT:
        return _quality(by_fine)
    if (1 - fine / by_coarse) / SPREAD > UNDECIDED:
        return _quality((by_coarse + by_fine) / 2)
    return _quality(by_coarse)


def _logarithm(quantizer: int) -> float:
    """Of the size that makes a quantizer; it was cut down to a whole number, so half a step is added where there is room."""
    return math.log(1 - min(quantizer + 0.5, 126.5) / 127) if quantizer else 0.0


def _quality(logarithm: float) -> float:
    line = math.exp(3 * logarithm)
    return min(max(100 * (1.5 * line if line < 0.5 else (line + 1) / 2), 0.0), 100.0)
