"""Pictures that were never compressed, to begin histories with: photographs, drawings and synthetic ones; and cameras' JPEGs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from cliqa.images.loading import load_image, read_header
from cliqa.training.histories.picture import Picture, Pixels, Save
from cliqa.training.photos import Photo, Split, photos_of_kind

DRAWN_SHARE, SYNTHETIC_SHARE = 0.2, 0.1  # of the sources that are no photographs


@lru_cache(maxsize=4)
def _photos(folder: str, split: Split, kind: str) -> list[Photo]:
    return photos_of_kind(folder, split, kind)


@lru_cache(maxsize=400)
def _pixels(path: Path) -> Pixels:
    return load_image(path).pixels


def _photo(rng: np.random.Generator, folder: Path, split: Split, kind: str) -> tuple[Pixels, Photo]:
    photos = _photos(str(folder), split, kind)
    photo = photos[int(rng.integers(len(photos)))]
    return _pixels(photo.path), photo


def synthetic(rng: np.random.Generator, width: int, height: int) -> Pixels:
    """Something like a screenshot, a chart or a plain gradient: flat panels, text, lines, smooth ramps."""
    kind = rng.integers(3)
    back = tuple(int(value) for value in rng.integers(0, 256, 3)) if rng.random() < 0.5 else (255, 255, 255)
    if kind == 0:  # a gradient in a random direction, perhaps dithered
        v, u = np.mgrid[0:height, 0:width]
        angle = rng.uniform(0, 2 * np.pi)
        ramp = (np.cos(angle) * u + np.sin(angle) * v) / max(width, height)
        ends = rng.integers(0, 256, (2, 3))
        values = ends[0] + (ramp[..., None] * 0.5 + 0.5) * (ends[1] - ends[0])
        if rng.random() < 0.5:
            values = values + rng.uniform(-0.5, 0.5, (height, width, 1))
        canvas = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    else:
        canvas = Image.new("RGB", (width, height), back)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(3, 40))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(4, width // 2)), int(rng.integers(2, height // 3))
        colour = tuple(
            int(value)
            for value in (rng.integers(0, 256, 3) if rng.random() < 0.6 else rng.choice([0, 255], 1).repeat(3))
        )
        shape = rng.integers(5)
        if shape == 0:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        elif shape == 1:
            draw.ellipse((x, y, x + w, y + h), outline=colour, width=int(rng.integers(1, 4)))
        elif shape == 2:
            draw.line((x, y, x + w, y + h), fill=colour, width=int(rng.integers(1, 4)))
        else:  # text
            size = int(rng.integers(9, 30))
            letters = "".join(chr(int(code)) for code in rng.integers(33, 123, int(rng.integers(5, 60))))
            for line in range(int(rng.integers(1, 8))):
                draw.text((x // 2, y + line * size), letters[line:], fill=colour, font_size=size)
    return np.asarray(canvas)


def source(rng: np.random.Generator, folder: Path, split: Split, side: int) -> Pixels:
    """A never-compressed picture, about `side` pixels: a crop of a photograph (flipped, perhaps scaled down), or no photograph."""
    chance = rng.random()
    if chance < SYNTHETIC_SHARE:
        return synthetic(rng, side, side)
    kind = "drawn" if chance < SYNTHETIC_SHARE + DRAWN_SHARE else "lossless"
    pixels, _ = _photo(rng, folder, split, kind)
    if rng.random() < 0.3:
        factor = rng.uniform(0.5, 0.95)
        size = (max(160, round(pixels.shape[1] * factor)), max(160, round(pixels.shape[0] * factor)))
        resample = Image.Resampling(
            int(rng.choice([Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX]))
        )
        pixels = np.asarray(Image.fromarray(pixels).resize(size, resample))
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if rng.random() < 0.3:
        pixels = pixels[::-1]
    if rng.random() < 0.1:
        pixels = pixels.transpose(1, 0, 2)
    height, width = pixels.shape[:2]
    h, w = min(side, height), min(side, width)
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    return np.ascontiguousarray(pixels[y : y + h, x : x + w])


def camera_picture(rng: np.random.Generator, folder: Path, split: Split) -> Picture:
    """A camera's JPEG, with its header's save as the first of its history."""
    pixels, photo = _photo(rng, folder, split, "camera")
    quality = photo.header_quality or 95
    save = Save("jpeg", quality, "camera", read_header(photo.path).sampling, quality)
    return Picture(pixels, saves=(save,), fresh=True, grid=(0, 0))
