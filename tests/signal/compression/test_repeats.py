"""Letters drawn twice are equal to the last bit until a lossy codec has passed."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cliqa.signal.compression.planes import luma_chroma
from cliqa.signal.compression.repeats import repeats


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
