"""AVIF tells its base quantizer index."""

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


@pytest.mark.parametrize(("quality", "index"), [(0, 255), (50, 148), (80, 60), (95, 16)])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_avif_tells_its_base_quantizer_index(quality: int, index: int, subsampling: str) -> None:
    data = encoded("AVIF", quality=quality, speed=10, subsampling=subsampling)
    assert told(data, "AVIF") == CodecHeader("avif", index, False)
