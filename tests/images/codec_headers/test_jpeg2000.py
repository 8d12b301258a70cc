"""JPEG 2000 tells its wavelet."""

from __future__ import annotations

from cliqa.images.codec_headers import CodecHeader
from tests.coded_pictures import encoded, told


def test_jpeg2000_tells_its_wavelet() -> None:
    assert told(encoded("JPEG2000", irreversible=True), "JPEG2000") == CodecHeader("jpeg2000", None, False)
    assert told(encoded("JPEG2000"), "JPEG2000").lossless is None
