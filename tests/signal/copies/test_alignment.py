"""Small pictures are aligned by scale and shift, and strangers don't correlate."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cliqa.signal.copies.alignment import SIDE, align
from tests.signal.copies.scenes import scene


def small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))[None]


WHOLE = np.array([[0, 0, 1, 1]], np.float32)


def test_the_same_picture_lies_in_its_place() -> None:
    found = align(small(scene(1)), small(scene(1).resize((90, 140))), WHOLE)
    assert found.correlation[0] > 0.97
    assert np.abs(found.box - WHOLE).max() < 0.01


def test_a_crop_is_found_where_it_was_cut() -> None:
    crop = scene(2).crop((15, 5, 246, 240))
    found = align(small(scene(2)), small(crop), np.array([[0.04, 0.04, 0.96, 0.96]], np.float32))
    assert found.correlation[0] > 0.9
    assert np.abs(found.box[0] - np.array([15, 5, 246, 240]) / 256).max() < 0.02


def test_strangers_do_not_correlate() -> None:
    first = np.concatenate([small(scene(seed)) for seed in range(20)])
    second = np.concatenate([small(scene(seed + 100)) for seed in range(20)])
    assert align(first, second, np.repeat(WHOLE, 20, 0)).correlation.max() < 0.6


def test_bare_walls_in_alike_light_do_not_correlate() -> None:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    rng = np.random.default_rng(4)
    walls = [
        np.clip(120 + 80 * y - 40 * (x - 0.5) ** 2 + rng.normal(0, 0.5, x.shape), 0, 255).astype(np.uint8)
        for _ in range(8)
    ]
    first, second = np.stack(walls[:4]), np.stack(walls[4:])
    assert align(first, second, np.repeat(WHOLE, 4, 0)).correlation.max() < 0.5


def test_no_pairs_give_nothing() -> None:
    nothing = np.zeros((0, SIDE, SIDE), np.uint8)
    assert align(nothing, nothing, WHOLE[:0]).box.shape == (0, 4)
