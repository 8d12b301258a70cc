"""Images with a known JPEG history, for training: what was saved, how often, on which grid; and what never was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from cliqa.training.jpeg.saves import Pixels, draw_sampling, random_save
from cliqa.training.photos import Photo, Split, photos_of_kind

SCENARIOS = {
    "none": 0.24,
    "single": 0.24,
    "single cropped": 0.12,
    "double": 0.13,
    "double shifted": 0.17,
    "camera": 0.05,
    "camera saved": 0.05,
}
DRAWN_SHARE, SYNTHETIC_SHARE = 0.2, 0.1  # of the sources that are no photographs


@dataclass(frozen=True)
class HistoryTruth:
    """`quality`: lowest in the history, 100 for none. `is_420`: 1, 0, or -1 where the history does not say."""

    scenario: str
    quality: float
    is_420: int
    last: int  # quality of the last save, 0 for none
    first: int  # quality of the first save, 0 for none
    grid_x: int  # of the last save
    grid_y: int


@lru_cache(maxsize=4)
def _photos(folder: str, split: Split, kind: str) -> list[Photo]:
    return photos_of_kind(folder, split, kind)


@lru_cache(maxsize=400)
def _pixels(path: Path) -> Pixels:
    from cliqa.images.loading import load_image

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


def edit(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """An edit that is no compression: enlarged, blurred, noisy, sharpened, turned, brightened, saturated, grey."""
    image = Image.fromarray(pixels)
    kind = rng.integers(9)
    if kind == 0:
        factor = rng.uniform(1.1, 3.0)
        resample = Image.Resampling(int(rng.choice([0, 1, 2, 3])))
        grown = image.resize((round(image.width * factor), round(image.height * factor)), resample)
        enlarged: Pixels = np.asarray(grown)[: pixels.shape[0], : pixels.shape[1]].copy()
        return enlarged
    if kind == 1:
        return np.asarray(image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 3)))))
    if kind == 2:
        noise = rng.normal(0, rng.uniform(0.5, 15), pixels.shape if rng.random() < 0.5 else (*pixels.shape[:2], 1))
        noisy: Pixels = np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
        return noisy
    if kind == 3:
        return np.asarray(image.filter(ImageFilter.UnsharpMask(2, int(rng.integers(50, 250)), 2)))
    if kind == 4:
        turned = image.rotate(float(rng.uniform(-20, 20)), Image.Resampling.BICUBIC)
        return np.asarray(turned)
    if kind == 5:
        return np.asarray(ImageEnhance.Contrast(image).enhance(float(rng.uniform(0.6, 1.8))))
    if kind == 6:
        return np.asarray(ImageEnhance.Color(image).enhance(float(rng.uniform(0.2, 2))))
    if kind == 7:
        return np.asarray(image.convert("L").convert("RGB"))
    table = np.clip(np.rint(255 * (np.arange(256) / 255) ** rng.uniform(0.5, 2)), 0, 255).astype(np.uint8)
    toned: Pixels = table[pixels]
    return toned


def draw_history(rng: np.random.Generator, folder: Path, split: Split) -> tuple[Pixels, HistoryTruth]:
    """One image of a random scenario and its truth."""
    scenario = str(rng.choice(list(SCENARIOS), p=list(SCENARIOS.values())))
    side = int(rng.choice([136, 200, 264, 392, 520], p=[0.08, 0.08, 0.14, 0.35, 0.35]))
    if scenario in ("camera", "camera saved"):
        return _camera(rng, folder, split, scenario)
    pixels = source(rng, folder, split, side)
    if rng.random() < (0.45 if scenario == "none" else 0.08):
        pixels = edit(rng, pixels)
    if scenario == "none":
        return pixels, HistoryTruth(scenario, 100, 0, 0, 0, 0, 0)
    sampling = draw_sampling(rng)
    ijg = bool(rng.random() < 0.5)
    if scenario in ("single", "single cropped"):
        pixels, truth = random_save(rng, pixels, 1, 100, sampling=sampling, ijg_only=ijg)
        x = y = 0
        if scenario == "single cropped":
            x, y = (int(value) for value in rng.integers(0, 8, 2))
            pixels = pixels[y:, x:]
        answer = HistoryTruth(
            scenario, truth.quality, int(sampling == "4:2:0"), truth.quality, truth.quality, -x % 8, -y % 8
        )
        return np.ascontiguousarray(pixels), answer
    low = int(rng.integers(20, 93))
    pixels, first = random_save(rng, pixels, low, low, sampling=sampling, ijg_only=ijg)
    if scenario == "double shifted":
        x, y = (int(value) for value in rng.integers(0, 8, 2))
        pixels = np.ascontiguousarray(pixels[y:, x:])
    high = (
        int(rng.integers(low + 5, 100))
        if rng.random() < 0.9 and low < 94
        else int(rng.integers(max(20, low - 15), 100))
    )
    again = sampling if rng.random() < 0.6 else draw_sampling(rng)
    pixels, last = random_save(rng, pixels, high, high, sampling=again, ijg_only=ijg or bool(rng.random() < 0.5))
    x = y = 0
    if rng.random() < 0.15:
        x, y = (int(value) for value in rng.integers(0, 8, 2))
        pixels = np.ascontiguousarray(pixels[y:, x:])
    is_420 = int("4:2:0" in (sampling, again))
    answer = HistoryTruth(
        scenario, min(first.quality, last.quality), is_420, last.quality, first.quality, -x % 8, -y % 8
    )
    return pixels, answer


def _camera(rng: np.random.Generator, folder: Path, split: Split, scenario: str) -> tuple[Pixels, HistoryTruth]:
    from cliqa.images.loading import read_header

    pixels, photo = _photo(rng, folder, split, "camera")
    sampling = read_header(photo.path).sampling
    quality = photo.header_quality or 95
    x = y = 0
    if rng.random() < 0.6:  # another part of it, mostly on the same grid
        step = 1 if rng.random() < 0.2 else 8
        x, y = (int(value) * step for value in rng.integers(0, 129 // step, 2))
    pixels = np.ascontiguousarray(pixels[y:, x:])
    is_420 = int(sampling == "4:2:0")
    if scenario == "camera":
        return pixels, HistoryTruth(scenario, quality, is_420, quality, quality, -x % 8, -y % 8)
    pixels, last = random_save(rng, pixels, 30, 100)
    is_420 = int(is_420 or last.sampling == "4:2:0")
    return pixels, HistoryTruth(scenario, min(quality, last.quality), is_420, last.quality, quality, 0, 0)
