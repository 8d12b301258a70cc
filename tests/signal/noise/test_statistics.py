import numpy as np
import pytest
from scipy.fft import dctn

from cliqa.signal.noise.blocks import BANDS, OPPONENT, block_coefficients, decompose
from cliqa.signal.noise.statistics import _least_ones, _log_percentiles, noise_statistics


def noise_tiles(deviation: float, count: int = 4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(np.rint(rng.normal(128, deviation, (count, 3, 128, 128))), 0, 255).astype(np.uint8)


def test_coefficients_agree_with_scipy():
    channel = np.random.default_rng(0).normal(size=(2, 24, 16)).astype(np.float32)
    found = block_coefficients(channel)
    assert found.shape == (2 * 3 * 2, 64)
    np.testing.assert_allclose(found[0].reshape(8, 8), dctn(channel[0, :8, :8], norm="ortho"), atol=1e-5)
    np.testing.assert_allclose(found[7].reshape(8, 8), dctn(channel[1, :8, 8:16], norm="ortho"), atol=1e-5)


def test_channels_and_bands_keep_energy():
    np.testing.assert_allclose(OPPONENT @ OPPONENT.T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(BANDS.sum(axis=0), 1, rtol=1e-6)
    assert (BANDS[0] == 0).all()  # brightness is in no band


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_energies_of_white_noise_are_its_variance(scale):
    parts = decompose(noise_tiles(12.0))
    for energy in parts.energies[scale]:  # averaging 2x2 pixels quarters the variance of white noise
        np.testing.assert_allclose(energy.mean(axis=1), 144 / scale**2, rtol=0.2)


def test_percentiles_are_logarithms_of_ranked_energies():
    energies = np.random.default_rng(4).gamma(0.3, 200, (12, 512)).astype(np.float32)
    expected = np.log(np.sort(energies, axis=1)[:, [51, 256, 460]] + 0.02)
    np.testing.assert_allclose(_log_percentiles(energies, (10, 50, 90)), expected, atol=2e-4)


def test_no_energy_is_too_large_for_its_key():
    most = np.full(
        (1, 8), 64 * (3**0.5 * 255 / 2) ** 2, np.float32
    )  # of half black, half white blocks, all in one coefficient
    assert _log_percentiles(most, (50,))[0, 0] == pytest.approx(np.log(most[0, 0]), abs=2e-4)


def test_ranks_of_rows_are_those_of_a_sort():
    rows = np.random.default_rng(5).random((7, 40)).astype(np.float32)
    for found, rank in zip(_least_ones(rows, (0, 1, 3)), (0, 1, 3), strict=True):
        np.testing.assert_array_equal(found, np.sort(rows, axis=0)[rank])


def test_length_is_the_same_for_any_number_of_tiles():
    lengths = {len(noise_statistics(decompose(noise_tiles(5, count)))) for count in range(1, 9)}
    assert len(lengths) == 1


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_tiles_give_finite_numbers(value):
    assert np.isfinite(noise_statistics(decompose(np.full((3, 3, 128, 128), value, np.uint8)))).all()


def test_first_number_rises_with_noise():
    levels = [noise_statistics(decompose(noise_tiles(deviation)))[0] for deviation in (0, 1, 3, 10, 30)]
    assert levels == sorted(levels)


def test_order_of_the_tiles_does_not_matter():
    tiles = noise_tiles(6)
    tiles[1] //= 2
    one, other = noise_statistics(decompose(tiles)), noise_statistics(decompose(tiles[::-1]))
    np.testing.assert_allclose(one, other, atol=0.1)  # rounding may move a block into the next bin of brightness
