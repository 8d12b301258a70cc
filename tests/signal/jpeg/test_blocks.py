"""Luma, blocks and their clipping; the DCT against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dctn

from cliqa.signal.jpeg.blocks import (
    choose_blocks,
    clipped_blocks,
    cut_blocks,
    dct_blocks,
    inverse_dct_blocks,
    luma,
)
from tests.jpeg_pictures import textured, tiles


def test_dct_is_the_orthonormal_one_of_scipy():
    block = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    found = dct_blocks(block.reshape(1, 64))
    assert np.allclose(found.reshape(8, 8), dctn(block, norm="ortho"), atol=1e-4)
    assert np.allclose(inverse_dct_blocks(found), block.reshape(1, 64), atol=1e-4)


def test_blocks_are_cut_at_the_offset():
    plane = np.arange(24 * 32, dtype=np.float32).reshape(1, 24, 32)
    blocks = cut_blocks(plane, 3, 5)
    assert blocks.shape == (2 * 3, 64)
    assert np.array_equal(blocks[4].reshape(8, 8), plane[0, 13:21, 11:19])


def test_luma_undoes_the_rounding_of_rgb():
    y = np.arange(40, 200).reshape(1, 8, 20)
    cb, cr = 12, -7
    rgb = np.stack(
        [np.rint(y + 1.402 * cr), np.rint(y - 0.344136 * cb - 0.714136 * cr), np.rint(y + 1.772 * cb)], axis=1
    )
    assert np.array_equal(luma(rgb.astype(np.uint8)), (y - 128).astype(np.float32))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, 5)])
def test_clipped_blocks_are_told_by_any_channel_at_either_end(x: int, y: int):
    rgb = np.random.default_rng(1).integers(0, 256, (2, 3, 40, 48), dtype=np.uint8)
    rgb[rgb < 3] = 7
    rgb[rgb > 252] = 99
    rgb[0, 1, 20, 20], rgb[1, 2, 9, 30] = 0, 255
    expected = cut_blocks(((rgb == 0) | (rgb == 255)).any(axis=1), x, y).any(axis=1)
    assert np.array_equal(clipped_blocks(rgb, x, y), expected)
    assert expected.sum() == 2


def test_clipped_blocks_are_left_out_where_others_are_enough():
    pixels = textured(5, 256)
    pixels[:64] = np.where(pixels[:64] > 128, 255, pixels[:64])
    rgb = tiles(pixels, 256)
    blocks = choose_blocks(rgb, luma(rgb), 0, 0)
    assert blocks.clean
    assert len(blocks) <= 24 * 32 and (blocks.pixels < 126.5).all()
    some = choose_blocks(rgb, luma(rgb), 0, 0, enough=1000)
    assert not some.clean and some.light is not None and some.dark is not None
    assert some.light.any() and not some.dark.any()
    assert (~some.light.any(axis=1)).sum() == len(blocks)


def test_flat_blocks_are_left_out_and_many_are_thinned():
    pixels = textured(6, 128)
    pixels[:64] = 90
    rgb = tiles(pixels)
    assert len(choose_blocks(rgb, luma(rgb), 0, 0)) == 128
    assert 40 <= len(choose_blocks(rgb, luma(rgb), 0, 0, most=64, enough=10)) <= 128


def test_blocks_are_taken_and_joined():
    rgb = tiles(np.clip(textured(7, 128).astype(int) * 2 - 128, 0, 255).astype(np.uint8))
    blocks = choose_blocks(rgb, luma(rgb), 0, 0, enough=256)
    assert not blocks.clean and blocks.light is not None
    part = blocks.take(np.array([3, 1]))
    assert part.light is not None and np.array_equal(part.light, blocks.light[[3, 1]])
    joined = part.joined(np.full((1, 64), 5, np.float32))
    assert len(joined) == 3 and joined.dark is not None and not joined.dark[2].any()
