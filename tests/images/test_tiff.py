"""Big-endian BigTIFF is read as classic TIFF."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from cliqa.errors import ImageError
from cliqa.images.loading import load_image
from tests.conftest import Pixels


@pytest.mark.parametrize("packed", [False, True])
def test_big_endian_bigtiff(packed: bool, pixels: Pixels) -> None:
    body = zlib.compress(pixels.tobytes()) if packed else pixels.tobytes()
    tags: list[tuple[int, int, list[int]]] = [
        (256, 3, [64]), (257, 3, [48]), (258, 3, [8, 8, 8]), (259, 3, [8 if packed else 1]), (262, 3, [2]), (273, 16, [16]),
        (277, 3, [3]), (278, 3, [48]), (279, 16, [len(body)]), (305, 2, [*b"a long name of a program\0"]),
    ]  # fmt: skip
    first = 16 + len(body)
    beyond, entries = b"", b""
    for tag, kind, values in tags:
        data = struct.pack(f">{len(values)}" + {2: "B", 3: "H", 16: "Q"}[kind], *values)
        if len(data) > 8:
            data, beyond = struct.pack(">Q", first + 8 + 20 * len(tags) + 8 + len(beyond)), beyond + data
        entries += struct.pack(">HHQ", tag, kind, len(values)) + data.ljust(8, b"\0")
    whole = (
        b"MM\0+\0\x08\0\0"
        + struct.pack(">Q", first)
        + body
        + struct.pack(">Q", len(tags))
        + entries
        + bytes(8)
        + beyond
    )
    image = load_image(whole)
    assert image.header.format == "TIFF"
    np.testing.assert_array_equal(image.pixels, pixels)
    for end in (len(whole) - 5, first + 30, first + 4, 30, 12):
        with pytest.raises(ImageError):
            load_image(whole[:end])
