"""Photographs with a known enlargement: resized ones, and soft or processed ones that were never enlarged.

The factor is that of the information: an enlargement multiplies it, a reduction divides it but never below 1, and
blur, rotation, demosaicing, noise and compression leave it as it is.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.training.photos import Photo, read_photos
from cliqa.training.scale.finishing import finished, saved_before
from cliqa.training.scale.resampling import Resampler, sample_resampler
from cliqa.training.scale.softened import halftone, smooth, soften

Pixels = NDArray[np.uint8]

KINDS = ("enlarged", "untouched", "camera", "reduced", "saved and reduced", "defocus", "motion", "rotation", "mosaic", "denoised",
         "smooth", "halftone")  # fmt: skip
KEPT_OUT = ("lanczos4", "gaussian")  # kernels that no example is made with
PERIODIC = 0.05  # share of photographs that get a regular grid
ENLARGED = 0.5  # share of examples that are enlarged
LARGEST = 512  # pixels a side after resizing: the metric reads no more, and all that follows costs by the pixel
LEAST = 34  # pixels a side before an enlargement by much
SHARES = {"untouched": 0.26, "reduced": 0.12, "saved and reduced": 0.33, "defocus": 0.06, "motion": 0.05, "rotation": 0.03,
          "mosaic": 0.05, "denoised": 0.03, "smooth": 0.04, "halftone": 0.03}  # fmt: skip
KIND_SHARES = {"lossless": 0.66, "camera": 0.26, "drawn": 0.08}


@lru_cache(maxsize=4)
def _photos(folder: str, split: str) -> dict[str, list[Photo]]:
    found: dict[str, list[Photo]] = {}
    for photo in read_photos(Path(folder), split):  # type: ignore[arg-type]
        found.setdefault(photo.kind, []).append(photo)
    return found


@lru_cache(maxsize=700)
def _pixels(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def random_photo(rng: np.random.Generator, folder: str, split: str) -> tuple[Pixels, str]:
    """Pixels of a random photograph, turned and mirrored at random (exactly), and its kind ("periodic" with a grid drawn over it)."""
    photos = _photos(folder, split)
    kinds = [kind for kind in KIND_SHARES if kind in photos]
    shares = np.array([KIND_SHARES[kind] for kind in kinds])
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
    pixels = _pixels(photos[kind][rng.integers(len(photos[kind]))].path)
    if rng.random() < 0.5:
        pixels = pixels.swapaxes(0, 1)
    if kind != "camera" or rng.random() < 0.3:  # most camera crops keep the grid of their own JPEG at the corner
        pixels = pixels[:: rng.choice((1, -1)), :: rng.choice((1, -1))]
    if rng.random() < PERIODIC:
        return periodic(rng, pixels), "periodic"
    return pixels, kind


def periodic(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Windows, tiles, fences: a grid of soft-edged lines over the picture, of any period and not bound to pixels."""
    shade = np.zeros(pixels.shape[:2], np.float32)
    contrast = float(rng.uniform(0.2, 0.9))
    axes = ((0,), (1,), (0, 1))[int(rng.choice(3, p=(0.25, 0.25, 0.5)))]
    for axis in axes:
        period, phase = float(np.exp(rng.uniform(np.log(3.0), np.log(48.0)))), float(rng.uniform(0, 1))
        width = float(rng.uniform(0.1, 0.5)) * period
        place = np.arange(pixels.shape[axis]) / period + phase
        distance = np.abs(place - np.rint(place)) * period
        line = np.clip(width / 2 + 0.5 - distance, 0, 1).astype(np.float32)
        shade = np.maximum(shade, line[:, None] if axis == 0 else line[None, :])
    tone = rng.integers(0, 256, 3).astype(np.float32)
    alpha = (contrast * shade)[..., None]
    return np.asarray(np.rint(pixels * (1 - alpha) + tone * alpha), dtype=np.uint8)


def crop(rng: np.random.Generator, pixels: Pixels, height: int, width: int, grid: int = 1) -> Pixels:
    """A random part of at most that size, at offsets that are multiples of `grid`."""
    height, width = min(height, pixels.shape[0]), min(width, pixels.shape[1])
    top = int(rng.integers(0, (pixels.shape[0] - height) // grid + 1)) * grid
    left = int(rng.integers(0, (pixels.shape[1] - width) // grid + 1)) * grid
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


_LOGS = (np.log(2.0), np.log(16.0))


def random_factors(rng: np.random.Generator) -> tuple[float, float]:
    """(y, x) enlargements: even over 1-2, with more near 1 where decisions fall and some from 2 to 16; a fifth differ by axis."""

    def one() -> float:
        pick = rng.random()
        if pick < 0.09:
            return float(rng.uniform(1.005, 1.12))
        if pick < 0.15:  # whole factors leave no periodic line where pixels are centred: the hardest, and common
            return 2.0
        if pick < 0.25:
            return float(
                rng.choice((2, 3, 4, 5, 6, 8, 10, 12, 16)) if rng.random() < 0.6 else np.exp(rng.uniform(*_LOGS))
            )
        if pick < 0.36:  # round numbers and ratios are what people use
            return float(rng.choice((1.1, 1.125, 1.2, 1.25, 4 / 3, 1.4, 1.5, 1.6, 5 / 3, 1.75, 1.8, 1.9, 2.0)))
        return float(rng.uniform(1.0, 2.0))

    y = one()
    if rng.random() < 0.2 and y <= 2.0:
        return y, (one() if rng.random() < 0.8 else 1.0)
    return y, y


def enlarged(rng: np.random.Generator, pixels: Pixels) -> tuple[Pixels, float, float]:
    """Resize up, some after another resize, some of a softer source. Returns pixels and the (y, x) information factors."""
    y, x = random_factors(rng)
    room = rng.uniform(0.55, 1.0) if rng.random() < 0.3 else 1.0
    if max(x, y) > 2 and rng.random() < 0.6:  # else what is enlarged by much would have nothing in it
        pixels = reduced(rng, pixels, random_reduction(rng, max(0.15, 64 / min(pixels.shape[:2]))))
    pixels = crop(rng, pixels, max(LEAST, int(LARGEST * room / y)), max(LEAST, int(LARGEST * room / x)))
    before_y = before_x = 1.0
    if rng.random() < 0.12 and max(x, y) <= 2:
        pixels, before_y, before_x = _resized_before(rng, pixels)
    elif rng.random() < 0.08:
        pixels = soften(rng, pixels, str(rng.choice(("defocus", "mosaic", "denoised"))))
    elif rng.random() < 0.2:
        pixels = saved_before(rng, pixels)
    size = (max(48, round(pixels.shape[0] * y)), max(48, round(pixels.shape[1] * x)))
    pixels, (by_y, by_x) = _resampler(rng).resize(pixels, size)
    return pixels, before_y * by_y, before_x * by_x


def _resampler(rng: np.random.Generator) -> Resampler:
    while (found := sample_resampler(rng)).kernel in KEPT_OUT:
        pass
    return found


def _resized_before(rng: np.random.Generator, pixels: Pixels) -> tuple[Pixels, float, float]:
    first = float(rng.uniform(0.5, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, 1.5))
    size = (max(48, round(pixels.shape[0] * first)), max(48, round(pixels.shape[1] * first)))
    pixels, (y, x) = _resampler(rng).resize(pixels, size)
    return pixels, max(1.0, y), max(1.0, x)


def random_reduction(rng: np.random.Generator, low: float = 0.5) -> tuple[float, float]:
    """(y, x) factors of `low`-1.0; a fifth differ by axis."""
    y = float(rng.uniform(low, 1.0))
    return y, (float(rng.uniform(low, 1.0)) if rng.random() < 0.2 else y)


def reduced(rng: np.random.Generator, pixels: Pixels, factors: tuple[float, float]) -> Pixels:
    """Resize down by (y, x) factors of at most 1, mostly as programs for photographs do."""
    y, x = factors
    size = (max(48, round(pixels.shape[0] * y)), max(48, round(pixels.shape[1] * x)))
    return _resampler(rng).resize(pixels, size)[0]


def resized_photo(
    rng: np.random.Generator, folder: str, split: str, seed: int, number: int
) -> tuple[Pixels, float, float, str]:
    """One example: pixels, the true (x, y) factors (not clipped), and what was done to it.

    `seed` and `number` choose the photograph and its resizing (kept for the next call), `rng` what happens to it afterwards.
    """
    pixels, x, y, how = _numbered(folder, split, seed, number)
    return (pixels if how == "camera" else finished(rng, crop(rng, pixels, LARGEST, LARGEST))), x, y, how


@lru_cache(maxsize=1)
def _numbered(folder: str, split: str, seed: int, number: int) -> tuple[Pixels, float, float, str]:
    return _resized(np.random.default_rng([seed, 0x5CA1E, number]), folder, split)


def _resized(rng: np.random.Generator, folder: str, split: str) -> tuple[Pixels, float, float, str]:
    pixels, kind = random_photo(rng, folder, split)
    if rng.random() < ENLARGED:
        pixels, y, x = enlarged(rng, pixels)
        return pixels, x, y, "enlarged"
    how = str(rng.choice(list(SHARES), p=np.array(list(SHARES.values())) / sum(SHARES.values())))
    if how == "untouched":
        if rng.random() < 0.5:
            pixels = crop(rng, pixels, int(rng.integers(200, 640)), int(rng.integers(200, 640)), grid=8)
        if kind == "camera" and rng.random() < 0.7:
            return pixels, 1.0, 1.0, "camera"
    elif how in ("reduced", "saved and reduced"):
        factors = random_reduction(rng)
        height, width = (int(LARGEST / factor) + 16 for factor in factors)  # room for the crop after a save
        pixels = crop(rng, pixels, height, width, grid=int(rng.choice((1, 8))))
        pixels = reduced(rng, saved_before(rng, pixels) if how == "saved and reduced" else pixels, factors)
    elif how == "smooth":
        pixels = smooth(rng, LARGEST)
    else:
        pixels = crop(rng, pixels, LARGEST, LARGEST)
        pixels = halftone(rng, pixels) if how == "halftone" else soften(rng, pixels, how)
    return pixels, 1.0, 1.0, how
