"""JPEG XL in XYB colours is lossy, and its first frame tells at which distance."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.images.codec_headers import CodecHeader
from tests.coded_pictures import told
from tests.jpeg_pictures import textured


@pytest.mark.parametrize("distance", [0.2, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("effort", [3, 7])
def test_jpeg_xl_in_xyb_is_lossy_and_tells_its_distance(distance: float, effort: int) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    found = told(imagecodecs.jpegxl_encode(textured(5), distance=distance, effort=effort), "JXL")
    assert found.lossless is False and found.quality == pytest.approx(distance, rel=0.06)


def test_what_is_not_followed_gives_no_distance() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    pixels = textured(5)
    assert told(imagecodecs.jpegxl_encode(pixels, lossless=True), "JXL") == CodecHeader("jxl")
    assert told(imagecodecs.jpegxl_encode(pixels[..., 0], distance=1.0), "JXL") == CodecHeader("jxl", None, False)
    large = np.zeros((64, 2500, 3), np.uint8)  # its sections are in another order
    assert told(imagecodecs.jpegxl_encode(large, distance=1.0), "JXL") == CodecHeader("jxl", None, False)


def test_a_file_cut_anywhere_tells_less_but_does_not_fail() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    data = imagecodecs.jpegxl_encode(textured(5), distance=1.0)
    for length in range(0, 60):
        assert told(data[:length], "JXL").quality in (None, pytest.approx(1.0, rel=0.06))
