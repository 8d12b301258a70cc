"""Broken, hostile and merely odd files, made from sound ones: one seeded mutation at a time.

`mutated(sound, others, rng)` returns the bytes and the names of what was done to them, so that a finding can be named and
made again from its seed. Nothing here knows of images alone: tars, tables and databases are mutated by the same functions.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence

import numpy as np

from tests.reliability.segments import declared_sizes, segments, with_checksums

Random = np.random.Generator
_SIZES = (
    0,
    1,
    2,
    31,
    32,
    127,
    4096,
    13_000,
    13_377,
    16_383,
    20_000,
    32_767,
    65_535,
    1 << 20,
    (1 << 31) - 1,
    (1 << 32) - 1,
)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def mutated(sound: bytes, others: Sequence[bytes], rng: Random) -> tuple[bytes, str]:
    """One to four mutations of `sound`; `others` lend their parts. Returns (bytes, what was done)."""
    data, names = sound, []
    for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3, 4]))):
        mutate = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        data = mutate(data, others, rng)
        names.append(mutate.__name__.strip("_"))
    if rng.random() < 0.7:
        data = with_checksums(data)
    return data, "+".join(names)


def _place(data: bytes, rng: Random) -> int:
    """A random offset, half the time among the first bytes, where formats keep what matters."""
    limit = len(data) if rng.random() < 0.5 else min(len(data), int(rng.choice([16, 64, 400])))
    return int(rng.integers(max(1, limit)))


def _written(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _flip_bits(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(int(rng.choice([1, 2, 8, 64]))):
        if changed:
            changed[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _random_bytes(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return _written(data, _place(data, rng), rng.bytes(int(rng.choice([1, 4, 32, 256]))))


def _interesting_number(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    kind = str(rng.choice(["B", "<H", ">H", "<I", ">I"]))
    number = int(rng.choice(_NUMBERS)) & ((1 << 8 * struct.calcsize(kind)) - 1)
    return _written(data, _place(data, rng), struct.pack(kind, number))


def _truncated(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return data[: _place(data, rng)]


def _extended(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return data + (rng.bytes(64) if rng.random() < 0.5 else data)


def _zeroed(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    at = _place(data, rng)
    return _written(data, at, bytes([int(rng.choice([0, 255]))]) * min(int(rng.choice([4, 64, 1024])), len(data) - at))


def _slice_removed(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + int(rng.choice([1, 2, 16, 200])) :]


def _slice_repeated(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    at, times = _place(data, rng), int(rng.choice([1, 3, 40]))
    piece = data[at : at + int(rng.choice([2, 16, 200]))]
    return data[:at] + piece * times + data[at:]


def _header_of_another(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    count = int(rng.choice([4, 12, 32, 128]))
    return others[int(rng.integers(len(others)))][:count] + data[count:]


def _spliced(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    other = others[int(rng.integers(len(others)))]
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _declared_size(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Another width or height: a decompression bomb where it is huge."""
    if data[:1] == b"P" and (numbers := list(re.finditer(rb"\d+", data[:64]))):  # the text header of PNM
        found = numbers[int(rng.integers(min(4, len(numbers))))]
        return data[: found.start()] + str(int(rng.choice(_SIZES))).encode() + data[found.end() :]
    for at, kind in declared_sizes(data):
        if rng.random() < 0.6 and at + struct.calcsize(kind) <= len(data):
            number = int(rng.choice(_SIZES)) & ((1 << 8 * struct.calcsize(kind)) - 1)
            data = _written(data, at, struct.pack(kind.upper() if kind[-1] != "i" else kind.replace("i", "I"), number))
    return data


def _bomb(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Every declared width and height the same, just within the limit of pixels or beyond."""
    side = int(
        rng.choice([1024, 5000, 13_377, 13_378, 46_341, 65_000], p=[0.3, 0.07, 0.03, 0.2, 0.2, 0.2])
    )  # 13,377: the limit
    if data[:1] == b"P":
        return re.sub(rb"^(P\d\s+)(?:#[^\n]*\n)?\d+\s+\d+", rb"\g<1>%d %d" % (side, side), data)
    for at, kind in declared_sizes(data):
        if at + struct.calcsize(kind) <= len(data):
            data = _written(
                data, at, struct.pack(kind.replace("i", "I"), side & ((1 << 8 * struct.calcsize(kind)) - 1))
            )
    return data


def _part(data: bytes, rng: Random) -> tuple[int, int]:
    parts = segments(data)
    return parts[int(rng.integers(len(parts)))] if parts else (0, len(data))


def _part_repeated(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    start, end = _part(data, rng)
    times = int(rng.choice([1, 2, 50])) if end - start < 4096 else 1
    return data[:end] + data[start:end] * times + data[end:]


def _part_removed(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + data[end:]


def _parts_swapped(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    (a, b), (c, d) = sorted([_part(data, rng), _part(data, rng)])
    return data if b > c else data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _part_of_another(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    other = others[int(rng.integers(len(others)))]
    start, end = _part(other, rng)
    at = _part(data, rng)[int(rng.integers(2))]
    return data[:at] + other[start:end] + data[at:]


def _part_scrambled(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    start, end = _part(data, rng)
    changed = bytearray(data)
    for at in rng.integers(start, max(start + 1, end), int(rng.choice([1, 3, 12]))):
        if at < len(changed):
            changed[int(at)] = int(rng.integers(256))
    return bytes(changed)


def _length_changed(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """The number that stands at the beginning of a part, where most formats keep its length."""
    start, _ = _part(data, rng)
    kind = str(rng.choice(["<H", ">H", "<I", ">I"]))
    number = int(rng.choice(_NUMBERS)) & ((1 << 8 * struct.calcsize(kind)) - 1)
    return _written(data, start + int(rng.choice([0, 2, 4])), struct.pack(kind, number))


MUTATIONS: tuple[Callable[[bytes, Sequence[bytes], Random], bytes], ...] = (
    _flip_bits, _flip_bits, _random_bytes, _interesting_number, _interesting_number, _truncated, _extended, _zeroed,
    _slice_removed, _slice_repeated, _header_of_another, _spliced, _declared_size, _declared_size, _bomb, _part_repeated,
    _part_removed, _parts_swapped, _part_of_another, _part_scrambled, _part_scrambled, _length_changed,
)  # fmt: skip
