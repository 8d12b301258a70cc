from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.jpeg.native_blocks import Axis, Window
from cliqa.signal.jpeg.placement import placed
from tests.jpeg_pictures import saved, textured


def windows_of(pixels: np.ndarray, tiles: bool) -> list[Window]:
    luma = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) - 128
    if not tiles:
        return [Window(luma, 0, 0)]
    return [Window(luma[y : y + 176, x : x + 176], x, y) for y in (0, 120, 230) for x in (0, 120, 230)]


@pytest.mark.parametrize(
    ("off", "tiles"), [((0.0, 0.8), False), ((0.0, 0.8), True), ((-0.8, 0.0), False), ((0.3, -0.3), True)]
)
def test_blocks_are_found_about_the_place_that_is_given(off: tuple[float, float], tiles: bool):
    native = saved(textured(3, 560), 25)[3:, 5:]
    pixels = np.asarray(Image.fromarray(native).resize((448, 448), Image.Resampling.BICUBIC))
    across, down = Axis(native.shape[1] / 448, 5 + off[0]), Axis(native.shape[0] / 448, 3 + off[1])
    found = placed(windows_of(pixels, tiles), across, down, "cubic")
    for axis, given, edge in zip(found, (across, down), (5, 3), strict=True):
        away = (224 * (axis.step - given.step) + axis.offset - edge + 4) % 8 - 4
        assert abs(away) < 0.25 and abs(axis.step - given.step) < 0.004


def test_a_picture_of_few_blocks_stays_where_it_is():
    across, down = Axis(1.5, 2.0), Axis(1.5, 3.0)
    assert placed([Window(np.zeros((24, 24), np.float32), 0, 0)], across, down, "cubic") == (across, down)
