"""Saves on grids that are not the newest."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.jpeg.older_grids import read_beneath
from tests.jpeg_pictures import saved, textured, tiles


def cropped(pixels: np.ndarray, down: int, right: int) -> np.ndarray:
    return np.ascontiguousarray(pixels[down:, right:])


@pytest.mark.parametrize(("down", "right"), [(3, 5), (4, 4), (1, 6)])
def test_an_older_grid_is_read_through_the_newest(down: int, right: int) -> None:
    pixels = saved(cropped(saved(textured(7, 512), 50), down, right), 90)
    found = read_beneath(tiles(pixels), 0, 90)
    assert found is not None and abs(found.quality - 50) <= 1
    assert found.grid == (8 - down) % 8 * 8 + (8 - right) % 8


def test_the_oldest_of_three_counts() -> None:
    pixels = saved(cropped(saved(textured(8, 512), 40), 3, 2), 75)
    pixels = saved(cropped(pixels, 2, 5), 93)
    found = read_beneath(tiles(pixels), 0, 93)
    assert found is not None and abs(found.quality - 40) <= 2


@pytest.mark.parametrize("quality", [30, 60, 90])
def test_one_save_has_no_older_grid(quality: int) -> None:
    assert read_beneath(tiles(saved(textured(9, 512), quality)), 0, quality) is None
