from __future__ import annotations

import io

import numpy as np
from PIL import Image

from cliqa.signal.compression.planes import luma_chroma, tones, webp_colours
from tests.jpeg_pictures import saved, textured, tiles


def test_colours_of_webp_are_told_from_those_of_jpeg_and_of_none() -> None:
    buffer = io.BytesIO()
    Image.fromarray(textured(3)).save(buffer, "WEBP", quality=80)
    webp = np.asarray(Image.open(buffer).convert("RGB"))
    shares = [webp_colours(tiles(pixels))[0] for pixels in (webp, saved(textured(3), 80), textured(3))]
    assert shares[0] > 0.5 > max(shares[1:]) + 0.2


def test_grey_has_no_colours() -> None:
    grey = np.full((2, 3, 128, 128), 90, np.uint8)
    assert webp_colours(grey) == (0.0, 0.0)
    plane, colours = luma_chroma(grey)
    assert (plane == 90 - 128).all() and (colours == 0).all()
    found = tones(plane, colours)
    assert found[:8].sum() == 1 and (found[8:] == 0).all()
