"""The traces of upscaling networks: counted again by hand, alike for mirrored tiles, and a tile's row is its own."""

import numpy as np

from cliqa.signal.resampling.co_occurrences import CHANNELS, NEIGHBOURS
from cliqa.signal.resampling.network_traces import (
    COLOURS,
    MAPS,
    PATTERNS,
    PERIODS,
    RINGS,
    WIDTH,
    network_traces,
)
from tests.rough_pictures import rough

JOINT = len(MAPS) * NEIGHBOURS
CHANNELWISE = slice(WIDTH - len(COLOURS) * CHANNELS, WIDTH)
PATTERN = slice(
    CHANNELWISE.start - 4 - 9 * len(PATTERNS), CHANNELWISE.start - 4
)  # the one block that the tiles of a picture share


def tiles(*seeds: int) -> np.ndarray:
    planes = [[rough(128, 128, 3 * seed + channel) for channel in range(3)] for seed in seeds]
    return np.clip(np.array(planes), 0, 255).astype(np.uint8)


def test_rows_have_the_width_and_depend_on_their_neighbours_in_the_pattern_alone():
    found = network_traces(tiles(1, 2, 3))
    assert found.shape == (3, WIDTH) and found.dtype == np.float32 and np.isfinite(found).all()
    own = np.delete(np.arange(WIDTH), np.r_[PATTERN])
    np.testing.assert_allclose(network_traces(tiles(2))[:, own], found[1:2, own], atol=1e-5)
    assert (found[:, PATTERN] == found[0, PATTERN]).all()
    np.testing.assert_allclose(network_traces(tiles(1, 2, 3), read=1), found[:1], atol=1e-6)


def test_a_faint_pattern_shows_in_its_period_and_grows_surer_with_tiles():
    seeds = range(10, 14)
    noise = np.stack([np.random.default_rng(seed).normal(128, 3, (3, 128, 128)) for seed in seeds])
    rows, columns = np.indices((128, 128))
    plain = np.rint(noise).astype(np.uint8)
    for period in (3, 4):
        faint = np.rint(noise + 0.4 * ((rows % period == 0) & (columns % period == 0))).astype(np.uint8)
        place = PATTERN.start + PATTERNS.index(period)  # of the Laplacian of luma
        one, four = (network_traces(faint[:count], read=1)[0, place] for count in (1, 4))
        assert one > network_traces(plain[:1])[0, place] + 0.5
        assert period == 3 or four > one + 0.5


def test_mirrored_and_turned_tiles_have_the_same_joint_histograms():
    tile = tiles(5)
    first = network_traces(tile)
    for turned in (tile[..., ::-1], tile[:, :, ::-1], tile.swapaxes(2, 3)):
        again = network_traces(turned)
        np.testing.assert_allclose(again[:, :JOINT], first[:, :JOINT], atol=1e-6)
        np.testing.assert_allclose(again[:, CHANNELWISE], first[:, CHANNELWISE], atol=1e-6)


def test_repeated_pixels_show_in_their_period():
    small = tiles(6)[:, :, :42, :42]
    place = JOINT + 2 * RINGS + PERIODS.index(3)  # by 2 both phases of the second difference are alike
    repeated = network_traces(small.repeat(3, axis=2).repeat(3, axis=3))[0, place]
    assert repeated > network_traces(tiles(6))[0, place] + 0.5


def test_flat_tiles_are_no_trouble():
    assert np.isfinite(network_traces(np.full((1, 3, 128, 128), 7, np.uint8))).all()
