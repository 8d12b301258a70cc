"""What the histories of `accuracy.py --wild` do to pixels: saves, resizes, filters, pages, other codecs; and pictures that are none.

The code here is not the training generator's: other fonts, other curves, other orders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from conditions import Truth
from conditions_jpeg_quality import Pixels, save
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cliqa.training import codecs
from cliqa.training.photos import Photo

Rng = np.random.Generator
Made = tuple[Pixels | bytes, Truth]
Make = Callable[[Rng, Pixels, Sequence[Photo]], Made]
Edit = Callable[[Rng, Pixels], Pixels]


@dataclass(frozen=True)
class Wild:
    """One row: its name, how it is made, from which kinds of photographs, and the bar of each metric that has one."""

    name: str
    make: Make
    bars: dict[str, str]
    kinds: tuple[str, ...] = ("lossless",)


def first_save(rng: Rng, pixels: Pixels) -> tuple[Pixels, int]:
    quality = int(rng.integers(25, 86))
    return save(pixels, quality, str(rng.choice(["4:4:4", "4:2:0"]))), quality


def scaled(rng: Rng, pixels: Pixels, factor: float) -> Pixels:
    """By a kernel of Pillow or OpenCV."""
    import cv2

    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    if rng.random() < 0.6:
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling(int(rng.choice([1, 2, 3])))))
    ways = [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA if factor < 1 else cv2.INTER_LANCZOS4]
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=int(rng.choice(ways))), np.uint8)


def fitted(pixels: Pixels, factor: float, most: int = 1000) -> Pixels:
    """A part that is no larger than `most` after an enlargement."""
    limit = int(most / max(factor, 1))
    return np.ascontiguousarray(pixels[:limit, :limit])


def plain(rng: Rng, pixels: Pixels) -> Pixels:
    del rng
    return pixels


def toned(rng: Rng, pixels: Pixels) -> Pixels:
    """A curve through three points, as an editor draws it."""
    middle, low = rng.uniform(95, 160), rng.uniform(0, 15)
    table = np.interp(np.arange(256), [0, 128, 255], [low, middle, 255 - rng.uniform(0, 10)])
    return np.clip(np.rint(table), 0, 255).astype(np.uint8)[pixels]


def sharpened(rng: Rng, pixels: Pixels) -> Pixels:
    mask = ImageFilter.UnsharpMask(float(rng.uniform(0.8, 2)), int(rng.integers(50, 140)), 2)
    return np.asarray(Image.fromarray(pixels).filter(mask))


def blurred(rng: Rng, pixels: Pixels) -> Pixels:
    del rng
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.6)))


def turned(rng: Rng, pixels: Pixels) -> Pixels:
    return np.rot90(pixels, int(rng.choice([1, 3])))


def few_colours(rng: Rng, pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).quantize(int(rng.choice([64, 128, 256]))).convert("RGB"))


def webp_90(rng: Rng, pixels: Pixels) -> Pixels:
    del rng
    return codecs.decode(codecs.encode_webp(pixels, 90))


def in_page(rng: Rng, pixels: Pixels) -> Pixels:
    """In a page set in DejaVu, with a heading and a table's lines."""
    height, width = min(pixels.shape[0], 480), min(pixels.shape[1], 620)
    page = Image.new("RGB", (width + 380, height + 620), "white")
    draw, size = ImageDraw.Draw(page), int(rng.integers(12, 19))
    draw.text((30, 20), "Annual report of the harbour office", fill="black", font=ImageFont.load_default(30))
    words = [
        "ships",
        "berths",
        "tonnage",
        "quay",
        "pilot",
        "season",
        "harbour",
        "wharf",
        "cargo",
        "freight",
        "customs",
        "anchor",
    ]
    for top in range(80, page.height - 40, round(size * 1.5)):
        line = " ".join(rng.choice(words, 16))
        draw.text((30, top), line, fill=(25, 25, 25), font=ImageFont.load_default(size))
    place = int(rng.integers(20, 340)), int(rng.integers(90, 560))
    page.paste(Image.fromarray(pixels[:height, :width]), place)
    return np.asarray(page)


def lossy(codec: str, low: float, high: float) -> Edit:
    """By a codec that is no JPEG."""

    def encode(rng: Rng, pixels: Pixels) -> Pixels:
        quality = float(rng.uniform(low, high))
        if codec == "avif":
            return codecs.decode(codecs.encode_avif(pixels, int(quality), speed=int(rng.choice([4, 6, 9]))))
        if codec == "jxl":
            return codecs.decode(codecs.encode_jxl(pixels, quality))
        encoder = codecs.encode_webp if codec == "webp" else codecs.encode_heic
        return codecs.decode(encoder(pixels, int(quality)))

    return encode


def replicated(rng: Rng, pixels: Pixels) -> Pixels:
    factor = int(rng.integers(2, 17))
    return pixels[: 640 // factor, : 640 // factor].repeat(factor, axis=0).repeat(factor, axis=1)


def pixel_art(rng: Rng, pixels: Pixels) -> Pixels:
    few = Image.fromarray(pixels).resize((80, 64), Image.Resampling.BOX).quantize(20, dither=Image.Dither.NONE)
    factor = int(rng.integers(3, 13))
    return np.asarray(few.convert("RGB")).repeat(factor, axis=0).repeat(factor, axis=1)


def gradient(rng: Rng, pixels: Pixels) -> Pixels:
    del pixels
    v, u = np.mgrid[0:600, 0:800]
    ramp = (u * rng.normal() + v * rng.normal()) / 1000 if rng.random() < 0.6 else np.hypot(u - 400, v - 200) / 700
    ends = rng.integers(0, 256, (2, 3))
    values = ends[0] + (ramp[..., None] - ramp.min()) * (ends[1] - ends[0])
    values = values + rng.normal(0, rng.uniform(0, 1.5), (600, 800, 1))
    made: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return made


def halftone(rng: Rng, pixels: Pixels) -> Pixels:
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)
    v, u = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    period, angle = rng.uniform(3, 8), rng.uniform(0, np.pi / 2)
    along, across = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
    dots = np.cos(2 * np.pi * along / period) * np.cos(2 * np.pi * across / period)
    ink = Image.fromarray(np.where(grey / 255 + dots / 2 > 0.5, 255, 0).astype(np.uint8))
    return np.asarray(ink.filter(ImageFilter.GaussianBlur(0.7)).convert("RGB"))
