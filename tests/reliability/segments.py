"""Where the parts of an image file begin and end, by format, for surgery on whole parts; and where it declares its size."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable

Segment = tuple[int, int]  # [start, end) in the file
Declared = tuple[int, str]  # offset and struct format of a width or height


def segments(data: bytes) -> list[Segment]:
    """Markers of a JPEG, chunks of PNG and RIFF, boxes of AVIF, HEIC and JPEG 2000, blocks of GIF, else slices of 16 bytes."""
    for signature, at, walk in _WALKS:
        if data[at : at + len(signature)] == signature:
            with contextlib.suppress(struct.error, IndexError):  # it was mutated before
                return list(walk(data)) or _slices(data)
    return _slices(data)


def _slices(data: bytes) -> list[Segment]:
    return [(start, min(len(data), start + 16)) for start in range(0, len(data), 16)]


def _markers(data: bytes) -> list[Segment]:
    found, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if data[at + 1] == 0xDA:  # a scan ends where the next marker stands
            while end + 1 < len(data) and not (data[end] == 0xFF and data[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
        found.append((at, min(end, len(data))))
        at = end
    return found


def _png_chunks(data: bytes) -> list[Segment]:
    found, at = [], 8
    while at + 12 <= len(data):
        end = at + 12 + struct.unpack(">I", data[at : at + 4])[0]
        found.append((at, min(end, len(data))))
        at = end
    return found


def _riff_chunks(data: bytes) -> list[Segment]:
    found, at = [], 12
    while at + 8 <= len(data):
        length = struct.unpack("<I", data[at + 4 : at + 8])[0]
        end = at + 8 + length + length % 2
        found.append((at, min(end, len(data))))
        at = end
    return found


def _boxes(data: bytes) -> list[Segment]:
    found: list[Segment] = []

    def walk(at: int, stop: int, depth: int) -> None:
        while at + 8 <= stop:
            size = struct.unpack(">I", data[at : at + 4])[0]
            end = stop if size == 0 else min(stop, at + max(8, size))
            found.append((at, end))
            kind = data[at + 4 : at + 8]
            if depth < 6 and kind in (
                b"meta",
                b"iprp",
                b"ipco",
                b"jp2h",
                b"iinf",
                b"moov",
                b"trak",
                b"mdia",
                b"minf",
                b"stbl",
            ):
                walk(at + {b"meta": 12, b"iinf": 14}.get(kind, 8), end, depth + 1)
            at = end

    walk(0, len(data), 0)
    return found


def _codestream(data: bytes) -> list[Segment]:
    found, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if data[at + 1] == 0x90:  # a tile part: to the next one
            following = data.find(b"\xff\x90\0\x0a", at + 2)
            end = following if following > 0 else len(data)
        found.append((at, min(end, len(data))))
        at = end
    return found


def _gif_blocks(data: bytes) -> list[Segment]:
    at = 13 + (3 << ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    found = [(6, 13), (13, min(at, len(data)))]
    while at < len(data) and data[at] in (0x21, 0x2C):
        start = at
        if data[at] == 0x21:
            at += 2
        else:
            at += 10 + (3 << ((data[at + 9] & 7) + 1) if at + 9 < len(data) and data[at + 9] & 0x80 else 0) + 1
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
        found.append((start, min(at, len(data))))
    return found


def _tiff_entries(data: bytes) -> list[Segment]:
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack(order + "H", data[2:4])[0] == 43
    at = struct.unpack(order + ("Q" if big else "I"), data[8:16] if big else data[4:8])[0]
    head, size = (8, 20) if big else (2, 12)
    if at + head > len(data):
        return []
    count = struct.unpack(order + ("Q" if big else "H"), data[at : at + head])[0]
    entries = [(at + head + size * index, at + head + size * (index + 1)) for index in range(min(count, 64))]
    return [(start, end) for start, end in entries if end <= len(data)]


_WALKS: tuple[tuple[bytes, int, Callable[[bytes], list[Segment]]], ...] = (
    (b"\xff\xd8", 0, _markers), (b"\x89PNG", 0, _png_chunks), (b"RIFF", 0, _riff_chunks), (b"GIF8", 0, _gif_blocks),
    (b"ftyp", 4, _boxes), (b"jP  ", 4, _boxes), (b"\xff\x4f\xff\x51", 0, _codestream),
    (b"II", 0, _tiff_entries), (b"MM", 0, _tiff_entries),
)  # fmt: skip


_WEBP_SIZES = {b"VP8 ": (14, 16), b"VP8X": (12, 15), b"VP8L": (9, 10)}  # offsets in a chunk
_MARKED_SIZES = (  # the box or marker that the fields follow, their offset from it
    (b"ispe", 8, ">I"), (b"ispe", 12, ">I"), (b"ihdr", 4, ">I"), (b"ihdr", 8, ">I"),
    (b"\xff\x51", 6, ">I"), (b"\xff\x51", 10, ">I"), (b"\xff\x51", 22, ">I"), (b"\xff\x51", 26, ">I"),
)  # fmt: skip


def declared_sizes(data: bytes) -> list[Declared]:
    """Every field that declares a width or a height; none where the file is too broken to tell."""
    with contextlib.suppress(struct.error, IndexError):
        return _declared_sizes(data)
    return []


def _declared_sizes(data: bytes) -> list[Declared]:
    if data[:2] == b"\xff\xd8":
        frames = [start for start, _ in _markers(data) if data[start + 1] in (0xC0, 0xC1, 0xC2)]
        return [(start + at, ">H") for start in frames for at in (5, 7)]
    if data[:4] == b"\x89PNG":
        return [(16, ">I"), (20, ">I")]
    if data[:4] == b"GIF8":
        frames = [start for start, _ in _gif_blocks(data) if data[start : start + 1] == b"\x2c"]
        return [(6, "<H"), (8, "<H"), *((start + at, "<H") for start in frames for at in (1, 3, 5, 7))]
    if data[:2] == b"BM":
        return [(18, "<i"), (22, "<i")]
    if data[:4] == b"RIFF":
        return [
            (start + at, "<H") for start, _ in _riff_chunks(data) for at in _WEBP_SIZES.get(data[start : start + 4], ())
        ]
    if data[:2] in (b"II", b"MM"):
        order = "<" if data[:2] == b"II" else ">"
        wide = 12 if data[2:4] in (b"\x2b\0", b"\0\x2b") else 8
        wanted = (256, 257, 258, 277, 278, 322, 323)
        found = [
            start
            for start, _ in _tiff_entries(data)
            if struct.unpack(order + "H", data[start : start + 2])[0] in wanted
        ]
        return [(start + wide, order + "H") for start in found]
    return [(data.find(mark) + at, kind) for mark, at, kind in _MARKED_SIZES if data.find(mark) >= 0]


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have the right checksums again: else no reader looks further than the first wrong one."""
    if data[:4] != b"\x89PNG":
        return data
    fixed = bytearray(data)
    for start, end in _png_chunks(data):
        if end - start >= 12:
            fixed[end - 4 : end] = struct.pack(">I", zlib.crc32(data[start + 4 : end - 4]))
    return bytes(fixed)
