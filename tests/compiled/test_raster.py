"""The pixels of a Pillow picture where they lie: the very ones, kept as long as they are looked at."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from PIL import Image

from cliqa.compiled import library
from cliqa.compiled.raster import Packed, planes, raster, reader, thinned

PIXELS = np.random.default_rng(3).integers(0, 256, (60, 90, 3), dtype=np.uint8)


def test_they_are_the_picture_s_own():
    pixels = raster(Image.fromarray(PIXELS))
    assert pixels is not None
    assert np.array_equal(pixels[..., :3], PIXELS)


def test_they_are_not_to_be_written():
    pixels = raster(Image.fromarray(PIXELS))
    assert pixels is not None
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0, 0] = 1


def test_they_outlive_the_picture():
    found = [raster(Image.new("RGB", (300, 200), (number, 1, 2))) for number in range(20)]
    gc.collect()
    Image.new("RGB", (300, 200), (99, 99, 99))
    assert [int(each[150, 150, 0]) for each in found if each is not None] == list(range(20))


def test_other_modes_have_none():
    assert raster(Image.new("L", (8, 8))) is None
    assert raster(Image.new("RGBA", (8, 8))) is None


@pytest.mark.parametrize("size", ((90, 60), (3000, 2500)))  # the larger lies in several pieces
def test_a_part_is_that_of_the_picture(size):
    picture = Image.fromarray(PIXELS).resize(size)
    box = (10, 20, 50, 55)
    assert np.array_equal(reader(picture)(box), np.asarray(picture.crop(box)))


@pytest.mark.parametrize("wanted", ("0", "1"))
def test_tiles_channel_by_channel(monkeypatch, wanted):
    monkeypatch.setenv("CLIQA_COMPILED", wanted)
    library.compiled.cache_clear()
    read = reader(Image.fromarray(PIXELS))
    tiles = [read((0, 0, 33, 20)), PIXELS[30:50, 40:73], PIXELS[20:40, 33:0:-1]]
    made = planes(tiles)
    library.compiled.cache_clear()
    assert made.flags.c_contiguous
    assert np.array_equal(made, np.stack(tiles).transpose(0, 3, 1, 2))


def packed(pixels: np.ndarray = PIXELS) -> Packed:
    return Packed(pixels, lambda mode, size: Image.new(mode, size))


def test_a_packed_picture_is_filled_when_pillow_asks():
    picture = packed()
    assert raster(picture) is PIXELS and not picture.is_filled
    assert (picture.size, picture.mode) == ((90, 60), "RGB")
    assert np.array_equal(np.asarray(picture.crop((5, 6, 20, 30))), PIXELS[6:30, 5:20])
    assert picture.is_filled


@pytest.mark.parametrize(
    "asked",
    [np.asarray, lambda picture: picture.convert("L"), lambda picture: picture.im.getbbox(), Image.Image.copy],
)
def test_a_packed_picture_is_as_any_other(asked):
    expected, found = asked(Image.fromarray(PIXELS)), asked(packed())
    assert np.array_equal(expected, found)


@pytest.mark.parametrize("size", [(64, 60), (1, 1), (7, 13), (90, 60)])
def test_thinned_as_pillow_does(size):
    picture = Image.fromarray(PIXELS)
    expected = np.asarray(picture.resize(size, Image.Resampling.NEAREST))
    assert np.array_equal(thinned(picture, size), expected) and np.array_equal(thinned(packed(), size), expected)
