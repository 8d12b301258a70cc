"""Image files written by hand, for what no encoder writes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/" '
    'xmlns:cliqa="urn:cliqa:1.0" xmlns:MP="http://ns.microsoft.com/photo/1.0/" %s</rdf:RDF></x:xmpmeta>'
)
"""An XMP packet, for the properties of its description."""


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


def tiff_directory(order: str, place: int, tags: dict[int, tuple[str, list[int]]]) -> bytes:
    """A TIFF directory that lies at `place`, then the values that don't fit into it. Types: B, s, H, I, `r` for signed ratios."""
    kinds = {"s": (2, "B"), "B": (1, "B"), "H": (3, "H"), "I": (4, "I"), "r": (10, "i")}
    entries, beyond = [], b""
    start = place + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        number, code = kinds[kind]
        body = struct.pack(f"{order}{len(values)}{code}", *values)
        count = len(values) // 2 if kind == "r" else len(values)
        if len(body) > 4:
            entries.append(struct.pack(order + "HHII", tag, number, count, start + len(beyond)))
            beyond += body + b"\0" * (len(body) % 2)
        else:
            entries.append(struct.pack(order + "HHI", tag, number, count) + body.ljust(4, b"\0"))
    return struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4) + beyond


def dng(preview: bytes, size: tuple[int, int], orientation: int = 1) -> bytes:
    """A raw file of 128x96 pixels in Adobe's format, with a JPEG of a `size` inside."""
    width, height = 128, 96
    sensor = np.random.default_rng(0).integers(100, 4000, (height, width), dtype="<u2").tobytes()
    at_sensor, at_preview = 8, 8 + len(sensor)
    below = at_preview + len(preview) + len(preview) % 2
    inner = tiff_directory("<", below, {
        254: ("I", [1]), 256: ("I", [size[0]]), 257: ("I", [size[1]]), 258: ("H", [8, 8, 8]), 259: ("H", [7]), 262: ("H", [6]),
        273: ("I", [at_preview]), 277: ("H", [3]), 278: ("I", [size[1]]), 279: ("I", [len(preview)]),
    })  # fmt: skip
    first = below + len(inner)
    identity = [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1]
    outer = tiff_directory("<", first, {
        254: ("I", [0]), 256: ("I", [width]), 257: ("I", [height]), 258: ("H", [16]), 259: ("H", [1]), 262: ("H", [32803]),
        271: ("s", [*b"Maker\0"]), 272: ("s", [*b"Model\0"]), 273: ("I", [at_sensor]), 274: ("H", [orientation]), 277: ("H", [1]),
        278: ("I", [height]), 279: ("I", [len(sensor)]), 330: ("I", [below]), 33421: ("H", [2, 2]), 33422: ("B", [0, 1, 1, 2]),
        50706: ("B", [1, 4, 0, 0]), 50708: ("s", [*b"Maker Model\0"]), 50721: ("r", identity),
    })  # fmt: skip
    padding = b"\0" * (len(preview) % 2)
    return b"II*\0" + struct.pack("<I", first) + sensor + preview + padding + inner + outer


def swapped_profile() -> bytes:
    """sRGB's profile with its red and green colorants exchanged: converting by it swaps the channels."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {}
    for index in range(struct.unpack(">I", data[128:132])[0]):
        position = 132 + 12 * index
        entries[bytes(data[position : position + 4])] = position
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
