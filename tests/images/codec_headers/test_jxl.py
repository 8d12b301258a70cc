"""JPEG XL in XYB colours is lossy."""

from __future__ import annotations

import pytest

from cliqa.images.codec_headers import CodecHeader
from tests.coded_pictures import told
from tests.jpeg_pictures import textured


def test_jpeg_xl_in_xyb_is_lossy() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    pixels = textured(5)
    assert told(imagecodecs.jpegxl_encode(pixels, distance=1.0), "JXL") == CodecHeader("jxl", None, False)
    assert told(imagecodecs.jpegxl_encode(pixels, lossless=True), "JXL").lossless is None
