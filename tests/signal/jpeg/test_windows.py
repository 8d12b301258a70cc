"""Parts of a picture in which a resize is looked for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.jpeg.windows import (
    FEW_TILES,
    LARGEST_REGION,
    MARGIN,
    cut_regions,
    cut_window,
    luma_of,
    thinned_region,
)


def picture(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def test_a_window_is_moved_into_the_picture():
    image = picture(300, 200)
    window = cut_window(image, 290, 10, 128)
    assert (window.x, window.y) == (172, 0) and window.luma.shape == (128, 128)
    expected = np.asarray(image)[:128, 172:] @ [0.299, 0.587, 0.114] - 128
    assert window.luma == pytest.approx(expected, abs=1e-3)
    assert cut_window(image, 150, 100, 400).luma.shape == (200, 300)


def test_windows_come_out_of_the_region_where_they_lie_in_it():
    image = picture(1400, 160)
    origins = [(x, 0) for x in range(0, 1400 - 128, 128)]
    region, windows = cut_regions(image, origins, 128)
    assert region.luma.shape == (160, LARGEST_REGION) and len(windows.few) == FEW_TILES
    whole = luma_of(np.asarray(image))
    for window in (*windows.few, *windows.searched, *windows.all):
        rows, columns = window.luma.shape
        assert np.array_equal(window.luma, whole[window.y : window.y + rows, window.x : window.x + columns])
    assert windows.few[3].luma.shape == (160, 128 + 2 * MARGIN) and np.shares_memory(windows.few[3].luma, region.luma)
    assert [each.x for each in cut_regions(image, origins, 128, whole=False)[1].all] == [
        0,
        *(x - MARGIN for x, _ in origins[1:]),
    ]


def test_the_lines_of_a_thinned_region_are_those_of_the_whole():
    image = picture(1400, 160)
    region = cut_regions(image, [(0, 0)], 128)[0]
    rows, columns = thinned_region(image, 40)
    assert (rows.x, columns.y) == (region.x, region.y)
    assert np.array_equal(rows.luma, region.luma[::4]) and np.array_equal(columns.luma, region.luma[:, :: 1280 // 40])
