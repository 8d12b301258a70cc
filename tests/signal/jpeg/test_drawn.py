from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from cliqa.images.patches import Tiles
from cliqa.signal.jpeg.drawn import is_drawn, telling_tiles
from tests.jpeg_pictures import saved, textured, tiles


def page(width: int = 640, height: int = 512) -> np.ndarray:
    image = Image.new("RGB", (width, height), (250, 250, 245))
    draw = ImageDraw.Draw(image)
    for top in range(8, height, 20):
        draw.text(
            (8, top),
            "Section 4.2 of the report states that shipments rose by 12.5 % " * 3,
            fill=(20, 20, 30),
            font_size=15,
        )
    return np.asarray(image)


def test_text_is_drawn_until_it_is_saved():
    assert all(is_drawn(tile) for tile in tiles(page()))
    assert not any(is_drawn(tile) for tile in tiles(saved(page(), 60)))
    assert not any(is_drawn(tile) for tile in tiles(textured(1)))


def test_a_photograph_in_a_page_is_read_and_the_text_is_not():
    whole = page()
    whole = whole.copy()
    whole[128:384, 256:512] = textured(2)
    picture = Image.fromarray(whole)
    found = [origin for origin, _ in telling_tiles(picture, Tiles(picture).origins, 128, 4)]
    assert sorted(found) == [(256, 128), (256, 256), (384, 128), (384, 256)]


def test_no_more_tiles_are_looked_at_than_are_taken():
    picture = Image.fromarray(textured(3, 512))
    origins = Tiles(picture).origins
    found = telling_tiles(picture, origins, 128, 4)
    assert [next(found)[0], next(found)[0]] == origins[:2]
    assert [origin for origin, _ in found] == origins[2:4]
