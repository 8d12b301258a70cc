"""BMP files whose colours lie in bit fields that Pillow has no layout for, as files of 24 bits a pixel."""

from __future__ import annotations

import struct

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
