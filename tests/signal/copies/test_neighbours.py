"""Hashes that are alike are paired without comparing all with all; turns of hashes are those of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cliqa.signal.copies.neighbours import FAR, alike, far_among
from cliqa.signal.copies.turns import TURNS, turned_hashes, turned_thumbnails


def hashes(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)


def flipped(given: NDArray[np.uint8], share: float, seed: int = 1) -> NDArray[np.uint8]:
    mask = np.random.default_rng(seed).random((len(given), 256)) < share
    return np.packbits(np.unpackbits(given, axis=1) ^ mask, axis=1)


def test_near_hashes_are_paired_and_far_ones_are_not() -> None:
    whole = hashes(3000)
    whole[:100] = flipped(whole[1000:1100], 0.1)
    pairs, kinds = alike(whole, hashes(3000, 5))
    found = {tuple(pair) for pair in pairs.tolist()}
    assert {(index, 1000 + index) for index in range(100)} <= found
    distance = np.unpackbits(whole[pairs[kinds == 0, 0]] ^ whole[pairs[kinds == 0, 1]], axis=1).sum(1)
    assert distance.max() <= FAR
    assert len(found) == len(pairs) and (pairs[:, 0] < pairs[:, 1]).all()


@pytest.mark.parametrize("crop_first", [True, False])
def test_a_crop_meets_its_originals_inside(crop_first: bool) -> None:
    whole, inside = hashes(500), hashes(500, 5)
    crop, original = (3, 400) if crop_first else (400, 3)
    whole[crop] = flipped(inside[[original]], 0.05)[0]
    pairs, kinds = alike(whole, inside)
    place = pairs.tolist().index([3, 400])
    assert kinds[place] == (2 if crop_first else 1)


def test_a_copy_without_its_bars_meets_the_framed_one() -> None:
    whole, inside = hashes(500), hashes(500, 5)
    pairs, kinds = alike(whole, inside, flipped(whole[[7]], 0.05), np.array([300]))
    assert kinds[pairs.tolist().index([7, 300])] == 4
    pairs, kinds = alike(whole, inside, flipped(whole[[300]], 0.05), np.array([7]))
    assert kinds[pairs.tolist().index([7, 300])] == 3


def test_in_a_crowd_pairs_have_to_be_nearer() -> None:
    assert far_among(2) == far_among(50_000) == FAR
    assert FAR - 10 <= far_among(1_000_000) < FAR - 6


def test_many_equal_hashes_take_no_quadratic_time() -> None:
    pairs, _ = alike(np.repeat(hashes(1), 20_000, 0), hashes(20_000, 5))
    assert 19_999 <= len(pairs) <= 20_000 * 100


def test_one_picture_has_no_neighbour() -> None:
    pairs, kinds = alike(hashes(1), hashes(1))
    assert pairs.shape == (0, 2) and kinds.shape == (0,)


@pytest.mark.parametrize("turn", range(len(TURNS)))
def test_turning_back_gives_the_picture_again(turn: int) -> None:
    transposed, mirrored, upside_down = TURNS[turn]
    thumbnails = np.random.default_rng(2).integers(0, 256, (2, 32, 32), dtype=np.uint8)
    back = TURNS.index((transposed, upside_down, mirrored) if transposed else TURNS[turn])
    assert (turned_thumbnails(turned_thumbnails(thumbnails, turn), back) == thumbnails).all()
    assert turned_hashes(hashes(2), turn).shape == (2, 32)
