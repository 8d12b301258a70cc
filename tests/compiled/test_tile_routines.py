"""The compiled routines that choose among tiles, and the same in NumPy and Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.images import paper

RNG = np.random.default_rng(11)


def page(width: int, height: int) -> Image.Image:
    """Lines of noise on grounds of three colours, which nothing, or a level or two, disturbs."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = (244, 243, 239)
    pixels[:, : width // 4] = (37, 64, 122)
    pixels[height // 2 :, width // 2 :] = (8, 7, 15)
    pixels[::9] = RNG.integers(0, 256, (len(pixels[::9]), width, 3))
    return Image.fromarray(pixels + RNG.integers(0, 2, pixels.shape, dtype=np.uint8))


@pytest.mark.parametrize("size", [(300, 260), (1003, 701), (2500, 1700)])  # every second, fourth and eighth pixel
def test_shares_of_paper_are_the_same(twice, size):
    picture = page(*size)
    one, other = twice(lambda: paper.paper_shares(picture, 128))
    np.testing.assert_array_equal(one, other)
    assert one.max() > 0.5


def test_a_photograph_has_none_either_way(twice):
    picture = Image.fromarray(RNG.integers(0, 256, (400, 300, 3), np.uint8))
    one, other = twice(lambda: paper.paper_shares(picture, 64))
    assert not one.any()
    assert not other.any()
