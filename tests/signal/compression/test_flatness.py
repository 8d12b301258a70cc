"""Small differences are counted once each; letters drawn twice are equal to the last bit until a lossy codec has passed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cliqa.signal.compression.flatness import STEPS, deviation_histogram, repeats, step_histogram, step_histograms
from cliqa.signal.compression.planes import luma_chroma


def test_every_step_is_counted_once() -> None:
    found = step_histogram(np.array([[0, -1, 2, 3, 4, 9, -300, 23, 24]], np.int16))
    assert found.sum() == pytest.approx(1) and len(found) == len(STEPS) + 1
    assert found[[0, 1, 2, 3, 4]].tolist() == pytest.approx([1 / 9] * 5)
    assert found[-1] == pytest.approx(2 / 9)


def test_a_ramp_has_first_differences_alone() -> None:
    ramp = np.tile(np.arange(64, dtype=np.float32), (1, 64, 1))
    first, second, mixed = step_histograms(ramp)
    assert first[0] == pytest.approx(0.5) and first[1] == pytest.approx(0.5)  # along columns, along rows
    assert second[0] == pytest.approx(1) and mixed[0] == pytest.approx(1)


def test_flat_blocks_are_in_the_first_bin() -> None:
    blocks = np.concatenate([np.full((30, 64), 7.0), np.random.default_rng(0).normal(0, 3, (10, 64))]).astype(
        np.float32
    )
    found = deviation_histogram(blocks)
    assert found[0] == pytest.approx(0.75) and found.sum() == pytest.approx(1)


def _plane(image: Image.Image) -> NDArray[np.float32]:
    pixels = np.asarray(image.convert("RGB"))
    return luma_chroma(np.stack([pixels[:, :128], pixels[:, 128:]]).transpose(0, 3, 1, 2).copy())[0]


def test_a_screen_repeats_itself_and_its_jpeg_does_not() -> None:
    rng = np.random.default_rng(1)
    page = Image.new("RGB", (256, 128), "white")
    draw = ImageDraw.Draw(page)
    for row in range(9):
        words = " ".join(rng.choice(["the", "same", "words", "are", "here", "again", "in", "this", "text"], 9))
        draw.text((4, 13 * row), words, fill=(20, 20, 20), font_size=12)
    stream = io.BytesIO()
    page.save(stream, "JPEG", quality=90)
    lossless, lossy = repeats(_plane(page)), repeats(_plane(Image.open(stream)))
    assert lossless[0] < 0.5 and lossy[0] > 0.8 and lossless[2] == lossy[2] == 1
    assert lossless[1] < lossy[1]


def test_a_picture_without_edges_says_nothing() -> None:
    plane = np.zeros((2, 128, 128), np.float32)
    plane += np.arange(128, dtype=np.float32) // 8
    assert repeats(plane).tolist() == [1.0, 1.0, 0.0]
