"""Steps that lay something over a picture or around it: a mark, a frame, the page that it lies in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from cliqa.training.histories.graph import on_pixels
from cliqa.training.histories.picture import Picture, Pixels, Rng


@on_pixels
def watermarked(rng: Rng, pixels: Pixels) -> Pixels:
    """A line of half transparent text."""
    height, width = pixels.shape[:2]
    place = int(rng.integers(0, max(1, width - 120))), int(rng.integers(0, max(1, height - 40)))
    size, strength = int(rng.integers(14, 40)), int(rng.integers(60, 200))
    layer = Image.new("L", (width, height))
    ImageDraw.Draw(layer).text(place, "© photo stock", fill=strength, font_size=size)
    return np.asarray(Image.composite(Image.new("RGB", (width, height), "white"), Image.fromarray(pixels), layer))


def framed(rng: Rng, picture: Picture) -> Picture:
    """A border of one colour, 8-120 pixels a side."""

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        (height, width), (top, below, left, right) = pixels.shape[:2], (int(side) for side in rng.integers(8, 121, 4))
        canvas = np.empty((height + top + below, width + left + right, 3), np.uint8)
        canvas[:] = rng.choice([0, 255]) if rng.random() < 0.6 else rng.integers(0, 256, 3)
        canvas[top : top + height, left : left + width] = pixels
        return canvas

    done = replace(picture.changed(rng, change), grid=None)
    return replace(done, share=picture.share * picture.pixels.size / done.pixels.size)


def with_page(rng: Rng, picture: Picture) -> Picture:
    """With paper and text, or with paper alone, over one side of it: what tiles at the edge of a picture in a page hold."""
    height, width = picture.pixels.shape[:2]
    colour = tuple(
        int(value) for value in (rng.integers(235, 256, 3) if rng.random() < 0.7 else rng.integers(0, 256, 3))
    )
    if rng.random() < 0.5:
        box = (0, 0, int(width * rng.uniform(0.1, 0.5)), height)
    else:
        box = (0, 0, width, int(height * rng.uniform(0.1, 0.5)))
    covered = box[2] * box[3] / (width * height)
    if rng.random() < 0.5:
        box = (width - box[2], height - box[3], width, height)

    def change(rng: Rng, pixels: Pixels) -> Pixels:
        canvas = Image.fromarray(pixels)
        ImageDraw.Draw(canvas).rectangle(box, fill=colour)
        if rng.random() < 0.7:
            ink = (30, 30, 30) if sum(colour) > 380 else (230, 230, 230)
            pitch = int(rng.integers(12, 34))
            layer = Image.new("RGB", (max(1, box[2] - box[0]), max(1, box[3] - box[1])), colour)
            pen = ImageDraw.Draw(layer)
            for top in range(4, layer.height, pitch):
                letters = "".join(chr(int(code)) for code in rng.choice([32, *range(97, 123)], layer.width // 6 + 1))
                pen.text((3, top), letters, fill=ink, font_size=pitch * 0.7)
            canvas.paste(layer, box[:2])
        return np.asarray(canvas)

    return replace(picture.changed(rng, change), share=picture.share * (1 - covered))
