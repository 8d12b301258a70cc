"""A picture in each format, and what the header of its codec tells."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from cliqa.images.codec_headers import CodecHeader, read_codec_header
from tests.jpeg_pictures import textured


def encoded(format: str, size: int = 200, **settings: Any) -> bytes:
    """The bytes of a file with a textured picture."""
    buffer = io.BytesIO()
    if format == "HEIF":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(textured(5, size))).save(buffer, **settings)
    else:
        Image.fromarray(textured(5, size)).save(buffer, format, **settings)
    return buffer.getvalue()


def told(data: bytes, format: str) -> CodecHeader:
    """The header of the codec of a file."""
    found = read_codec_header(io.BytesIO(data), format)
    assert found is not None
    return found
