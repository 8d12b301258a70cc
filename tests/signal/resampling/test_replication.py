from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.resampling.replication import before_replication
from tests.jpeg_pictures import textured


def enlarged(pixels: np.ndarray, factor: int) -> Image.Image:
    return Image.fromarray(pixels.repeat(factor, axis=0).repeat(factor, axis=1))


@pytest.mark.parametrize("factor", [2, 3, 8, 16])
def test_the_picture_before_a_replication_comes_back(factor: int):
    pixels = textured(1, 48, 60)
    reduced, factors = before_replication(enlarged(pixels, factor))
    assert factors == (factor, factor)
    assert np.array_equal(np.asarray(reduced), pixels)


def test_a_cropped_one_loses_the_cut_pixels_alone():
    pixels = textured(2, 40)
    reduced, factors = before_replication(enlarged(pixels, 4).crop((3, 6, 160, 160)))
    assert factors == (4, 4)
    assert np.array_equal(np.asarray(reduced), pixels[2:, 1:])


def test_other_pictures_are_left_alone():
    plain = Image.fromarray(textured(3, 64))
    flat = Image.new("RGB", (90, 90), (10, 20, 30))
    for picture in (plain, flat, plain.resize((128, 128), Image.Resampling.BILINEAR)):
        same, factors = before_replication(picture)
        assert same is picture and factors == (1, 1)
