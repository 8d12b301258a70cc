from __future__ import annotations

from itertools import islice

import pytest
from PIL import Image

from cliqa.images.patches import Tiles
from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.drawn import telling_tiles
from cliqa.signal.jpeg.parts import cell_of, near_zeros, spread_tiles, tiles_by_grid
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


def test_tiles_are_spread_over_the_picture_and_none_is_looked_at_in_vain():
    picture = Image.fromarray(textured(4, 1024))
    origins = Tiles(picture).origins
    taken: set[tuple[int, int]] = set()
    telling = telling_tiles(picture, origins, 128, 64, lambda origin: cell_of(origin, picture.size) in taken)
    first = dict(islice(telling, 8))
    seen: list[tuple[int, int]] = []
    found = spread_tiles(first, ((seen.append(each[0]), each)[1] for each in telling), picture.size, taken)
    assert len(found) == len(taken) == 16
    assert next(iter(found)) == origins[0] and found.keys() <= first.keys() | set(seen)
    assert len(first) + len(seen) < 32  # a group of tiles is looked at together


@pytest.mark.parametrize("quality", [40, 75, 88])
def test_a_part_in_a_picture_saved_finely_on_its_own_grid_is_found(quality: int):
    canvas = saved(textured(1, 512), 94)
    canvas = canvas.copy()
    canvas[256:, 251:] = saved(textured(2, 256, 261), quality)
    assert [sorted(group) for group in tiles_by_grid(tiles(canvas), known=0)] == [[10, 11, 14, 15]]


def test_zeros_crowd_at_the_offset_of_a_save():
    planes = luma(tiles(saved(textured(4, 256), 60)[3:, 5:].copy()))
    zeros = near_zeros(planes)
    assert zeros.shape == (len(planes), 64) and set(zeros.argmax(axis=1)) == {5 * 8 + 3}
    never = near_zeros(luma(tiles(textured(4, 256))))
    assert zeros.max(axis=1).min() > 3 * never.max()
