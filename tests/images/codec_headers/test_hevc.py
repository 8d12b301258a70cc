"""HEIC tells its first slice's quantizer."""

from __future__ import annotations

import pytest

from cliqa.images.codec_headers import CodecHeader
from tests.coded_pictures import encoded, told


@pytest.mark.parametrize(("quality", "quantizer"), [(10, 42), (50, 22), (90, 2)])
@pytest.mark.parametrize("chroma", [420, 444])
def test_heic_tells_the_first_slices_quantizer(quality: int, quantizer: int, chroma: int) -> None:
    assert told(encoded("HEIF", quality=quality, chroma=chroma), "HEIF") == CodecHeader("heic", quantizer, False)
