"""HEIC tells its first slice's quantizer."""

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


@pytest.mark.parametrize(("quality", "quantizer"), [(10, 42), (50, 22), (90, 2)])
@pytest.mark.parametrize("chroma", [420, 444])
def test_heic_tells_the_first_slices_quantizer(quality: int, quantizer: int, chroma: int) -> None:
    assert told(encoded("HEIF", quality=quality, chroma=chroma), "HEIF") == CodecHeader("heic", quantizer, False)
