from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.luma_blocks import cut_blocks, luma
from cliqa.signal.recompression import QUALITIES, description_lengths
from tests.jpeg_pictures import saved, textured, tiles


def blocks_of(pixels: np.ndarray) -> np.ndarray:
    return cut_blocks(luma(tiles(pixels)), 0, 0)


@pytest.mark.parametrize("quality", [25, 50, 75, 90])
def test_shortest_at_the_quality_of_a_save_even_where_it_was_clipped(quality: int):
    harsh = np.clip((textured(quality, 128).astype(float) - 128) * 4 + 128, 0, 255).astype(np.uint8)
    lengths = description_lengths(blocks_of(saved(np.repeat(harsh[..., :1], 3, axis=2), quality)))
    assert abs(int(QUALITIES[lengths.argmin()]) - quality) <= 2


def test_no_blocks_cost_nothing():
    assert description_lengths(np.zeros((0, 64), np.float32)).tolist() == [0] * 100


def test_flat_blocks_are_short_at_every_quality():
    assert description_lengths(np.zeros((20, 64), np.float32)).max() < 1
