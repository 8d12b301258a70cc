"""JPEG 2000 tells its wavelet."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from cliqa.images.codec_headers import CodecHeader, read_codec_header
from tests.jpeg_pictures import textured


def encoded(format: str, size: int = 200, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    if format == "HEIF":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(textured(5, size))).save(buffer, **settings)
    else:
        Image.fromarray(textured(5, size)).save(buffer, format, **settings)
    return buffer.getvalue()


def told(data: bytes, format: str) -> CodecHeader:
    found = read_codec_header(io.BytesIO(data), format)
    assert found is not None
    return found


def test_jpeg2000_tells_its_wavelet() -> None:
    assert told(encoded("JPEG2000", irreversible=True), "JPEG2000") == CodecHeader("jpeg2000", None, False)
    assert told(encoded("JPEG2000"), "JPEG2000").lossless is None
