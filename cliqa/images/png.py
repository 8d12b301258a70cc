"""A PNG file's chunks, looked at before Pillow sees them: checksums, and metadata of any size, of which no score knows anything.

Pillow skips the checksums of pixels, and refuses a file whose text or profile unpacks to more than a MiB. Text is left out here (but
for XMP and the text that holds EXIF: they may say how the picture is turned), and what remains of metadata is small.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import IO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_UNPACKED = 1 << 20
"""Bytes of one chunk of metadata, unpacked: Pillow's own limit."""
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT")
_COLOURS = (b"eXIf", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT")
_TEXT_WITH_ORIENTATION = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")


@dataclass(frozen=True)
class Checked:
    """What the chunks say.

    Attributes:
        stream: the file, or what of it Pillow is to see.
        damage: what is wrong with the chunks of the picture itself, "" for nothing.
        note: what is wrong besides, "" for nothing.
        profile_left_out: a colour profile that is too large or can't be unpacked.
        cicp: colour primaries, transfer function, matrix and range (ITU-T H.273); None where the file doesn't tell them.
    """

    stream: IO[bytes]
    damage: str = ""
    note: str = ""
    profile_left_out: bool = False
    cicp: tuple[int, int, int, int] | None = None


def checked(data: bytes) -> Checked:
    """Look at every chunk of a PNG file."""
    view = memoryview(data)
    kept: list[memoryview] = [view[: len(SIGNATURE)]]
    damage = note = ""
    left_out = profile_left_out = False
    cicp = None
    place = len(SIGNATURE)
    kind = b""
    texts: set[bytes] = set()
    while place + 12 <= len(data) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            if not kind[0] & 32:
                damage = damage or f"it ends inside its {_name(kind)} chunk"
            kind = b""
            break
        body = view[place + 8 : end - 4]
        sound = zlib.crc32(view[place + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big")
        critical = not kind[0] & 32
        if not sound and critical:
            damage = damage or f"a wrong checksum in its {_name(kind)} chunk"
        elif not sound:
            note = note or f"a wrong checksum in its {_name(kind)} chunk, which was left out"
        if critical or (sound and _is_wanted(kind, body, texts)):
            kept.append(view[place:end])
            if kind == b"cICP" and length == 4:
                cicp = (body[0], body[1], body[2], body[3])
        else:
            left_out = True
            profile_left_out = profile_left_out or kind == b"iCCP"
        place = end
    if kind != b"IEND":
        note = note or "it ends without its end marker"
        kept.append(view[place:])
    elif place < len(data):
        note = note or "bytes after its end"
    stream = io.BytesIO(b"".join(kept) if left_out else data)
    return Checked(stream, damage, note, profile_left_out, cicp)


def _name(kind: bytes) -> str:
    return kind.decode("ascii", "replace") if kind.isalpha() else repr(kind)[2:-1]


def _is_wanted(kind: bytes, body: memoryview, texts: set[bytes]) -> bool:
    """Whether Pillow is to see a chunk that is not critical; `texts` are the keys of the text that it gets."""
    if kind in _PIXELS:
        return True
    if len(body) > MOST_UNPACKED:
        return False
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        key = next((key for key in _TEXT_WITH_ORIENTATION if bytes(body[: len(key)]) == key), None)
        if key is None or key in texts or (kind != b"tEXt" and not _unpacks(kind, bytes(body))):
            return False
        texts.add(key)
        return True
    return kind in _COLOURS or (kind == b"iCCP" and _unpacks(kind, bytes(body)))


def _unpacks(kind: bytes, body: bytes) -> bool:
    """Whether the packed part of a text or profile unpacks to no more than the limit."""
    _, _, rest = body.partition(b"\0")
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
        if not packed:
            return True
    else:
        rest = rest[1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(rest, MOST_UNPACKED)
    except zlib.error:
        return False
    return not unpacker.unconsumed_tail
