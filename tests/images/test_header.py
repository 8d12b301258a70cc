"""What a file says of itself before its pixels are decoded."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cliqa.images.loading import load_image, read_header
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
