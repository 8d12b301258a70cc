"""Noise tells two shots of a scene from an edit that was saved at the same strength."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.copies.grain import noise_apart
from tests.signal.copies.scenes import fine_scene


def saved(levels: np.ndarray, quality: int = 90) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def shot(seed: int, strength: float = 3.0) -> np.ndarray:
    """A scene of which half is plain, with the noise of a camera."""
    scene = np.asarray(fine_scene(6).convert("L").resize((400, 400), Image.Resampling.BICUBIC), np.float32)
    scene[:200] = 120 + np.linspace(0, 30, 400)
    return saved(scene + np.random.default_rng(seed).normal(0, strength, scene.shape))


FIRST = shot(1)


def test_two_shots_have_noise_of_their_own() -> None:
    assert noise_apart(FIRST, shot(2), alike=True)
    lighter = saved(shot(2).astype(np.float32) ** 0.9 * 1.5)
    assert noise_apart(FIRST, lighter, alike=True) and noise_apart(lighter, FIRST, alike=True)


@pytest.mark.parametrize(
    "edit",
    [
        lambda levels: levels,
        lambda levels: levels * 1.2 - 10,
        lambda levels: 255 * (levels / 255) ** 0.7,
        lambda levels: levels + 40 * (np.add.outer(np.arange(400), np.arange(400)) % 90 < 20),
    ],
)
def test_an_edit_has_the_noise_of_its_original(edit) -> None:  # type: ignore[no-untyped-def]
    assert not noise_apart(FIRST, saved(edit(FIRST.astype(np.float32))), alike=True)


def test_grain_that_an_edit_adds_is_the_copy_s_alone() -> None:
    grain = np.random.default_rng(5).normal(0, 3, FIRST.shape)
    assert not noise_apart(FIRST, saved(FIRST + grain), alike=True)


def test_nothing_is_said_where_there_is_no_noise() -> None:
    assert not noise_apart(shot(1, 0.0), shot(2, 0.0), alike=True)
    white = np.full((400, 400), 255, np.uint8)
    assert not noise_apart(white, white, alike=True)


@pytest.mark.parametrize("quality", [60, 75, 97])
def test_much_noise_tells_shots_whatever_they_were_saved_as(quality: int) -> None:
    other = saved(shot(2).astype(np.float32) * 1.1 - 5, quality)
    assert noise_apart(FIRST, other) and noise_apart(other, FIRST)
    copy = saved(FIRST.astype(np.float32) * 1.1 - 5, quality)
    assert not noise_apart(FIRST, copy)
    assert not noise_apart(FIRST, saved(saved(FIRST.astype(np.float32), 40).astype(np.float32), quality))


def test_little_noise_tells_nothing_of_unlike_saves() -> None:
    assert not noise_apart(shot(1, 0.4), saved(shot(2, 0.4).astype(np.float32), 60))
