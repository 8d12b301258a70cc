"""Files that Pillow would refuse, rewritten to say the same in a way that it reads.

BMP whose colours lie in bit fields that it has no layout for becomes 24 bits a pixel; big-endian BigTIFF, whose version it misses,
becomes classic TIFF.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

_BIT_FIELDS = (3, 6)  # values of biCompression
# (bits, red, green, blue) that Pillow has a layout for
_KNOWN = (
    (16, 0xF800, 0x7E0, 0x1F),
    (16, 0x7C00, 0x3E0, 0x1F),
    (32, 0xFF0000, 0xFF00, 0xFF),
    (32, 0xFF000000, 0xFF0000, 0xFF00),
    (32, 0xFF000000, 0xFF00, 0xFF),
    (32, 0xFF, 0xFF00, 0xFF0000),
)


def rewrite_of(head: bytes) -> Callable[[bytes], bytes] | None:
    """What rewrites a whole file that begins so, and raises ValueError where it can't; None for files that need none."""
    if head.startswith(BIG_ENDIAN_BIG):
        return as_classic
    return with_plain_colours if head.startswith(b"BM") and not is_plain(head) else None


def is_plain(head: bytes) -> bool:
    """Whether Pillow reads the colours of a BMP file, by its first 66 bytes."""
    if len(head) < 66:
        return True
    bits, compression = struct.unpack_from("<HI", head, 28)
    return compression not in _BIT_FIELDS or (bits, *struct.unpack_from("<3I", head, 54)) in _KNOWN


def with_plain_colours(data: bytes) -> bytes:
    """The same picture in 24 bits; alpha is left out. Raises ValueError where it isn't one of bit fields, or ends early."""
    try:
        offset, head, width, height, _, bits, compression = struct.unpack_from("<xx8xIIiiHHI", data)
        masks = struct.unpack_from("<3I", data, 54)
    except struct.error as error:
        raise ValueError(str(error)) from error
    if head < 40 or compression not in _BIT_FIELDS or bits not in (16, 32) or width <= 0 or not all(masks):
        raise ValueError("no bit fields")
    rows = abs(height)
    stride = (width * bits // 8 + 3) // 4 * 4
    if len(data) - offset < stride * rows:
        raise ValueError("it ends early")
    kind = "<u2" if bits == 16 else "<u4"
    lines = np.frombuffer(data, np.uint8, stride * rows, offset).reshape(rows, stride)
    values = np.ascontiguousarray(lines[:, : width * bits // 8]).view(kind).astype(np.uint32)
    plain = np.zeros((rows, (3 * width + 3) // 4 * 4), np.uint8)
    for channel, mask in zip((2, 1, 0), masks, strict=True):  # stored blue, green, red
        shift = (mask & -mask).bit_length() - 1
        most = mask >> shift
        level = ((values & mask) >> shift).astype(np.float64) * (255 / most)
        plain[:, channel : 3 * width : 3] = np.rint(level).astype(np.uint8)
    body = plain.tobytes()
    header = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 54 + len(body), 0, 0, 54, 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0
    )
    return header + body


BIG_ENDIAN_BIG = b"MM\0+\0\x08\0\0"
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NARROWER = {16: 4, 17: 9, 18: 13}  # whole numbers of 8 bytes -> of 4
_MOST_ENTRIES = 4096  # of a directory; chosen by hand: files have dozens, hostile ones 2^64


def as_classic(data: bytes) -> bytes:
    """The file with a classic directory of its first page behind it. Raises ValueError where it can't have one."""
    try:
        (place,) = struct.unpack_from(">Q", data, 8)
        (count,) = struct.unpack_from(">Q", data, place)
        if count > _MOST_ENTRIES or len(data) >= 1 << 31:
            raise ValueError("more than a classic TIFF can hold")
        tail = b""
        start = len(data) + len(data) % 2
        entries = []
        for index in range(count):
            tag, kind, number = struct.unpack_from(">HHQ", data, place + 8 + 20 * index)
            at = place + 8 + 20 * index + 12
            size = _SIZES.get(kind, 0) * number
            if not size:
                continue
            if size > 8:
                (at,) = struct.unpack_from(">Q", data, at)
            body = data[at : at + size]
            if len(body) < size:
                raise ValueError("a directory that leads beyond the file")
            if kind in _NARROWER:
                body = struct.pack(f">{number}I", *struct.unpack(f">{number}Q", body))
                kind = _NARROWER[kind]
            if len(body) > 4:
                tail += b"\0" * (len(tail) % 2)
                value = struct.pack(">I", start + len(tail))
                tail += body
            else:
                value = body.ljust(4, b"\0")
            entries.append(struct.pack(">HHI", tag, kind, number) + value)
    except (struct.error, OverflowError) as error:
        raise ValueError(str(error)) from error
    tail += b"\0" * (len(tail) % 2)
    first = start + len(tail)
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)
    # the header of a BigTIFF is 16 bytes: nothing of the picture lies in what is overwritten
    return b"MM\0*" + struct.pack(">I", first) + data[8:] + b"\0" * (len(data) % 2) + tail + directory
