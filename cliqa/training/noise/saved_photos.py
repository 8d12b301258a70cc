"""Noisy pictures as the web has them: saved by WebP, AVIF, JPEG of any quality or JPEG XL, some of them parts of a page.

HEIC is never used here, nor are AVIF's slow speeds, rav1e and svt, jpegli and mozjpeg's program: results are reported on them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from cliqa.training import codecs
from cliqa.training.jpeg.saves import decode_jpeg, draw_sampling, random_save
from cliqa.training.jpeg.saves import save_jpeg as encode_jpeg
from cliqa.training.noise.fields import Generator
from cliqa.training.noise.noisy_photos import Mix, Pixels, draw_quality, save_jpeg

MIX = Mix(
    clean=0.26,
    reduced=0.4,
    families={"gaussian": 0.2, "poisson_gaussian": 0.1, "camera": 0.13, "denoised": 0.08, "shots": 0.1, "chroma": 0.12,
              "grain": 0.12, "density_grain": 0.06, "structured": 0.04, "impulses": 0.03, "mixture": 0.02},
)  # fmt: skip
"""Plain kinds of noise more often than in the first examples: codecs make them hard enough."""
COLOURS = Mix(clean=0.1, families={"colours": 1.0})
"""More noise of the colours alone than pictures have it, since it is what grey noise is told from."""
PAGE_SHARE = 0.06
EARLIER_SHARE = 0.15  # of the saves by newer codecs that were a JPEG before
KINDS = ("plain", "jpeg 80-99", "jpeg 30-79", "webp", "avif", "jxl")
SAVES = ("plain", "jpeg 80-99", "webp or avif", "any")
"""What each picture is seen as."""


@dataclass(frozen=True)
class Saved:
    """The decoded `pixels`, the `kind` of the last save (of `KINDS`) and its quality, 100 where there was none."""

    pixels: Pixels
    kind: str
    quality: int


def draw_save(rng: Generator, pixels: Pixels, save: str) -> Saved:
    """A picture through one of `SAVES`."""
    if save == "plain":
        return Saved(pixels, "plain", 100)
    if save == "jpeg 80-99":
        quality = int(rng.integers(80, 100))
        return Saved(save_jpeg(rng, pixels, quality), save, quality)
    kinds, chances = (
        (("webp", "avif"), (0.55, 0.45)) if save == "webp or avif" else (KINDS[2:], (0.52, 0.23, 0.2, 0.05))
    )
    kind = str(rng.choice(kinds, p=chances))
    if kind == "jpeg 30-79":
        quality = int(rng.integers(30, 80))
        if rng.random() < 0.15:  # a camera's or editor's file before
            pixels = save_jpeg(rng, pixels, int(rng.integers(85, 99)))
        return Saved(_low_jpeg(rng, pixels, quality), kind, quality)
    if rng.random() < EARLIER_SHARE:
        pixels = save_jpeg(rng, pixels, draw_quality(rng))
    quality = int(rng.integers(38, 97))
    if kind == "webp":
        method = int(rng.choice(7, p=[0.1, 0.1, 0.1, 0.1, 0.35, 0.1, 0.15]))
        data = codecs.encode_webp(pixels, quality, method=method, sharp_yuv=bool(rng.random() < 0.2))
    elif kind == "avif":
        speed = int(rng.choice([6, 7, 8, 9, 10], p=[0.25, 0.1, 0.3, 0.2, 0.15]))
        layout = str(rng.choice(["4:2:0", "4:4:4"], p=[0.75, 0.25]))
        data = codecs.encode_avif(pixels, quality, speed=speed, subsampling=layout, max_threads=1)
    else:
        data = codecs.encode_jxl(pixels, 0.4 + 0.055 * (100 - quality), effort=int(rng.choice([3, 4, 5])))
    return Saved(codecs.decode(data), kind, quality)


def _low_jpeg(rng: Generator, pixels: Pixels, quality: int) -> Pixels:
    """By libjpeg-turbo with IJG's tables, or by any encoder with any tables."""
    if rng.random() < 0.75:
        return decode_jpeg(encode_jpeg(pixels, rng, quality, draw_sampling(rng)))
    return random_save(rng, pixels, quality, min(quality + 1, 95), sampling=draw_sampling(rng))[0]


def with_page(rng: Generator, pixels: Pixels) -> Pixels:
    """With paper and text, or with paper alone, over one side of it: what tiles at the edge of a picture in a page hold."""
    canvas = Pillow.fromarray(pixels)
    height, width = pixels.shape[:2]
    colour = tuple(
        int(value) for value in (rng.integers(235, 256, 3) if rng.random() < 0.7 else rng.integers(0, 256, 3))
    )
    if rng.random() < 0.5:
        box = (0, 0, int(width * rng.uniform(0.1, 0.5)), height)
    else:
        box = (0, 0, width, int(height * rng.uniform(0.1, 0.5)))
    if rng.random() < 0.5:
        box = (width - box[2], height - box[3], width, height)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle(box, fill=colour)
    if rng.random() < 0.7:
        ink = (30, 30, 30) if sum(colour) > 380 else (230, 230, 230)
        pitch = int(rng.integers(12, 34))
        layer = Pillow.new("RGB", (max(1, box[2] - box[0]), max(1, box[3] - box[1])), colour)
        pen = ImageDraw.Draw(layer)
        for top in range(4, layer.height, pitch):
            letters = "".join(chr(int(code)) for code in rng.choice([32, *range(97, 123)], layer.width // 6 + 1))
            pen.text((3, top), letters, fill=ink, font_size=pitch * 0.7)
        canvas.paste(layer, box[:2])
    return np.asarray(canvas)
