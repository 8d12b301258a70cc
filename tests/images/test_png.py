"""PNG files with damaged chunks, and with metadata that nobody needs."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from cliqa.errors import ImageError
from cliqa.images.loading import load_image
from tests.conftest import encode
from tests.image_bytes import png_chunk
from tests.jpeg_pictures import textured


def parts(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def test_damaged_pngs_are_issues_or_have_a_note() -> None:
    whole = encode(textured(2, 200), "PNG")
    pixels = b"".join(body for kind, body in parts(whole) if kind == b"IDAT")
    head = parts(whole)[0]
    wrong_sum = bytearray(whole)
    wrong_sum[whole.index(b"IDAT") + 4 + len(parts(whole)[1][1])] ^= 1
    bad_adler = png_of([head, (b"IDAT", pixels[:-4] + b"abcd"), (b"IEND", b"")])
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 8
    short = png_of([head, (b"IDAT", pixels[: len(pixels) // 2]), (b"IEND", b"")])
    for data in (bytes(wrong_sum), bad_adler, bytes(changed), short, whole[: len(whole) // 2]):
        with pytest.raises(ImageError, match="damaged image data"):
            load_image(data)
    for data in (bytes(wrong_sum), short, whole[: len(whole) // 2]):
        image = load_image(data, damaged=True)
        assert image.pixels.shape == (200, 200, 3) and any("damaged image data" in note for note in image.notes)


def test_harmless_faults_of_pngs_are_notes() -> None:
    whole = encode(textured(2, 60), "PNG")
    end = whole.index(b"IEND") - 4
    comment = bytearray(png_chunk(b"tEXt", b"Comment\0words"))
    comment[-1] ^= 1
    for data, words in (
        (whole[:end], "without its end marker"),
        (whole + b"more", "bytes after its end"),
        (whole[:end] + bytes(comment) + whole[end:], "checksum in its tEXt"),
        (whole[:33] + bytes(comment) + whole[33:], "checksum in its tEXt"),
    ):
        image = load_image(data)
        assert len(image.notes) == 1 and words in image.notes[0]
        np.testing.assert_array_equal(image.pixels, textured(2, 60))


@pytest.mark.parametrize("place", [b"IDAT", b"IEND"])
def test_png_metadata_of_any_size_is_left_out(place: bytes) -> None:
    whole = encode(textured(4, 50), "PNG")
    start = whole.index(place) - 4
    text = zlib.compress(b"words " * 500_000)
    for chunk in (
        png_chunk(b"zTXt", b"workflow\0\0" + text),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + text),
        b"".join(png_chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(bytes(900_000))) for _ in range(90)),
        png_chunk(b"tEXt", b"prompt\0" + b"x" * 3_000_000),
    ):
        image = load_image(whole[:start] + chunk + whole[start:])
        assert image.notes == []
        np.testing.assert_array_equal(image.pixels, textured(4, 50))
