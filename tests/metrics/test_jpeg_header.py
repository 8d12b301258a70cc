"""The quality that a file's own tables say."""

from __future__ import annotations

import pytest

from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import View
from cliqa.metrics.jpeg_header import QF_HEADER, observed_header
from tests.conftest import encode
from tests.jpeg_pictures import stream, textured


@pytest.mark.parametrize("quality", [1, 50, 75, 100])
def test_the_tables_of_an_encoder_name_its_quality(quality: int):
    assert observed_header(View(load_image(stream(textured(0, 64), quality)))) == quality


def test_what_is_no_jpeg_says_nothing():
    assert observed_header(View(load_image(encode(textured(0, 64), "PNG")))) == 0
    assert observed_header(View(LoadedImage.from_array(textured(0, 64)))) == 0
    assert QF_HEADER.optional and QF_HEADER.kind == "int"
