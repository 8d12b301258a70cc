"""JPEG data -> pixels, by a decoder that says when the data are damaged (`simplejpeg`, which is libjpeg-turbo).

Pillow asks the same library not to speak: a picture with a grey lower half, or with blocks out of place, comes as if it were sound.
Both give the same pixels, bit by bit; this one also takes arithmetic coding of any size, and less time.

The memory of a decoded picture is used again for the next one of its size: Pillow clears that of every picture before it is filled,
half a millisecond a megapixel. A worker that is done with a picture hands its memory on; the decoder's own rows, of which a picture of
mode RGB is made only where something of Pillow's asks for it, are used again when nobody holds them. This decoder writes every row or
fails, so nothing of the earlier picture can show; no other format's decoder gets used memory.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.raster import Packed
from cliqa.errors import DAMAGED, ImageError

# Pillow's modes that this decoder gives -> its name of each, and Pillow's name of what comes out: CMYK is stored complemented.
SPACES = {"RGB": ("RGB", "RGB"), "L": ("GRAY", "L"), "CMYK": ("CMYK", "CMYK;I")}
_END = b"\xff\xd9"
_STANDALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length: TEM, RST0-7, SOI
_SCAN = 0xDA
_ENDLESS = "it ends without its end marker"
_STRAY = "stray bytes between the parts of its header"
MOST_PIXELS = 1 << 24
"""Of larger pictures no memory is kept: 64 MiB. Chosen by hand."""
_spare: list[Any] = []
_kept = threading.local()
"""`rows`: a buffer for the next picture; each thread has its own."""
_kept.rows = np.empty(0, np.uint8)
_UNUSED = sys.getrefcount(_kept.rows)
"""References to a buffer that no array lies in."""


class UnusualSampling(Exception):
    """A chroma subsampling that this decoder has no name for; it is legal, and Pillow decodes it."""


def decode(image: Image.Image, data: bytes, damaged: bool = False) -> tuple[Image.Image, str, NDArray[np.uint8]]:
    """Decode the first picture of a JPEG file.

    Args:
        image: the file as Pillow opened it; its header says size and mode.
        data: the whole file.
        damaged: give the pixels of damaged data too.

    Returns:
        The picture, decoded, in the mode of `image`; what is wrong with the file, "" for nothing; and the decoder's rows, read-only
        (height, width, channels). Wrong are stray bytes between the parts of the header and a missing end marker, which cost no
        pixel, and with `damaged` any fault.

    Raises:
        UnusualSampling: see there.
        ImageError: damaged.
    """
    rows, note = _checked(data, image, damaged)
    rows.flags.writeable = False
    if image.mode == "RGB":
        picture: Image.Image = Packed(rows, _blank)
    else:
        picture = _blank(image.mode, image.size)
        picture.frombytes(rows, "raw", SPACES[image.mode][1])
    picture.info = dict(image.info)
    return picture, note, rows


def _checked(data: bytes, image: Image.Image, damaged: bool) -> tuple[NDArray[np.uint8], str]:
    """Rows of pixels, and a note; see `decode`. What is harmless is mended, and what is then still wrong is damage."""
    fault = ""
    notes: list[str] = []
    for _ in range(3):
        try:
            return _rows_of(data, image, strict=True), "; ".join(notes)
        except ValueError as error:
            reason = " ".join(str(error).split())
            if "subsampling" in reason:
                raise UnusualSampling from None
            fault = fault or reason
            if "Premature end of JPEG file" in reason and _ENDLESS not in notes:
                data += _END
                notes.append(_ENDLESS)
            elif "extraneous bytes" in reason and _STRAY not in notes:
                data = without_stray_bytes(data)
                notes.append(_STRAY)
            else:
                break
    message = f"{DAMAGED}: {fault}"
    if not damaged:
        raise ImageError(message)
    try:
        return _rows_of(data, image, strict=False), message
    except ValueError:
        raise ImageError(message) from None


def _rows_of(data: bytes, image: Image.Image, strict: bool) -> NDArray[np.uint8]:
    space: Any = SPACES[image.mode][0]
    size = image.width * image.height * len(space if space != "GRAY" else "L")
    if not hasattr(_kept, "rows") or sys.getrefcount(_kept.rows) > _UNUSED or len(_kept.rows) < size:
        _kept.rows = None  # its memory first
        _kept.rows = np.empty(size, np.uint8)
    buffer = _kept.rows
    least = {"min_width": image.width, "min_height": image.height}  # the whole size, unless `draft` has made it smaller
    found: NDArray[np.uint8] = simplejpeg.decode_jpeg(
        data, colorspace=space, buffer=buffer[:size], strict=strict, **least
    )
    if found.shape[:2] != (image.height, image.width):
        raise ImageError(f"{DAMAGED}: the frame's size is not that of the header")
    if size > 4 * MOST_PIXELS:
        del _kept.rows
    return found


def fault_inside_tiff(image: Image.Image, data: bytes) -> str:
    """What is wrong with the JPEG data of a TIFF file's first page, "" for nothing; its strips or tiles are decoded for that alone."""
    tags: Any = getattr(image, "tag_v2", {})
    if tags.get(259) != 7:
        return ""
    tables = bytes(tags.get(347, b""))  # what all parts have in common, between the markers of a file
    begin = tables[: -len(_END)] if tables else b""
    offsets, counts = (tags.get(strips, tags.get(tiles, ())) for strips, tiles in ((273, 324), (279, 325)))
    space: Any = {1: "GRAY", 4: "CMYK"}.get(tags.get(277, 1), "RGB")
    for offset, count in zip(offsets, counts, strict=False):
        part = data[offset : offset + count]
        try:
            simplejpeg.decode_jpeg(begin + part[2:] if begin else part, colorspace=space)
        except ValueError as error:
            reason = " ".join(str(error).split())
            if "Corrupt JPEG data" in reason or "Premature end" in reason:
                return reason
    return ""


def without_stray_bytes(data: bytes) -> bytes:
    """The file without what lies between the segments of its header: zeros that pad them, mostly. Scans are left alone."""
    parts: list[bytes] = []
    place = 0
    while place + 4 <= len(data):
        start = data.find(b"\xff", place)
        while start >= 0 and data[start + 1 : start + 2] in (b"\xff", b"\0"):
            start = data.find(b"\xff", start + 1)
        if start < 0 or start + 4 > len(data):
            break
        marker = data[start + 1]
        if marker == _SCAN:
            return b"".join([*parts, data[start:]])
        end = start + 2 + (0 if marker in _STANDALONE else int.from_bytes(data[start + 2 : start + 4], "big"))
        parts.append(data[start:end])
        place = end
    return data


def hand_on(image: Image.Image) -> None:
    """Give away the memory of a picture that was decoded from a JPEG and is not to be looked at again."""
    if isinstance(image, Packed) and not image.is_filled:
        return
    if image.mode == "RGB" and not image.readonly and image.width * image.height <= MOST_PIXELS:
        _spare[:] = [image.im]


def _blank(mode: str, size: tuple[int, int]) -> Image.Image:
    """A picture to be filled, every pixel of it: in memory that was handed on, where that has the right size; else that is freed."""
    try:
        spare = _spare.pop()  # in one step: another thread may ask at the same moment
    except IndexError:
        spare = None
    if spare is not None and (spare.mode, spare.size) == (mode, size):
        return Image.new(mode, (1, 1))._new(spare)
    return Image.new(mode, size, None)
