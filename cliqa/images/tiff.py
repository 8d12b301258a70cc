"""Big-endian BigTIFF as classic TIFF, which Pillow reads: it misses the version of the former."""

from __future__ import annotations

import struct

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
