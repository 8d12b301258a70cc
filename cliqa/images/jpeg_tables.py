"""Quantization tables inside a JPEG stream, or inside a TIFF file whose strips or tiles are such streams."""

from __future__ import annotations

from typing import Any

from PIL import Image

_JPEG_TABLES, _STRIPS, _TILES = 347, 273, 324
_JPEG_IN_TIFF = 7
_HEAD = 1 << 16
"""Bytes of a strip that are looked at: its tables come before its data. Chosen by hand: a marker segment's longest length."""
_ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)  # fmt: skip


def tables_of_stream(data: bytes) -> dict[int, tuple[int, ...]]:
    """Table id -> 64 steps in natural (row by row) order, of all tables before the first scan; {} where there are none."""
    found: dict[int, tuple[int, ...]] = {}
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in (0xDA, 0xD9) or length < 2:
            break
        if marker == 0xDB:
            found |= _tables_of_segment(data[place + 4 : place + 2 + length])
        place += 2 + length
    return found


def _tables_of_segment(segment: bytes) -> dict[int, tuple[int, ...]]:
    """The tables of one DQT segment, which may hold several, of 8 or 16 bits a step."""
    found: dict[int, tuple[int, ...]] = {}
    place = 0
    while place < len(segment):
        width, number = 1 + (segment[place] >> 4 & 1), segment[place] & 15
        steps = segment[place + 1 : place + 1 + 64 * width]
        if len(steps) < 64 * width:
            break
        table = [0] * 64
        for index, natural in enumerate(_ZIGZAG):
            table[natural] = int.from_bytes(steps[index * width : (index + 1) * width], "big")
        found[number] = tuple(table)
        place += 1 + 64 * width
    return found


def tables_of_tiff(image: Image.Image) -> dict[int, tuple[int, ...]]:
    """The tables of an opened TIFF file whose pictures are JPEG streams: the shared ones, else those of its first strip or tile."""
    tags: Any = getattr(image, "tag_v2", {})
    try:
        if tags.get(259) != _JPEG_IN_TIFF:
            return {}
        shared = tables_of_stream(bytes(tags.get(_JPEG_TABLES, b"")))
        if shared:
            return shared
        offsets = tags.get(_STRIPS) or tags.get(_TILES)
        stream: Any = image.fp  # type: ignore[attr-defined]
        back = stream.tell()
        try:
            stream.seek(offsets[0])
            return tables_of_stream(stream.read(_HEAD))
        finally:
            stream.seek(back)
    except (TypeError, ValueError, IndexError, OSError, AttributeError):
        # Foreign data: no tables are no reason to lose the picture
        return {}
