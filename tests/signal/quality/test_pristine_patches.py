"""Sharpness, colourfulness and the choice of pristine patches."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cliqa.signal.quality.pristine_patches import colourfulness, local_deviation, pristine_origins, tile_origins


def test_local_deviation_agrees_with_scipy():
    luma = np.random.default_rng(0).uniform(0, 255, (40, 50))
    sigma = 7 / 6
    mean = gaussian_filter(luma, sigma, mode="reflect", truncate=3 / sigma)
    square = gaussian_filter(luma * luma, sigma, mode="reflect", truncate=3 / sigma)
    assert np.allclose(local_deviation(luma), np.sqrt(np.maximum(square - mean**2, 0)), atol=1e-6)


def test_colourfulness_of_grey_is_zero_and_of_pure_colours_is_known():
    assert colourfulness(np.full((8, 8, 3), 77, np.uint8)) == 0.0
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    assert colourfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5))


def test_keeps_the_sharp_patch_and_of_the_sharp_the_colourful_one():
    rng = np.random.default_rng(1)
    grey = np.repeat(rng.integers(0, 256, (96, 96, 1)), 3, axis=2)
    colour = rng.integers(0, 256, (96, 96, 3))
    flat = np.full((96, 96, 3), 128)
    flat[..., 0] = 250  # colourful but not sharp
    pixels = np.concatenate([grey, colour, flat], axis=1).astype(np.uint8)
    assert pristine_origins(pixels, sharp_share=0.5) == [(0, 96)]


def test_a_photograph_smaller_than_a_patch_has_none_and_tiles_stay_inside():
    assert pristine_origins(np.zeros((95, 200, 3), np.uint8)) == []
    assert tile_origins(200, 100, 96, 48) == [(0, 0), (48, 0), (96, 0)]
