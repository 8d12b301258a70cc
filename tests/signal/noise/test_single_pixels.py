import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from cliqa.signal.noise.blocks import log_energy
from cliqa.signal.noise.single_pixels import REGION, pixel_facts, sample_regions, single_pixels

CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)


def grey(count: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 441, (count, 128, 128)).astype(np.float32)


def test_agrees_with_scipy():
    tile = grey(1)[0]
    highest, lowest = (rank(tile, footprint=CROSS, mode="nearest") for rank in (maximum_filter, minimum_filter))
    out = np.maximum(np.maximum(tile - highest, lowest - tile), 0)
    regions = out.reshape(8, REGION, 8, REGION).transpose(0, 2, 1, 3).reshape(64, -1)
    found = single_pixels(tile[None])
    np.testing.assert_allclose(found[:, 0], log_energy(np.square(regions).mean(axis=1)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[:, 1], log_energy(np.square(regions.max(axis=1))), rtol=1e-4, atol=1e-4)


def test_regions_run_tile_by_tile():
    tiles = grey(3)
    np.testing.assert_array_equal(single_pixels(tiles)[64:128], single_pixels(tiles[1:2]))


def test_whole_numbers_of_a_unit_tell_the_same():
    levels = np.random.default_rng(3).integers(0, 766, (2, 128, 128)).astype(np.int16)
    unit = 3**-0.5
    np.testing.assert_allclose(single_pixels(levels, unit), single_pixels(levels * np.float32(unit)), rtol=1e-5)


def test_percentiles_are_those_of_numpy():
    rows = single_pixels(grey(3))
    for column, first in ((0, 7), (1, 10)):
        expected = np.percentile(rows[:, column], (50, 90, 98))
        np.testing.assert_allclose(pixel_facts(rows)[first : first + 3], expected, rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, 200.0, 441.7])
def test_flat_tiles_give_finite_numbers(value):
    assert np.isfinite(pixel_facts(single_pixels(np.full((1, 128, 128), value, np.float32)))).all()


def test_one_pixel_is_seen():
    flat = np.full((1, 128, 128), 100.0, np.float32)
    dotted = flat.copy()
    dotted[0, 40, 40] = 400
    before, after = (pixel_facts(single_pixels(each)) for each in (flat, dotted))
    assert after[0] == pytest.approx(np.log(300**2 / 128**2 + 0.02), abs=0.01)
    assert (after[1:7] > before[1:7]).all()


def test_pictures_are_taken_together():
    rows = np.stack([single_pixels(grey(seed=seed)) for seed in range(3)])
    np.testing.assert_allclose(pixel_facts(rows), np.stack([pixel_facts(each) for each in rows]), rtol=1e-5)


def test_samples_are_rows_each_once_where_there_are_enough():
    rows = np.arange(40, dtype=np.float32).reshape(20, 2)
    rng = np.random.default_rng(0)
    assert sorted(sample_regions(rows, 20, rng)[:, 0].tolist()) == rows[:, 0].tolist()
    many = sample_regions(rows, 50, rng)
    assert many.shape == (50, 2) and many.dtype == np.float16 and set(many[:, 0].tolist()) == set(rows[:, 0].tolist())
