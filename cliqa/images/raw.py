"""Cameras' raw files: told by content, and represented by the largest JPEG that the camera put into them (extra `raw`: rawpy).

Many are TIFF files whose first page is a thumbnail of 160 pixels, so a reader of TIFF takes that for the picture.
"""

from __future__ import annotations

import io
import struct
from typing import IO, Any

from cliqa.errors import ImageError
from cliqa.text import describe

MIN_PREVIEW = 512
"""Pixels of the long side: what the metrics of the picture look at. Smaller previews say nothing of sharpness and grain. By hand."""

_SIGNATURES = (
    (8, b"CR\x02", "CR2"),
    (4, b"ftypcrx ", "CR3"),
    (6, b"HEAPCCDR", "CRW"),
    (0, b"IIRO", "ORF"),
    (0, b"IIRS", "ORF"),
    (0, b"MMOR", "ORF"),
    (0, b"IIU\0", "RW2"),
    (0, b"FUJIFILMCCD-RAW", "RAF"),
    (0, b"FOVb", "X3F"),
    (0, b"\0MRM", "MRW"),
    (8, b"IIII", "IIQ"),
    (8, b"MMMM", "IIQ"),
)
_MAKERS = ((b"NIKON", "NEF"), (b"SONY", "ARW"), (b"PENTAX", "PEF"), (b"RICOH", "PEF"), (b"SAMSUNG", "SRW"), (b"Hasselblad", "3FR"),
           (b"EPSON", "ERF"), (b"KODAK", "DCR"), (b"Mamiya", "MEF"), (b"Leaf", "MOS"))  # fmt: skip
# TIFF 6.0, TIFF/EP and DNG.
_SUBFILE, _COMPRESSION, _PHOTOMETRIC, _MAKE, _SUB_IFDS, _DNG_VERSION = 254, 259, 262, 271, 330, 50706
_SENSOR = (32803, 34892)  # colour filter array, linear raw
_RAW_COMPRESSIONS = (32767, 34713, 65000, 65535)  # Sony's, Nikon's, Kodak's, Pentax's
_MOST_ENTRIES = 512  # of a directory; chosen by hand: a hostile one says 65,535
_ORIENTATIONS = {3: 3, 5: 8, 6: 6}  # LibRaw's flip -> EXIF orientation


def raw_kind(stream: IO[bytes]) -> str:
    """The usual suffix of a raw file's kind (`NEF`), "RAW" where only that is known, "" for another file. It moves the stream."""
    stream.seek(0)
    head = stream.read(32)
    for offset, signature, name in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return name
    if head[:4] not in (b"II*\0", b"MM\0*"):
        return ""
    try:
        return _tiff_kind(stream, "<" if head[:2] == b"II" else ">", head)
    except (struct.error, OSError, OverflowError):
        return ""


def _tiff_kind(stream: IO[bytes], order: str, head: bytes) -> str:
    (first,) = struct.unpack(order + "I", head[4:8])
    tags = _directory(stream, order, first)
    if _DNG_VERSION in tags:
        return "DNG"
    below = [_directory(stream, order, place) for place in tags.get(_SUB_IFDS, [])[:8] if isinstance(place, int)]
    for each in (tags, *below):
        sensor = _first(each, _PHOTOMETRIC) in _SENSOR
        if sensor or _first(each, _COMPRESSION) in _RAW_COMPRESSIONS:
            return _maker(tags)
    reduced = bool(_first(tags, _SUBFILE) & 1)
    if reduced and any(_first(each, _SUBFILE) == 0 for each in below):  # the picture itself lies in a sub-directory
        return _maker(tags)
    return ""


def _first(tags: dict[int, list[Any]], tag: int) -> int:
    values = tags.get(tag)
    return values[0] if values and isinstance(values[0], int) else 0


def _maker(tags: dict[int, list[Any]]) -> str:
    make = bytes(tags[_MAKE][0]) if _MAKE in tags else b""
    return next((kind for start, kind in _MAKERS if make.upper().startswith(start.upper())), "RAW")


def _directory(stream: IO[bytes], order: str, place: int) -> dict[int, list[Any]]:
    """The tags of a TIFF directory that are looked at: whole numbers, and the maker's name as bytes."""
    stream.seek(place)
    (count,) = struct.unpack(order + "H", stream.read(2))
    tags: dict[int, list[Any]] = {}
    entries = stream.read(12 * min(count, _MOST_ENTRIES))
    for start in range(0, len(entries) - 11, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", entries, start)
        if tag not in (_SUBFILE, _COMPRESSION, _PHOTOMETRIC, _MAKE, _SUB_IFDS, _DNG_VERSION):
            continue
        size, code = {1: (1, "B"), 2: (1, "B"), 3: (2, "H"), 4: (4, "I"), 13: (4, "I")}.get(kind, (0, ""))
        number = min(number, 64)
        if not size or not number:
            continue
        data = entries[start + 8 : start + 12]
        if size * number > 4:
            stream.seek(struct.unpack(order + "I", data)[0])
            data = stream.read(size * number)
        data = data[: size * number]
        tags[tag] = [data] if kind == 2 else list(struct.unpack(f"{order}{len(data) // size}{code}", data))
    return tags


def preview_of(data: bytes, kind: str) -> tuple[bytes, int]:
    """The largest embedded JPEG of a raw file, and the EXIF orientation that the file itself gives.

    Raises ImageError where the extra is not installed, or there is no such JPEG.
    """
    name = "a raw file" if kind == "RAW" else f"a raw file ({kind})"
    try:
        import rawpy
    except ImportError:
        raise ImageError(f"{name}; scoring its preview needs the extra: pip install 'cliqa[raw]'") from None
    try:
        with rawpy.imread(io.BytesIO(data)) as opened:
            found = opened.extract_thumb()
            turned = _ORIENTATIONS.get(int(opened.sizes.flip), 1)
            if found.format == rawpy.ThumbFormat.JPEG:
                return bytes(found.data), turned
    except (rawpy.LibRawError, OSError, ValueError) as error:
        raise ImageError(f"{name}; its preview can't be read: {describe(error)}") from None
    raise ImageError(f"{name} without an embedded JPEG")
