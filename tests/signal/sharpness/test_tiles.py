import numpy as np
import pytest

from cliqa.signal.sharpness.tiles import FINE, TILE, choose_tiles, cut, spread, steepest, steepness


def test_steepness_is_the_mean_of_the_gradient_to_its_power():
    half = np.zeros((64, 96), np.uint8)
    half[:, 40] = 10  # a line: up and down, in tile column 1
    expected = np.zeros((2, 3))
    expected[:, 1] = 2 * 32 * 100 / 32**2
    np.testing.assert_allclose(steepness(half, 32, 2), expected)
    expected[:, 1] = 2 * 32 * 100**2 / 32**2
    np.testing.assert_allclose(steepness(half, 32, 4), expected)


def test_the_steepest_come_first_and_ties_by_place():
    values = np.array([[1, 5, 1], [7, 1, 5]], np.float32)
    assert steepest(values, 3).tolist() == [[1, 0], [0, 1], [1, 2]]


def test_one_tile_for_each_part_row_by_row():
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    values[0, 0] = 99
    assert spread(values, 2).tolist() == [[0, 0], [1, 5], [3, 2], [3, 5]]
    assert len(spread(values, 9)) == 24


def test_tiles_are_cut_where_they_lie():
    plane = np.zeros((3 * TILE + 5, 2 * TILE + 9), np.uint8)
    plane[TILE : 2 * TILE, :TILE] = 7
    plane[2 * TILE : 3 * TILE, TILE : 2 * TILE] = 9
    found = cut(plane, np.array([[1, 0], [2, 1]]))
    assert found.shape == (2, TILE, TILE) and (found[0] == 7).all() and (found[1] == 9).all()


@pytest.mark.parametrize("shape", [(128, 128), (131, 250), (190, 1001), (640, 513)])
def test_pictures_of_any_shape_give_fine_tiles_and_coarse_ones(shape):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, shape, np.uint8)
    half, quarter = (rng.integers(0, 256, [-(-side // by) for side in shape], np.uint8) for by in (2, 4))
    tiles, coarse = choose_tiles(grey, half, quarter)
    fine = min(FINE, (shape[0] // TILE) * (shape[1] // TILE))
    assert tiles.shape[1:] == (TILE, TILE) and (~coarse).sum() == fine and 1 <= coarse.sum() <= 16
    assert not coarse[:fine].any()
