"""Letters drawn twice are equal to the last bit until a lossy codec has passed."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from cliqa.signal.compression.planes import luma_chroma
from cliqa.signal.compression.repeats import repeats


def test_a_screen_repeats_itself_and_its_jpeg_does_not() -> None:
    page = Image.new("RGB", (256, 128), "white")
    draw = ImageDraw.Draw(page)
    for row in range(9):  # off any grid of blocks, on which equal blocks stay equal
        draw.text(
            (4, 16 * row), "the same words are here again and again in this text", fill=(20, 20, 20), font_size=12
        )
    stream = io.BytesIO()
    page.save(stream, "JPEG", quality=90)
    lossless, lossy = (
        repeats(luma_chroma(np.stack([pixels[:, :128], pixels[:, 128:]]).transpose(0, 3, 1, 2).copy())[0])
        for pixels in (np.asarray(page), np.asarray(Image.open(stream)))
    )
    assert lossless[0] < 0.4 < 0.7 < lossy[0] and lossless[1] <= lossless[0] + 0.1 and lossless[2] == lossy[2] == 1


def test_a_picture_without_edges_says_nothing() -> None:
    plane = np.zeros((2, 128, 128), np.float32)
    plane += np.arange(128, dtype=np.float32) // 8
    assert repeats(plane).tolist() == [1.0, 1.0, 0.0]
