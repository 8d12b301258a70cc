"""Image files written by hand, for what no encoder writes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG file written by hand: `rows` are the raw samples, each row after a zero byte."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", head), *extra, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_rows(samples: np.ndarray) -> bytes:
    """Rows of big-endian samples, filter 0."""
    return b"".join(b"\0" + row.tobytes() for row in samples)
