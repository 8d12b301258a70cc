"""The last save, the one before it, and how sure both are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cliqa.signal.jpeg.last_save import read_quality
from tests.jpeg_pictures import saved, textured, tiles

LAST, GRID, PREVIOUS, GAIN, CLIPPED, EXACT, TIED = 0, 1, 2, 3, 8, 9, 10


@pytest.mark.parametrize("quality", [5, 30, 60, 85, 95])
def test_one_save_is_read_to_the_digit(quality: int):
    found = read_quality(tiles(saved(textured(quality), quality)))
    assert found[LAST] == quality and found[GRID] == 0 and found[GAIN] < 0.1
    assert found[EXACT] > 0.5 and found[TIED] == 1 and found.dtype == np.float32


def test_a_crop_moves_the_grid_and_not_the_quality():
    found = read_quality(tiles(np.ascontiguousarray(saved(textured(1, 400), 77)[5:, 2:])))
    assert (found[LAST], found[GRID]) == (77, 3 * 8 + 6)


def test_an_earlier_save_comes_with_its_gain():
    found = read_quality(tiles(saved(saved(textured(2), 50), 88)))
    assert found[LAST] == 88 and abs(found[PREVIOUS] - 50) <= 1 and found[GAIN] > 10


def test_clipped_pictures_say_so():
    harsh = np.clip((textured(3).astype(float) - 128) * 9 + 128, 0, 255).astype(np.uint8)
    found = read_quality(tiles(saved(harsh, 40)))
    assert found[CLIPPED] == 1.0 and abs(found[LAST] - 40) <= 1
    assert read_quality(tiles(saved(textured(3), 40)))[CLIPPED] == 0.0


@pytest.mark.parametrize(("radius", "quality"), [(3, 1), (3, 3), (6, 3), (6, 5), (9, 5)])
def test_a_table_that_gives_the_pixels_back_needs_no_lattice(radius: int, quality: int):
    colours = np.stack([textured(seed)[..., 0] for seed in (5, 6, 7)], axis=2)
    smooth = np.asarray(Image.fromarray(colours).filter(ImageFilter.GaussianBlur(radius))).astype(float)
    overexposed = np.clip((smooth - smooth.mean()) * 6 + smooth.mean() * 2 + 20, 0, 255).astype(np.uint8)
    assert abs(read_quality(tiles(saved(overexposed, quality)))[LAST] - quality) <= 1


def test_without_a_save_nothing_is_exact():
    found = read_quality(tiles(textured(4)))
    assert found[EXACT] < 0.1 and found[LAST] >= 97


def test_values_that_an_ordered_dither_repeats_are_no_sure_save():
    down, right = np.mgrid[0:384, 0:384]
    matrix = np.array([[0, 2], [3, 1]])
    matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    threshold = (np.tile(matrix, (96, 96)) + 0.5) / 16
    ramp = (40 + 0.3 * right + 0.2 * down) / 12
    dithered = np.repeat((np.floor(ramp + threshold) * 12).astype(np.uint8)[..., None], 3, axis=2)
    found = read_quality(tiles(dithered))
    assert found[LAST] == 100 and found[-1] == 1
    saved_at_100 = read_quality(tiles(saved(textured(4), 100)))
    assert saved_at_100[LAST] == 100 and saved_at_100[-1] == 0
