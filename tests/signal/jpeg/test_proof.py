from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.grid import find_grid
from cliqa.signal.jpeg.history import Lattice, read_lattice
from tests.jpeg_pictures import saved, textured, tiles


def lattice_of(pixels: np.ndarray) -> Lattice:
    rgb = tiles(pixels)
    y = luma(rgb)
    return read_lattice(rgb, y, find_grid(rgb, y).offset)


def blurred(seed: int, passes: int) -> np.ndarray:
    pixels = textured(seed).astype(float)
    for _ in range(passes):
        for axis in (0, 1):
            pixels = (np.roll(pixels, 1, axis) + pixels + np.roll(pixels, -1, axis)) / 3
    return np.rint(pixels).astype(np.uint8)


@pytest.mark.parametrize("quality", [3, 12, 36, 60, 77, 93])
@pytest.mark.parametrize("passes", [0, 20])
def test_one_save_is_proved_on_detailed_and_on_smooth_pictures(quality: int, passes: int):
    proof = lattice_of(saved(blurred(quality, passes), quality, "4:2:0")).proof
    assert abs(proof.proved - quality) <= (1 if proof.tied > 1 else 0)
    assert proof.likely == proof.proved
    assert proof.exact > 0.5


@pytest.mark.parametrize("quality", [2, 15, 40])
def test_a_clipped_picture_is_proved(quality: int):
    harsh = np.clip((textured(quality).astype(float) - 128) * 3 + 128, 0, 255).astype(np.uint8)
    lattice = lattice_of(saved(harsh, quality))
    assert abs(lattice.proof.proved - quality) <= 1


def test_nothing_is_proved_where_nothing_was_saved_or_steps_are_too_fine():
    assert lattice_of(textured(1)).proof.proved == 0
    assert lattice_of(saved(textured(1), 100)).proof.proved == 0


def test_after_a_second_save_the_last_is_proved():
    assert lattice_of(saved(saved(textured(2), 40), 85)).proof.proved == 85


def test_equal_tables_are_counted_as_tied():
    assert lattice_of(saved(textured(3), 50)).proof.tied == 1
    flat = np.full((128, 128, 3), 60, np.uint8)
    flat[:, 64:] = 150
    assert lattice_of(saved(flat, 75)).proof.tied >= 1


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_blocks_that_were_clipped_all_over_prove_nothing(noise: float):
    down, right = np.mgrid[0:256, 0:256]
    ramp = 60 + 0.3 * (right + down / 2) + np.random.default_rng(1).normal(0, noise, (256, 256))
    gradient = np.full((256, 256, 3), 255)
    gradient[..., [0, 2]] = np.clip(np.rint(ramp), 0, 255)[..., None]
    found = lattice_of(gradient.astype(np.uint8))
    assert not found.blocks.clean and (found.proof.proved, found.proof.exact) == (0, 0.0)
    again = lattice_of(saved(gradient.astype(np.uint8), 20)).proof
    assert (again.proved, again.exact) == (20, 1.0)
