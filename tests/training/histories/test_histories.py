from __future__ import annotations

import numpy as np
import pytest

from cliqa.training.histories.draw import GRAPH, draw_history, kept_out
from cliqa.training.histories.state import Save, State
from cliqa.training.histories.steps import STEPS
from tests.jpeg_pictures import textured

pytest.importorskip("cv2")


def test_the_lowest_quality_and_the_resize_after_it_are_carried_along():
    state = State(textured(1, 200))
    state = state.saved("save jpeg", lambda pixels: pixels, Save("jpeg", 60))
    state = state.resized("resize", lambda pixels: pixels[::2, ::2], (0.5, 0.5))
    assert (state.jpeg_quality, state.resized_since, state.jpeg_last) == (60, 0.5, None)
    state = state.saved("save jpeg", lambda pixels: pixels, Save("jpeg", 90))
    assert (state.jpeg_quality, state.resized_since, state.jpeg_last) == (60, 0.5, 90)
    state = state.saved("save jpeg", lambda pixels: pixels, Save("jpeg", 40))
    assert (state.jpeg_quality, state.resized_since) == (40, 1.0)


def test_enlarging_after_reducing_counts_from_what_was_left():
    state = State(textured(2, 200))
    state = state.resized("resize", lambda pixels: pixels[::2, ::2], (0.5, 0.5))
    assert state.scale_factor == 1
    state = state.resized("resize", lambda pixels: pixels.repeat(2, 0).repeat(2, 1), (2.0, 2.0))
    assert state.scale_factor == 2
    state = state.resized("resize", lambda pixels: pixels[::2], (1.0, 0.5))
    assert state.scale_factor == 1  # one axis is as sharp as it can be


def test_noise_is_measured_through_what_comes_after_it():
    rng = np.random.default_rng(3)
    state = State(textured(3, 256))
    assert state.noise_psnr() == (50, 50)
    grain = rng.normal(0, 8, (256, 256, 1))
    state = state.noisy("noise", lambda pixels: np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8))
    grey, chroma = state.noise_psnr()
    assert grey == pytest.approx(20 * np.log10(255 / 8), abs=0.4) and chroma > 45
    halved = state.through("halve", lambda pixels: pixels.reshape(128, 2, 128, 2, 3).mean((1, 3)).astype(np.uint8))
    assert halved.noise_psnr()[0] == pytest.approx(grey + 6, abs=0.6)
    saved = state.saved("save webp", lambda pixels: np.zeros_like(pixels), Save("webp", 50))
    assert saved.noise_psnr() == state.noise_psnr()


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"heic", "jxl"}))
def test_every_step_gives_a_picture_and_its_name(name: str):
    state = draw_history(np.random.default_rng(4), textured(4, 260), must=["noise", name])
    assert state.pixels.dtype == np.uint8 and state.pixels.shape[2] == 3 and min(state.pixels.shape[:2]) >= 100
    assert len(state.steps) == 2 and name in state.steps[1]
    assert state.clean is not None and state.clean.shape == state.pixels.shape
    assert 0 < state.share <= 1 and (state.share < 1) == (name in ("page", "frame", "collage"))


def test_walks_are_repeatable_and_keep_out_what_is_for_testing():
    for seed in range(12):
        first, again = (draw_history(np.random.default_rng(seed), textured(5, 200)) for _ in range(2))
        assert first.steps == again.steps and np.array_equal(first.pixels, again.pixels)
        assert not any(word in step for step in first.steps for word in kept_out())
    for choices in GRAPH.values():
        assert set(choices) - {"end"} <= set(STEPS)
