"""BMP files whose colours lie in bit fields of any layout, and big-endian BigTIFF: read although Pillow would not."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from cliqa.errors import ImageError
from cliqa.images.loading import load_image
from tests.conftest import Pixels


@pytest.mark.parametrize("shift", [(0, 5, 11), (11, 5, 0), (8, 4, 0), (10, 20, 0)])
def test_bmp_with_bit_fields_of_any_layout(shift: tuple[int, int, int], pixels: Pixels) -> None:
    widths = {(0, 5, 11): (5, 6, 5), (11, 5, 0): (5, 6, 5), (8, 4, 0): (4, 4, 4), (10, 20, 0): (10, 10, 10)}[shift]
    bits = 32 if max(widths) > 8 else 16
    levels = [
        pixels[..., channel].astype(np.uint32) * ((1 << width) - 1) // 255 for channel, width in enumerate(widths)
    ]
    values = sum(level << place for level, place in zip(levels, shift, strict=True))
    rows = values.astype(f"<u{bits // 8}")[::-1].tobytes()
    masks = [((1 << width) - 1) << place for width, place in zip(widths, shift, strict=True)]
    head = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 66 + len(rows), 0, 0, 66, 40, 64, 48, 1, bits, 3, len(rows), 0, 0, 0, 0
    )
    image = load_image(head + struct.pack("<3I", *masks) + rows)
    expected = np.stack(
        [level * 255 / ((1 << width) - 1) for level, width in zip(levels, widths, strict=True)], axis=-1
    )
    assert np.abs(image.pixels - expected).max() <= 8
    if shift != (11, 5, 0):  # that layout is Pillow's, which scales by shifting
        assert np.abs(image.pixels - expected).max() <= 0.51
    with pytest.raises(ImageError):
        load_image((head + struct.pack("<3I", *masks) + rows)[:-900])


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
