from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.jpeg.corner import likely_reductions
from tests.jpeg_pictures import saved, textured


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) - 128


@pytest.mark.parametrize("side", [412, 440, 480])
def test_the_step_of_a_reduction_is_found_beneath_a_later_save(side: int):
    reduced = np.asarray(Image.fromarray(saved(textured(side, 512), 30)).resize((side, side), Image.Resampling.LANCZOS))
    steps = likely_reductions(luma(saved(reduced, 95)), 3, 7.0)
    assert any(step == pytest.approx(512 / side, rel=0.0022) for step in steps)


def test_of_what_was_not_saved_nothing_is_likely():
    reduced = np.asarray(Image.fromarray(textured(5, 512)).resize((400, 400)))
    assert likely_reductions(luma(reduced), 3, 15.0) == []


def test_steps_beside_a_clearer_one_are_left_out():
    reduced = np.asarray(Image.fromarray(saved(textured(7, 512), 40)).resize((384, 384)))
    first, *others = likely_reductions(luma(reduced), 5, 0.0)
    assert first == pytest.approx(4 / 3, rel=0.0022)
    assert all(abs(np.log(other / first)) > 0.003 for other in others)


@pytest.mark.parametrize("shape", [(150, 400), (400, 159), (10, 10)])
def test_tiny_pictures_have_no_corner_to_look_at(shape: tuple[int, int]):
    assert likely_reductions(np.zeros(shape, np.float32), 3, 0.0) == []


def test_a_flat_corner_tells_nothing():
    assert likely_reductions(np.zeros((300, 300), np.float32), 3, 7.0) == []
