import numpy as np
import pytest

from cliqa.signal.noise.blocks import decompose
from cliqa.signal.noise.regions import ENERGIES, FACTS, noise_regions
from cliqa.signal.noise.single_pixels import single_pixels

FIRST_BAND_OF_GREY, CORRELATIONS, BRIGHTNESS, CLIPPED = 0, ENERGIES, ENERGIES + 12, ENERGIES + 15


def rows_of(tiles: np.ndarray) -> np.ndarray:
    parts = decompose(tiles)
    return noise_regions(parts, single_pixels(parts.grey))


def noise_tiles(deviation: float, count: int = 2, grey: bool = False) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, (count, 1 if grey else 3, 128, 128))
    return np.clip(np.rint(128 + np.broadcast_to(noise, (count, 3, 128, 128))), 0, 255).astype(np.uint8)


def test_a_row_for_every_region_of_every_tile():
    rows = rows_of(noise_tiles(10, 3))
    assert rows.shape == (3 * 64, FACTS) and rows.dtype == np.float32 and np.isfinite(rows).all()


def test_rows_lie_tile_by_tile_and_row_by_row():
    tiles = np.full((2, 3, 128, 128), 128, np.uint8)
    tiles[1, :, 32:48, 80:96] = noise_tiles(30, 1)[0, :, :16, :16]
    energy = rows_of(tiles)[:, 12:24].max(
        axis=1
    )  # the least of the region's four blocks: only this one has no flat block
    assert energy.argmax() == 64 + 2 * 8 + 5 and np.sort(energy)[-2] < 0


def test_energies_rise_with_contrast_and_the_rest_stays():
    weak, strong = rows_of(noise_tiles(10)), rows_of(noise_tiles(20))
    rise = np.median(strong - weak, axis=0)
    np.testing.assert_allclose(rise[:ENERGIES], np.log(4), atol=0.1)
    np.testing.assert_allclose(rise[ENERGIES:], 0, atol=0.05)


def test_noise_that_the_channels_share_is_grey():
    rows = rows_of(noise_tiles(20, grey=True))
    assert np.median(rows[:, FIRST_BAND_OF_GREY]) == pytest.approx(np.log(3 * 400), abs=0.3)  # sqrt(3) times the mean
    assert rows[:, 48 : 48 + 16].max() < 0  # the opponent channels are empty
    tinted = noise_tiles(20, grey=True).astype(float)
    tinted[:, 2] = 128
    found = np.median(rows_of(tinted.astype(np.uint8))[:, CORRELATIONS : CORRELATIONS + 3], axis=0)
    assert (found > 0.5).all()  # what blue lacks, red against blue and grey share


def test_brightness_and_clipping():
    tiles = np.zeros((1, 3, 128, 128), np.uint8)
    tiles[:, :, :, 64:] = 255
    rows = rows_of(tiles).reshape(8, 8, FACTS)
    np.testing.assert_allclose(rows[:, :4, BRIGHTNESS], 0, atol=1e-4)
    np.testing.assert_allclose(rows[:, 4:, BRIGHTNESS], 1, atol=1e-4)
    np.testing.assert_array_equal(rows[:, :4, CLIPPED:], np.tile([1, 0], (8, 4, 1)))
    np.testing.assert_array_equal(rows[:, 4:, CLIPPED:], np.tile([0, 1], (8, 4, 1)))
