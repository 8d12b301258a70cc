"""The compiled routines of `grain_noise`, and the same in NumPy: whole numbers are equal, others to a millionth or so."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.metrics import grain_noise
from cliqa.signal.noise import blocks, regions, single_pixels, statistics, traces

RNG = np.random.default_rng(21)


def tiles(count: int, side: int, deviation: float = 6.0) -> np.ndarray:
    """uint8 (count, 3, side, side): clouds with noise, some of them clipped."""
    found = []
    for level in np.linspace(20, 235, count):
        small = Image.fromarray(RNG.integers(0, 256, (max(2, side // 9), max(2, side // 9), 3), np.uint8))
        cloud = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)).astype(float)
        noisy = (cloud - 128) * 0.5 + level + RNG.normal(0, deviation, cloud.shape)
        found.append(np.clip(noisy, 0, 255).astype(np.uint8).transpose(2, 0, 1))
    return np.stack(found)


SHAPES = [(8, 128), (1, 32), (3, 64), (5, 96)]


@pytest.mark.parametrize(("count", "side"), SHAPES)
def test_tiles_are_taken_apart_the_same(twice, count, side):
    pixels = tiles(count, side)
    one, other = twice(lambda: blocks.decompose(pixels))
    np.testing.assert_array_equal(one.luma, other.luma)
    for scale in blocks.SCALES:
        np.testing.assert_array_equal(one.planes[scale], other.planes[scale])
        np.testing.assert_allclose(other.coefficients[scale], one.coefficients[scale], atol=5e-3)
        np.testing.assert_allclose(other.energies[scale], one.energies[scale], rtol=2e-4, atol=1e-4)
    np.testing.assert_allclose(other.products, one.products, rtol=1e-3, atol=5e-2)


@pytest.mark.parametrize(("count", "side"), SHAPES)
def test_regions_and_single_pixels_are_the_same(twice, count, side):
    parts = blocks.decompose(tiles(count, side, 40.0))
    one, other = twice(lambda: single_pixels.single_pixels(parts.planes[1][0], blocks.UNITS[0]))
    np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(*twice(lambda: regions._clipped(parts, side // regions.REGION)))
    assert regions._clipped(parts, side // regions.REGION).max() > 0


@pytest.mark.parametrize(("count", "side"), SHAPES)
@pytest.mark.parametrize("first", [0, 4])
def test_zeros_of_blocks_are_the_same(twice, count, side, first):
    planes = blocks.decompose(tiles(count, side, 1.0)).luma
    one, other = twice(lambda: blocks.block_zero_shares(planes, first))
    np.testing.assert_allclose(other, one, atol=2e-3)  # a coefficient at the very limit may fall on either side
    one, other = twice(lambda: traces._small_zero_shares(planes, first // 2))
    np.testing.assert_allclose(other, one, atol=2e-3)
    assert one.max() > 0


@pytest.mark.parametrize(("count", "side"), SHAPES)
def test_steps_and_lines_are_the_same(twice, count, side):
    parts = blocks.decompose(tiles(count, side))
    one, other = twice(lambda: traces._steps(parts.luma, traces.PERIOD))
    np.testing.assert_allclose(other, one, atol=1e-5)

    def lines() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = (statistics._single_lines if statistics.compiled() is None else statistics._compiled_lines)(parts)
        return found[0], np.trim_zeros(found[1], "b"), found[2]

    one, other = twice(lines)
    np.testing.assert_allclose(other[0], one[0], rtol=1e-5)
    np.testing.assert_array_equal(one[1], other[1])
    np.testing.assert_array_equal(one[2], other[2])


@pytest.mark.parametrize("count", [1, 2, 8, 64, 65])
def test_powers_of_a_rank_are_the_same(twice, count):
    spectra = (RNG.normal(0, 9, (count, 321)) + 1j * RNG.normal(0, 9, (count, 321))).astype(np.complex64)
    ranks = (0, count // 4, count // 2)
    one, other = twice(lambda: statistics._ranked_powers(spectra, np.float32(0.25), ranks))
    for found, right in zip(other, one, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-6)


@pytest.mark.parametrize("deviation", [0.0, 2.0, 25.0])
def test_what_the_networks_read_is_the_same(twice, deviation):
    pixels = tiles(8, 128, deviation)

    def observed() -> tuple[np.ndarray, np.ndarray]:
        parts = blocks.decompose(pixels)
        single = single_pixels.single_pixels(parts.planes[1][0], blocks.UNITS[0])
        return grain_noise.picture_statistics(parts, single), regions.noise_regions(parts, single)

    for one, other in zip(*twice(observed), strict=True):
        np.testing.assert_allclose(other, one, atol=2e-3)
