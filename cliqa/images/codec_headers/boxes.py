"""The boxes of AVIF and HEIC files (ISO 14496-12, 23008-12): the picture's item, its decoder's settings, its first bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

MOST_BOXES = 4096  # chosen by hand, against files that are nothing but boxes
META_BYTES = 4 << 20  # a larger description of a file's items is not read; chosen by hand
ITEM_BYTES = 4096  # of the coded picture: headers come first, and an encoder's own remarks


@dataclass(frozen=True)
class CodedItem:
    """`kind` is "av01" or "hvc1"; `settings` its av1C or hvcC box; `data` its first bytes; `parts` how many tiles make the picture."""

    kind: str
    settings: bytes
    data: bytes
    parts: int


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of the boxes in `data`, at most `MOST_BOXES`; a broken one ends them."""
    place = 0
    for _ in range(MOST_BOXES):
        if place + 8 > len(data):
            return
        length, head = int.from_bytes(data[place : place + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        elif length == 0:
            length = len(data) - place
        if length < head or place + length > len(data):
            return
        yield data[place + 4 : place + 8], data[place + head : place + length]
        place += length


def coded_item(stream: IO[bytes]) -> CodedItem:
    """The primary picture's item, or the first tile of a grid. Raises ValueError, EOFError, IndexError or struct.error."""
    meta = dict(boxes(_meta(stream)[4:]))
    kinds = dict(_item_kinds(meta[b"iinf"]))
    item = int.from_bytes(meta[b"pitm"][4:], "big")
    parts = 1
    if kinds.get(item) in (b"grid", b"iovl"):
        tiles = _derived_from(meta[b"iref"], item)
        item, parts = tiles[0], len(tiles)
    kind = kinds[item].decode("latin-1")
    wanted = {"av01": b"av1C", "hvc1": b"hvcC"}[kind]
    properties = dict(boxes(meta[b"iprp"]))
    owned = list(boxes(properties[b"ipco"]))
    settings = next(
        owned[index - 1][1] for index in _associated(properties[b"ipma"], item) if owned[index - 1][0] == wanted
    )
    method, offset, length = _location(meta[b"iloc"], item)
    length = min(length or ITEM_BYTES, ITEM_BYTES)
    if method == 1:
        return CodedItem(kind, settings, meta[b"idat"][offset : offset + length], parts)
    stream.seek(offset)
    return CodedItem(kind, settings, stream.read(length), parts)


def _meta(stream: IO[bytes]) -> bytes:
    place = 0
    for _ in range(64):
        stream.seek(place)
        head = stream.read(16)
        if len(head) < 8:
            break
        length, start = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), 16
        if head[4:8] == b"meta" and start <= length <= META_BYTES:
            stream.seek(place + start)
            return stream.read(length - start)
        if length < start:
            break
        place += length
    raise ValueError("no description of items")


def _item_kinds(content: bytes) -> Iterator[tuple[int, bytes]]:
    start = 6 if content[0] == 0 else 8
    for kind, entry in boxes(content[start:]):
        if kind == b"infe" and entry[0] >= 2:
            wide = 2 if entry[0] == 2 else 4
            yield int.from_bytes(entry[4 : 4 + wide], "big"), entry[6 + wide : 10 + wide]


def _derived_from(content: bytes, item: int) -> list[int]:
    wide = 2 if content[0] == 0 else 4
    for kind, entry in boxes(content[4:]):
        if kind == b"dimg" and int.from_bytes(entry[:wide], "big") == item:
            count = struct.unpack(">H", entry[wide : wide + 2])[0]
            return [
                int.from_bytes(entry[wide + 2 + wide * number : wide + 2 + wide * (number + 1)], "big")
                for number in range(count)
            ]
    raise ValueError("a picture made of no items")


def _associated(content: bytes, item: int) -> list[int]:
    """Numbers (from 1) of an item's properties."""
    wide, large = (2 if content[0] == 0 else 4), bool(content[3] & 1)
    place = 8
    for _ in range(min(int.from_bytes(content[4:8], "big"), MOST_BOXES)):
        owner, count = int.from_bytes(content[place : place + wide], "big"), content[place + wide]
        place += wide + 1
        step = 2 if large else 1
        if owner == item:
            numbers = [int.from_bytes(content[place + step * i : place + step * (i + 1)], "big") for i in range(count)]
            return [number & (0x7FFF if large else 0x7F) for number in numbers]
        place += step * count
    return []


def _location(content: bytes, item: int) -> tuple[int, int, int]:
    """Where an item's first bytes lie: construction method, offset, length (0: unknown)."""
    version, sizes = content[0], int.from_bytes(content[4:6], "big")
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    place = 6 + wide
    for _ in range(min(int.from_bytes(content[6 : 6 + wide], "big"), MOST_BOXES)):
        owner = int.from_bytes(content[place : place + wide], "big")
        place += wide
        method = 0
        if version:
            method = content[place + 1] & 15
            place += 2
        place += 2
        base = int.from_bytes(content[place : place + base_size], "big")
        place += base_size
        extents = int.from_bytes(content[place : place + 2], "big")
        place += 2
        if owner == item and extents:
            place += index_size
            offset = int.from_bytes(content[place : place + offset_size], "big")
            length = int.from_bytes(content[place + offset_size : place + offset_size + length_size], "big")
            return method, base + offset, length
        place += extents * (index_size + offset_size + length_size)
    raise ValueError("an item without a place")
