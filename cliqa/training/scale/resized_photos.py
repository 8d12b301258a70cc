"""Photographs with a known enlargement: resized ones, and soft or processed ones that were never enlarged.

The factor is that of the information: an enlargement multiplies it, a reduction divides it but never below 1, and
blur, rotation, demosaicing, noise and compression leave it as it is.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.training.photos import Photo, read_photos
from cliqa.training.scale.resampling import sample_resampler

Pixels = NDArray[np.uint8]

KINDS = ("enlarged", "untouched", "camera", "reduced", "defocus", "motion", "rotation", "mosaic", "denoised")
PERIODIC = 0.05  # share of photographs that get a regular grid
ENLARGED = 0.55  # share of examples that are enlarged
LARGEST = 640  # pixels a side after resizing: the metric reads 512
SHARES = {"untouched": 0.36, "reduced": 0.24, "defocus": 0.11, "motion": 0.09, "rotation": 0.05, "mosaic": 0.09,
          "denoised": 0.06}  # fmt: skip
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


def random_factors(rng: np.random.Generator) -> tuple[float, float]:
    """(y, x) enlargements: even over 1-2, with more near 1 where decisions fall and some above 2; a fifth differ by axis."""

    def one() -> float:
        pick = rng.random()
        if pick < 0.10:
            return float(rng.uniform(1.005, 1.12))
        if pick < 0.20:  # whole factors leave no periodic line where pixels are centred: the hardest, and common
            return float(rng.choice((2.0, 2.0, 2.0, 3.0, 4.0)) if rng.random() < 0.7 else rng.uniform(2.0, 4.0))
        if pick < 0.34:  # round numbers and ratios are what people use
            return float(rng.choice((1.1, 1.125, 1.2, 1.25, 4 / 3, 1.4, 1.5, 1.6, 5 / 3, 1.75, 1.8, 1.9, 2.0)))
        return float(rng.uniform(1.0, 2.0))

    y = one()
    if rng.random() < 0.2:
        return y, (one() if rng.random() < 0.8 else 1.0)
    return y, y


def enlarged(rng: np.random.Generator, pixels: Pixels) -> tuple[Pixels, float, float]:
    """Resize up, some after another resize, some of a softer source. Returns pixels and the (y, x) information factors."""
    y, x = random_factors(rng)
    room = rng.uniform(0.55, 1.0) if rng.random() < 0.3 else 1.0
    pixels = crop(rng, pixels, max(64, int(LARGEST * room / y)), max(64, int(LARGEST * room / x)))
    before_y = before_x = 1.0
    if rng.random() < 0.12:
        pixels, before_y, before_x = _resized_before(rng, pixels)
    elif rng.random() < 0.08:
        pixels = soften(rng, pixels, str(rng.choice(("defocus", "mosaic", "denoised"))))
    elif rng.random() < 0.08:
        pixels = saved(rng, pixels, 85, 100)
    size = (max(48, round(pixels.shape[0] * y)), max(48, round(pixels.shape[1] * x)))
    pixels, (by_y, by_x) = sample_resampler(rng).resize(pixels, size)
    return pixels, before_y * by_y, before_x * by_x


def _resized_before(rng: np.random.Generator, pixels: Pixels) -> tuple[Pixels, float, float]:
    first = float(rng.uniform(0.5, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, 1.5))
    size = (max(48, round(pixels.shape[0] * first)), max(48, round(pixels.shape[1] * first)))
    pixels, (y, x) = sample_resampler(rng).resize(pixels, size)
    return pixels, max(1.0, y), max(1.0, x)


def reduced(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Resize down to 0.5-1.0, mostly as programs for photographs do."""
    y = float(rng.uniform(0.5, 1.0))
    x = float(rng.uniform(0.5, 1.0)) if rng.random() < 0.2 else y
    size = (max(48, round(pixels.shape[0] * y)), max(48, round(pixels.shape[1] * x)))
    return sample_resampler(rng).resize(pixels, size)[0]


def soften(rng: np.random.Generator, pixels: Pixels, how: str) -> Pixels:
    """Softness that is no enlargement: "defocus", "motion", "rotation", "mosaic" or "denoised"."""
    import cv2

    if how == "defocus":
        radius = float(rng.uniform(0.5, 5.0))
        if rng.random() < 0.5:
            return np.asarray(cv2.GaussianBlur(pixels, (0, 0), radius * 0.5, borderType=cv2.BORDER_REFLECT))
        return _filtered(pixels, _disk(radius))
    if how == "motion":
        return _filtered(pixels, _streak(float(rng.uniform(2, 16)), float(rng.uniform(0, np.pi))))
    if how == "rotation":
        angle = float(rng.choice((rng.uniform(-3, 3), rng.uniform(-45, 45))))
        return _rotated(pixels, angle, int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4))))
    if how == "mosaic":
        return demosaiced(rng, pixels)
    pick = rng.random()
    if pick < 0.4:
        return np.asarray(cv2.bilateralFilter(pixels, 5, float(rng.uniform(10, 40)), float(rng.uniform(1, 3))))
    if pick < 0.7:
        return np.asarray(cv2.medianBlur(pixels, 3))
    noisy = np.clip(pixels + rng.normal(0, rng.uniform(3, 12), pixels.shape), 0, 255).astype(np.uint8)
    return np.asarray(cv2.bilateralFilter(noisy, 7, float(rng.uniform(20, 60)), float(rng.uniform(1.5, 4))))


def _disk(radius: float) -> NDArray[np.float32]:
    """A lens's circle of confusion, edges antialiased by 4x4 samples."""
    half = int(np.ceil(radius + 0.5))
    fine = (np.arange((2 * half + 1) * 4) - ((2 * half + 1) * 4 - 1) / 2) / 4
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2 <= radius**2).astype(np.float32)
    kernel: NDArray[np.float32] = inside.reshape(2 * half + 1, 4, 2 * half + 1, 4).mean(axis=(1, 3))
    kernel /= kernel.sum()
    return kernel


def _streak(length: float, angle: float) -> NDArray[np.float32]:
    """A straight motion path, laid down bilinearly."""
    half = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for t in np.linspace(-length / 2, length / 2, int(length * 8) + 1):
        y, x = half + t * np.sin(angle), half + t * np.cos(angle)
        row, column = int(y), int(x)
        fy, fx = y - row, x - column
        kernel[row, column] += (1 - fy) * (1 - fx)
        kernel[row + 1, column] += fy * (1 - fx)
        kernel[row, column + 1] += (1 - fy) * fx
        kernel[row + 1, column + 1] += fy * fx
    kernel /= kernel.sum()
    return kernel


def _filtered(pixels: Pixels, kernel: NDArray[np.float32]) -> Pixels:
    import cv2

    return np.asarray(cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REFLECT))


def _rotated(pixels: Pixels, angle: float, interpolation: int) -> Pixels:
    import cv2

    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(pixels, matrix, (width, height), flags=interpolation, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(turned)


def demosaiced(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Sample a Bayer pattern, optionally behind an antialiasing filter and with noise, and demosaic it."""
    import cv2

    if rng.random() < 0.6:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.35, 0.8))))
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    mosaic = np.empty((height, width), np.uint8)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = pixels[row:height:2, column:width:2, channel]
    if rng.random() < 0.5:
        mosaic = np.clip(mosaic + rng.normal(0, rng.uniform(0.5, 5), mosaic.shape), 0, 255).round().astype(np.uint8)
    methods = (cv2.COLOR_BayerBG2RGB, cv2.COLOR_BayerBG2RGB_EA, cv2.COLOR_BayerBG2RGB_VNG)
    return np.asarray(cv2.cvtColor(mosaic, methods[rng.integers(3)]))


def sharpened(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Unsharp masking, radius 0.5-2, amount 0.2-1.5."""
    import cv2

    blurred = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.5, 2.0)))
    amount = float(rng.uniform(0.2, 1.5))
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0))


def noised(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Gaussian noise, white or grey, deviation 0.5-8."""
    deviation = float(np.exp(rng.uniform(np.log(0.5), np.log(8))))
    shape = pixels.shape if rng.random() < 0.5 else (*pixels.shape[:2], 1)
    return np.clip(np.rint(pixels + rng.normal(0, deviation, shape)), 0, 255).astype(np.uint8)


def saved(rng: np.random.Generator, pixels: Pixels, low: int = 80, high: int = 99) -> Pixels:
    """Save as JPEG with a random quality and subsampling, and decode."""
    stream = io.BytesIO()
    subsampling = int(rng.choice((0, 1, 2), p=(0.4, 0.1, 0.5)))
    quality = int(rng.integers(low, high + 1))
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=subsampling, optimize=False)
    return np.asarray(Image.open(stream).convert("RGB"))


def finished(rng: np.random.Generator, pixels: Pixels, jpeg: float = 0.65) -> Pixels:
    """What happens to a picture after resizing: sharpening, noise, a crop, JPEG, a crop of that."""
    if rng.random() < 0.12:
        pixels = sharpened(rng, pixels)
    if rng.random() < 0.06:
        pixels = noised(rng, pixels)
    if rng.random() < 0.3:
        pixels = crop(rng, pixels, *_less(rng, pixels))
    if rng.random() < jpeg:
        pixels = saved(rng, pixels, 80, 99) if rng.random() < 0.95 else saved(rng, pixels, 60, 80)
        if rng.random() < 0.08:
            pixels = crop(rng, pixels, *_less(rng, pixels))
            if rng.random() < 0.5:
                pixels = saved(rng, pixels, 85, 99)
    return pixels


def _less(rng: np.random.Generator, pixels: Pixels) -> Sequence[int]:
    return [max(min(side, 96), int(side * rng.uniform(0.5, 1.0))) for side in pixels.shape[:2]]


def resized_photo(
    rng: np.random.Generator, folder: str, split: str, seed: int, number: int
) -> tuple[Pixels, float, float, str]:
    """One example: pixels, the true (x, y) factors (not clipped), and what was done to it.

    `seed` and `number` choose the photograph and its resizing (kept for the next call), `rng` what happens to it afterwards.
    """
    pixels, x, y, how = _numbered(folder, split, seed, number)
    return (pixels if how == "camera" else finished(rng, pixels)), x, y, how


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
            pixels = crop(rng, pixels, int(rng.integers(200, 720)), int(rng.integers(200, 720)), grid=8)
        if kind == "camera" and rng.random() < 0.7:
            return pixels, 1.0, 1.0, "camera"
    elif how == "reduced":
        pixels = reduced(rng, pixels)
    else:
        pixels = soften(rng, crop(rng, pixels, 576, 576), how)
    return pixels, 1.0, 1.0, how
