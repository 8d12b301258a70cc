from __future__ import annotations

import numpy as np

from cliqa.signal.jpeg.parts import spread_origins, tiles_by_grid
from tests.jpeg_pictures import saved, textured, tiles


def test_tiles_of_one_grid_are_found_among_others():
    canvas = textured(1, 512)
    canvas[256:, 251:] = saved(textured(2, 256, 261), 40)
    found = tiles_by_grid(tiles(canvas), known=0)
    assert [sorted(group) for group in found] == [[10, 11, 14, 15]]


def test_a_known_grid_of_most_tiles_is_no_part():
    pixels = tiles(saved(textured(3, 384), 50))
    assert tiles_by_grid(pixels, known=0) == []
    assert [len(group) for group in tiles_by_grid(pixels, known=9)] == [9]


def test_origins_are_spread_over_the_picture():
    origins = [(x, y) for y in range(0, 1024, 128) for x in range(0, 1024, 128)]
    found = spread_origins(origins, 1024, 1024)
    assert len(found) == 16 and len({(x // 256, y // 256) for x, y in found}) == 16
    assert found[0] == origins[0] and np.max(found) < 1024
