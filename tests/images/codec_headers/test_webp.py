"""WebP tells the quality that was asked of its encoder."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.images.codec_headers import CodecHeader
from cliqa.images.codec_headers.webp import asked_quality
from tests.coded_pictures import encoded, told
from tests.jpeg_pictures import textured


@pytest.mark.parametrize("quality", [0, 10, 33, 50, 75, 80, 90, 97, 100])
@pytest.mark.parametrize("method", [0, 4, 6])
def test_webp_tells_the_quality_that_was_asked(quality: int, method: int) -> None:
    found = told(encoded("WEBP", quality=quality, method=method), "WEBP")
    assert (found.codec, found.lossless) == ("webp", False)
    assert found.quality == pytest.approx(quality, abs=2)


def test_webp_without_loss_with_alpha_and_animated() -> None:
    assert told(encoded("WEBP", lossless=True), "WEBP") == CodecHeader("webp", None, True)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([textured(5), textured(5)[..., :1]])).save(buffer, "WEBP", quality=60)
    assert told(buffer.getvalue(), "WEBP").quality == pytest.approx(60, abs=2)
    frames = [Image.fromarray(textured(seed)) for seed in (5, 6)]
    frames[0].save(buffer := io.BytesIO(), "WEBP", quality=60, save_all=True, append_images=frames[1:])
    assert told(buffer.getvalue(), "WEBP").quality == pytest.approx(60, abs=2)


def test_segments_that_share_the_finest_quantizer_were_clipped_there() -> None:
    assert asked_quality([42, 32, 23, 23]) == pytest.approx(50, abs=2)  # an embossed drawing at 50
    assert asked_quality([36, 36, 36, 26]) == pytest.approx(75, abs=2)
    assert asked_quality([0]) == 100
