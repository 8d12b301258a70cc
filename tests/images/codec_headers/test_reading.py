"""Headers of files that were just encoded say what was asked; damaged ones say less, and none raises."""

from __future__ import annotations

import io

import numpy as np
import pytest

from cliqa.images.codec_headers import read_codec_header
from cliqa.images.loading import load_image, read_header
from tests.coded_pictures import encoded, told

NAMES = {"webp": "WEBP", "avif": "AVIF", "heic": "HEIF", "jpeg2000": "JPEG2000"}


def test_other_formats_have_no_such_header() -> None:
    assert read_codec_header(io.BytesIO(encoded("PNG")), "PNG") is None
    assert load_image(encoded("PNG")).header.coding is None


def test_it_comes_with_the_decoded_image_and_alone() -> None:
    data = encoded("WEBP", quality=40)
    assert load_image(data).header.coding == read_header(data).coding == told(data, "WEBP")


@pytest.mark.parametrize("name", list(NAMES))
def test_no_damage_makes_it_fail(name: str) -> None:
    good, rng = encoded(NAMES[name], size=64), np.random.default_rng(3)
    for _ in range(400):
        data = bytearray(good[: int(rng.integers(1, len(good) + 1))])
        for place in rng.integers(0, min(len(data), 700), int(rng.integers(0, 12))):
            data[place] = int(rng.integers(256))
        found = read_codec_header(io.BytesIO(bytes(data)), NAMES[name])
        assert found is not None and found.codec == name
