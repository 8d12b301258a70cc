"""What a file says of itself before its pixels are decoded."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.images.header import tables_of_stream
from cliqa.images.loading import load_image, read_header
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from tests.conftest import Pixels, encode, make_pixels


def test_jpeg_header_tells_tables_and_subsampling(pixels: Pixels) -> None:
    for sampling, name in enumerate(("4:4:4", "4:2:2", "4:2:0")):
        header = read_header(encode(pixels, "JPEG", quality=50, subsampling=sampling))
        assert header.sampling == name
        assert header.quantization[0][:4] == (16, 11, 10, 16)  # ITU T.81 table K.1 is quality 50
    assert read_header(encode(Image.fromarray(pixels).convert("L"), "JPEG")).sampling == "4:0:0"


def test_bits_are_told_by_the_raw_mode_alone() -> None:
    """Strides and offsets hold a 16 too, and a 16-bit BMP has 5 or 6 bits per channel."""
    assert read_header(encode(make_pixels(1616, 48), "BMP")).bits == 8
    assert read_header(encode(make_pixels(1616, 48), "TIFF", compression="tiff_lzw")).bits == 8
    assert read_header(encode(Image.new("1", (40, 40)), "PNG")).bits == 1


def test_a_broken_second_frame_leaves_the_first() -> None:
    frames = [Image.new("RGB", (40, 40), (value, 0, 0)) for value in (200, 100)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    image = load_image(data[: len(data) - 30])
    np.testing.assert_array_equal(image.pixels[20, 20], (200, 0, 0))


def test_tables_of_a_stream_are_those_that_pillow_reads(pixels: Pixels) -> None:
    data = encode(pixels, "JPEG", quality=37)
    with Image.open(io.BytesIO(data)) as image:
        expected = {number: tuple(steps) for number, steps in image.quantization.items()}
    assert tables_of_stream(data) == expected


def test_steps_of_16_bits_and_damage(pixels: Pixels) -> None:
    table = list(range(200, 264))
    segment = b"\x11" + b"".join(step.to_bytes(2, "big") for step in table)
    data = b"\xff\xd8\xff\xdb" + (len(segment) + 2).to_bytes(2, "big") + segment
    assert sorted(tables_of_stream(data)[1]) == table
    assert tables_of_stream(data[:40]) == {} == tables_of_stream(b"") == tables_of_stream(b"\xff\xd8\xff\xdb\x00\x00")


@pytest.mark.parametrize("quality", [30, 85])
def test_a_tiff_of_jpeg_strips_tells_its_tables(pixels: Pixels, quality: int) -> None:
    data = encode(pixels, "TIFF", compression="jpeg", quality=quality)
    header = read_header(data)
    assert header.format == "TIFF"
    assert np.array_equal(header.quantization[0], LUMA_TABLES[quality - 1])
    assert load_image(data).pixels.shape == pixels.shape
    assert read_header(encode(pixels, "TIFF")).quantization == {}
