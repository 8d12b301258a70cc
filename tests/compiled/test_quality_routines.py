"""The compiled routines of `grepq` and `aesthetic`, and the same in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.metrics import encoder_heads
from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.quality import picture_statistics, trace_statistics

RNG = np.random.default_rng(5)


def picture(height: int, width: int, deviation: float = 20.0) -> np.ndarray:
    """uint8 (height, width, 3): a slope with noise, clipped at one end."""
    slope = np.linspace(-40, 290, width)[None, :, None] + np.linspace(0, 60, height)[:, None, None]
    return np.clip(slope + RNG.normal(0, deviation, (height, width, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(216, 384), (33, 32), (1, 7)])
def test_what_the_encoder_reads_is_the_same_to_the_bit(twice, size):
    pixels = picture(*size)
    one, other = twice(lambda: encoder_heads.standardised(pixels[:, ::-1]))
    assert one.shape == other.shape == (3, *size)
    assert one.dtype == other.dtype == np.float32
    np.testing.assert_array_equal(one, other)
    mean, deviation = np.float32(encoder_heads.MEAN), np.float32(encoder_heads.DEVIATION)
    np.testing.assert_array_equal(one, ((pixels[:, ::-1] - mean) / deviation).transpose(2, 0, 1))


@pytest.mark.parametrize("shape", [(24, 54, 96), (1280, 7, 12), (3, 1, 1), (2, 40, 41)])
def test_statistics_of_channels_are_the_same(twice, shape):
    maps = (RNG.normal(0, 1, shape) * 3 + 50).astype(np.float32)
    maps[0] = 7
    one, other = twice(lambda: encoder_heads.pool_statistics(maps))
    np.testing.assert_allclose(other, one, rtol=1e-5)


@pytest.mark.parametrize(
    "sizes", [((72, 128), (36, 64)), ((100, 31), (50, 16)), ((25, 25), (13, 13)), ((9, 90), (5, 45))]
)
def test_windows_are_the_same(twice, sizes):
    maps = [
        (RNG.normal(0, 1, (number, *size)) + 9).astype(np.float32) for number, size in zip((24, 32), sizes, strict=True)
    ]
    one, other = twice(lambda: encoder_heads.window_features(maps, 96, 48))
    assert one.shape == other.shape
    np.testing.assert_allclose(other, one, rtol=2e-5)


@pytest.mark.parametrize(("count", "side"), [(8, 128), (1, 32), (3, 61)])
def test_traces_of_tiles_are_the_same(twice, count, side):
    tiles = np.stack([picture(side, side, 4.0 * number).transpose(2, 0, 1) for number in range(count)])
    one, other = twice(lambda: trace_statistics.trace_statistics(tiles))
    np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def test_steps_of_planes_wider_than_the_routine_s_rows_are_the_same(twice):
    planes = luma(picture(20, 2500).transpose(2, 0, 1)[None])
    for one, other in zip(*twice(lambda: trace_statistics._mean_steps(planes)), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5)


@pytest.mark.parametrize(
    "pixels", [picture(288, 512), picture(3, 3), picture(50, 1500), np.full((40, 40, 3), 90, np.uint8)]
)
def test_tones_are_the_same(twice, pixels):
    one, other = twice(lambda: picture_statistics.tone_statistics(pixels))
    np.testing.assert_allclose(other, one, rtol=2e-5, atol=1e-4)


def test_the_rank_is_found_among_equal_values(twice):
    pixels = np.repeat(RNG.choice(np.array([3, 3, 3, 200], np.uint8), (30, 40, 1)), 3, axis=2)
    one, other = twice(lambda: picture_statistics.tone_statistics(pixels))
    np.testing.assert_allclose(other, one, rtol=2e-5)
