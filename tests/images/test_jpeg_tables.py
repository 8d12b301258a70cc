from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.images.jpeg_tables import tables_of_stream
from cliqa.images.loading import load_image, read_header
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from tests.conftest import Pixels, encode


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
