"""The traces of upscaling networks: counted again by hand, alike for mirrored tiles, and a tile's row is its own."""

import itertools

import numpy as np

from cliqa.signal.resampling.network_traces import (
    CHANNELS,
    COLOURS,
    LEVELS,
    MAPS,
    NEIGHBOURS,
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


def test_first_map_counts_triples_of_first_differences():
    tile = tiles(4)[:, :, :40, :40]
    red, green, blue = tile[0].astype(int)
    luma = (77 * red + 150 * green + 29 * blue) >> 8
    counts: dict[tuple[int, ...], int] = {}
    for plane in (luma, luma.T):
        levels = np.clip(np.diff(plane, axis=1), -2, 2)
        for row in levels:
            for triple in zip(row, row[1:], row[2:], strict=False):
                alike = {triple, triple[::-1], tuple(-v for v in triple), tuple(-v for v in triple[::-1])}
                key = min(tuple(int(v) for v in each) for each in alike)
                counts[key] = counts.get(key, 0) + 1
    expected = sorted(count / sum(counts.values()) for count in counts.values())
    found = network_traces(tile)[0, :NEIGHBOURS] ** 2
    np.testing.assert_allclose(sorted(found[found > 0]), expected, rtol=1e-5)
    triples = set(itertools.product(range(-2, 3), repeat=LEVELS - 2))
    assert len({min(t, t[::-1], tuple(-v for v in t), tuple(-v for v in t[::-1])) for t in triples}) == NEIGHBOURS


def test_the_last_maps_count_the_three_colours_at_one_place():
    tile = tiles(7)[:, :, :40, :40]
    counts: dict[tuple[int, ...], int] = {}
    for turned in (tile[0].astype(int), tile[0].swapaxes(1, 2).astype(int)):
        levels = np.clip(np.diff(turned, axis=2), -2, 2).reshape(3, -1)
        for triple in levels.T:
            key = min(tuple(int(v) for v in triple), tuple(int(-v) for v in triple))
            counts[key] = counts.get(key, 0) + 1
    expected = sorted(count / sum(counts.values()) for count in counts.values())
    found = network_traces(tile)[0, CHANNELWISE][:CHANNELS] ** 2
    np.testing.assert_allclose(sorted(found[found > 0]), expected, rtol=1e-5)


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
