"""Where one picture lies in another, at any size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.copies.placement import placed, summed
from tests.signal.copies.scenes import fine_scene


@pytest.mark.parametrize("side", [96, 192])
def test_a_crop_is_placed_to_a_twentieth_of_a_pixel(side: int) -> None:
    image = fine_scene(3)
    size, box = (side, side), (12, 6, 588, 582)
    first = np.asarray(image.resize(size, Image.Resampling.BICUBIC))
    second = np.asarray(image.crop(box).resize(size, Image.Resampling.BICUBIC))
    start = np.array([[0.97, 0.015, 0.97, 0.005]], np.float32)
    found = placed(first[None], second[None], start)
    assert np.allclose(found.place[0], (0.96, 0.02, 0.96, 0.01), atol=0.05 / side + 1e-4)
    assert found.beyond[0] == 0 and found.rest[0] < 0.05 and found.turn[0] < 0.0005


def test_sums_are_over_blocks() -> None:
    values = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert summed(values, 2).tolist() == [[[10.0, 18.0], [42.0, 50.0]]]
