"""AVIF tells its base quantizer index."""

from __future__ import annotations

import pytest

from cliqa.images.codec_headers import CodecHeader
from tests.coded_pictures import encoded, told


@pytest.mark.parametrize(("quality", "index"), [(0, 255), (50, 148), (80, 60), (95, 16)])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_avif_tells_its_base_quantizer_index(quality: int, index: int, subsampling: str) -> None:
    data = encoded("AVIF", quality=quality, speed=10, subsampling=subsampling)
    assert told(data, "AVIF") == CodecHeader("avif", index, False)
