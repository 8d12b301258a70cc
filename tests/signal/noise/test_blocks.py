"""Opponent channels, blocks and bands against SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from cliqa.signal.colour import LUMA32
from cliqa.signal.noise.blocks import (
    BANDS,
    OPPONENT,
    SCALES,
    WIDE,
    block_coefficients,
    decompose,
    log_energy,
    summed_pairs,
    wide_energies,
    zero_shares,
)


def some_tiles(count: int = 2, size: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3, size, size), dtype=np.uint8)


def test_opponent_channels_are_orthonormal_and_grey_has_no_colour():
    np.testing.assert_allclose(OPPONENT @ OPPONENT.T, np.eye(3), atol=1e-6)
    grey = np.repeat(some_tiles()[:, :1], 3, axis=1)
    coefficients = decompose(grey).coefficients[1]
    assert np.abs(coefficients[1]).max() < 1e-2 and np.abs(coefficients[2]).max() < 1e-2
    np.testing.assert_allclose(decompose(grey).grey, 3**0.5 * grey[:, 0], rtol=1e-5)


def test_coefficients_are_the_orthonormal_dct_of_whole_blocks():
    channel = np.random.default_rng(1).normal(size=(2, 20, 28)).astype(np.float32)
    found = block_coefficients(channel)
    assert found.shape == (2 * 2 * 3, 64)
    np.testing.assert_allclose(found[4].reshape(8, 8), fft.dctn(channel[0, 8:16, 8:16], norm="ortho"), atol=1e-5)


def test_bands_are_means_and_leave_the_constant_out():
    np.testing.assert_allclose(BANDS.sum(axis=0), 1, rtol=1e-6)
    assert not BANDS[0].any() and BANDS.shape == (64, 12)
    np.testing.assert_allclose(WIDE.sum(axis=0), 1, rtol=1e-6)
    waves = np.zeros(64, np.float32)
    waves[[1, 8 * 6]] = 2.0, 3.0  # u = 1, and v = 6
    energies = (waves * waves) @ BANDS
    np.testing.assert_allclose(energies[8:], [4 / 3, 0, 0, 9 / 4])


def test_white_noise_has_its_variance_in_every_band_and_a_quarter_of_it_at_every_further_scale():
    noise = np.random.default_rng(2).normal(128, 12, (4, 3, 128, 128))
    parts = decompose(np.rint(noise).astype(np.uint8))
    for scale in SCALES:
        assert parts.energies[scale].shape == (3, 12, 4 * (128 // scale // 8) ** 2)
        for energies in parts.energies[scale]:
            np.testing.assert_allclose(energies.mean(axis=1), 144 / scale**2, rtol=0.25)


def channels_of(tiles: np.ndarray) -> np.ndarray:
    """By the definition, float64: (3, n, size, size)."""
    return np.einsum("kc,nchw->knhw", OPPONENT.astype(float), tiles.astype(float))


@pytest.mark.parametrize("scale", SCALES)
def test_coefficients_are_those_of_averaged_opponent_channels(scale):
    tiles = some_tiles()
    channels = channels_of(tiles)
    side = 64 // scale
    averaged = channels.reshape(3, 2, side, scale, side, scale).mean(axis=(3, 5)).astype(np.float32)
    expected = np.stack([block_coefficients(each) for each in averaged])
    np.testing.assert_allclose(decompose(tiles).coefficients[scale], expected, atol=2e-3)


def test_products_are_means_over_the_bands_of_two_channels():
    parts = decompose(some_tiles())
    grey, red_blue = parts.coefficients[1][:2]
    np.testing.assert_allclose(parts.products[0], ((grey * red_blue) @ WIDE).T, rtol=1e-4, atol=0.1)
    np.testing.assert_allclose(wide_energies(parts.energies[1][0]), ((grey * grey) @ WIDE).T, rtol=1e-4)


def test_luma_is_mixed_of_the_channels_and_planes():
    tiles = some_tiles()
    parts = decompose(tiles)
    luma = np.tensordot(tiles.astype(np.float32), LUMA32, axes=(1, 0))
    np.testing.assert_allclose(parts.luma, luma, atol=1e-4)
    np.testing.assert_allclose(parts.mixed(LUMA32, 1), block_coefficients(luma), atol=5e-3)


def test_sums_of_pixels_keep_whole_numbers_and_energy_of_nothing_has_a_logarithm():
    np.testing.assert_array_equal(summed_pairs(np.array([[[1, 3, 5, 7], [1, 3, 5, 7]]], np.int16)), [[[8, 24]]])
    assert log_energy(np.zeros(1, np.float32))[0] == pytest.approx(np.log(0.02))
    np.testing.assert_allclose(zero_shares(np.array([[0.5, 1.0], [-0.6, -0.1]], np.float32)), [1, 0.5])
