from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dctn

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.grid import (
    BINS,
    PAIRS,
    PER_UNIT,
    blocky_grid,
    find_grid,
    grid_evidence,
    grid_scores,
    least_clipped,
    newest_evidence,
    offset_histograms,
    second_grid_scores,
)
from tests.jpeg_pictures import saved, textured, tiles


def counted(pixels: np.ndarray) -> np.ndarray:
    return offset_histograms(luma(tiles(pixels)))


@pytest.mark.parametrize(("left", "top"), [(0, 0), (3, 0), (5, 6)])
def test_the_grid_lies_where_the_picture_was_cut(left: int, top: int):
    rgb = tiles(np.ascontiguousarray(saved(textured(1, 400), 80)[top:, left:]))
    found = find_grid(rgb, luma(rgb))
    assert found.offset == (-top % 8) * 8 + (-left % 8)
    assert found.margin > 60 and found.scores.argmax() == found.offset


def test_clipped_tiles_are_searched_last():
    rgb = np.full((3, 3, 16, 16), 128, np.uint8)
    rgb[0, :, :8] = 255
    rgb[1, 0, 0] = 0
    assert least_clipped(rgb).tolist() == [1, 2, 0]  # little clipping is none; else they stay as they come


def test_histograms_equal_block_by_block_transforms():
    plane = np.random.default_rng(0).normal(0, 20, (1, 40, 48)).astype(np.float32)
    found = offset_histograms(plane)
    assert found.shape == (64, len(PAIRS), BINS)
    for x, y in ((0, 0), (3, 5), (7, 7)):
        expected = np.zeros((len(PAIRS), BINS))
        for row in range(y, y + 8 * ((40 - 7) // 8), 8):
            for column in range(x, x + 8 * ((48 - 7) // 8), 8):
                block = dctn(plane[0, row : row + 8, column : column + 8], norm="ortho")
                for index, (v, u) in enumerate(PAIRS):
                    place = round(abs(float(block[v, u])) * PER_UNIT)
                    if place < BINS:
                        expected[index, place] += 1
        assert np.abs(found[y * 8 + x] - expected).sum() <= 4  # ties of rounding


@pytest.mark.parametrize(("quality", "x", "y"), [(20, 3, 0), (60, 0, 0), (85, 5, 2), (97, 1, 6), (100, 4, 4)])
def test_grid_of_a_cropped_save_is_found(quality: int, x: int, y: int):
    pixels = saved(textured(quality, 272), quality)[y:, x:]
    scores = grid_scores(counted(pixels))
    assert int(scores.argmax()) == -y % 8 * 8 + -x % 8


def test_older_grid_and_its_quality_are_found_under_a_newer_one():
    first = saved(textured(1, 400), 60)[3:, 2:]  # its blocks now start at (6, 5)
    found = counted(saved(np.ascontiguousarray(first), 90))
    newer = int(grid_scores(found).argmax())
    assert newer == 0
    older = int(second_grid_scores(found, newer).argmax())
    assert older == 5 * 8 + 6
    newest, evidence = grid_evidence(found, newer, np.array([older])).max(axis=1)
    assert int(newest.argmax()) + 1 == 90
    assert abs(int(evidence.argmax()) + 1 - 60) <= 2
    assert evidence.max() > 50


def test_newest_evidence_tells_a_save_from_none():
    none = newest_evidence(counted(textured(2)), 0)
    some = newest_evidence(counted(saved(textured(2), 80)), 0)
    assert none.max() < 30
    assert some.max() > 300
    assert abs(int(some.max(axis=0).argmax()) + 1 - 80) <= 1


def test_visible_blocks_tell_their_grid():
    assert blocky_grid(luma(tiles(textured(3)))) is None
    pixels = np.ascontiguousarray(saved(textured(3, 272), 2)[1:, 6:])
    assert blocky_grid(luma(tiles(pixels))) == 7 * 8 + 2


def test_planes_under_two_blocks_give_no_counts():
    assert offset_histograms(np.zeros((1, 10, 10), np.float32)).sum() == 0
