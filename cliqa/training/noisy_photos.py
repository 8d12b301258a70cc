"""Noisy and clean pictures with a known noise level, from pristine photographs.

A picture goes: crop, scale, tones -> noise of one family at a drawn PSNR -> perhaps sharpening or resizing; then it may be
saved as JPEG. The PSNR is measured between the clean and the noisy picture after both went through the same sharpening
and resizing, before JPEG, on the whole picture: the noise that one sees.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageFile

from cliqa.signal.psnr import NOISE_FREE, grey_psnr
from cliqa.training.noise_families import FAMILIES, Image, blur, draw_family

Pixels = NDArray[np.uint8]
Generator = np.random.Generator

CLEAN_SHARE = 0.14  # of all examples
MONTAGE_SHARE = 0.4
TEXTURES = 40  # different synthetic ones
PSNR_DRAWN = (19.0, 52.0)  # a little beyond 20-50, so that the ends are learnt too
SIDES = (256, 544)  # of a training picture, pixels
cv2.setNumThreads(1)
ImageFile.MAXBLOCK = 1 << 24  # bytes: Pillow's own buffer is too small for progressive files of noise
_INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True)
class NoisyPicture:
    """`pixels`, the `psnr` of its noise (50: none) and the noise family ("clean")."""

    pixels: Pixels
    psnr: float
    family: str


def to_uint8(image: Image) -> Pixels:
    """Round and clip."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def make_picture(rng: Generator, draw_photo: Callable[[], Pixels]) -> NoisyPicture:
    """One picture, before JPEG. `draw_photo` gives the uint8 pixels (height, width, 3) of a pristine photograph."""
    clean = to_uint8(_montage(rng, draw_photo) if rng.random() < MONTAGE_SHARE else vary(rng, draw_photo()))
    if rng.random() < CLEAN_SHARE:
        family, base, noisy = "clean", clean, clean
    else:
        family = draw_family(rng)
        before, after = FAMILIES[family][0](rng, clean.astype(np.float32), rng.uniform(*PSNR_DRAWN))
        base, noisy = to_uint8(before), to_uint8(after)
    if rng.random() < 0.2:
        settings = float(rng.uniform(0.4, 2.0)), float(rng.uniform(0.2, 1.5))
        base, noisy = sharpen(base, *settings), sharpen(noisy, *settings)
    if rng.random() < 0.2:
        factor = float(np.exp(rng.uniform(np.log(0.55), np.log(1.4))))
        how = int(rng.integers(len(_INTERPOLATIONS)))
        base, noisy = resize(base, factor, how), resize(noisy, factor, how)
    psnr = NOISE_FREE if family == "clean" else grey_psnr(base, noisy)
    return NoisyPicture(noisy, psnr, family)


def _montage(rng: Generator, draw_photo: Callable[[], Pixels]) -> Image:
    """Four photographs side by side: so that no photograph can be learnt by heart."""
    height, width = (2 * (int(rng.integers(SIDES[0], SIDES[1] + 1)) // 2) for _ in range(2))
    canvas = np.zeros((height, width, 3), np.float32)
    for y in (0, height // 2):
        for x in (0, width // 2):
            part = vary(rng, draw_photo(), (height // 2, width // 2))
            part = np.pad(
                part,
                [(0, max(0, height // 2 - part.shape[0])), (0, max(0, width // 2 - part.shape[1])), (0, 0)],
                "reflect",
            )
            canvas[y : y + height // 2, x : x + width // 2] = part[: height // 2, : width // 2]
    return canvas


def sharpen(image: Pixels, radius: float, amount: float) -> Pixels:
    """Unsharp mask."""
    wide = image.astype(np.float32)
    return to_uint8(wide + np.float32(amount) * (wide - blur(wide, radius)))


def resize(image: Pixels, factor: float, how: int) -> Pixels:
    """Scale both axes by about `factor`; shrinking is antialiased (Pillow) for half of the ways."""
    height, width = (max(64, round(side * factor)) for side in image.shape[:2])
    if factor < 1 and how != 1:
        kernels = (
            Pillow.Resampling.BOX,
            Pillow.Resampling.BILINEAR,
            Pillow.Resampling.BICUBIC,
            Pillow.Resampling.LANCZOS,
        )
        return np.asarray(Pillow.fromarray(image).resize((width, height), kernels[how]))
    return np.asarray(cv2.resize(image, (width, height), interpolation=_INTERPOLATIONS[how]), np.uint8)


def save_jpeg(rng: Generator, image: Pixels, quality: int) -> Pixels:
    """Through JPEG and back; library, subsampling and entropy coding drawn. A few are cropped, so the 8x8 grid is anywhere."""
    saved = _save_jpeg(rng, image, quality)
    if rng.random() < 0.1:
        dx, dy = (int(v) for v in rng.integers(0, 8, 2))
        saved = np.ascontiguousarray(saved[dy:, dx:])
    return saved


def _save_jpeg(rng: Generator, image: Pixels, quality: int) -> Pixels:
    sampling = int(rng.choice([0, 1, 2], p=[0.4, 0.1, 0.5]))
    if rng.random() < 0.3:
        codes = (0x111111, 0x211111, 0x221111)  # cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, _422, _420
        settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, codes[sampling]]
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, settings)[1], cv2.IMREAD_COLOR), np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(image).save(
        stream, "JPEG", quality=quality, subsampling=sampling, progressive=bool(rng.random() < 0.3)
    )
    return np.asarray(Pillow.open(stream).convert("RGB"))


def vary(rng: Generator, photo: Pixels, sides: tuple[int, int] | None = None) -> Image:
    """A crop of a photograph, scaled down, turned, softened or sharpened, and toned: float32 0-255.

    `sides` is the (height, width) wanted before turning; photographs that are too small give less.
    """
    if rng.random() < 0.02:
        photo = dead_leaves(int(rng.integers(TEXTURES)))
    height, width = photo.shape[:2]
    side_y, side_x = sides or (int(rng.integers(SIDES[0], SIDES[1] + 1)) for _ in range(2))
    factor = 1.0 if rng.random() < 0.45 else float(np.exp(rng.uniform(np.log(0.4), 0)))
    cut_y, cut_x = min(height, round(side_y / factor)), min(width, round(side_x / factor))
    top, left = int(rng.integers(height - cut_y + 1)), int(rng.integers(width - cut_x + 1))
    crop = photo[top : top + cut_y, left : left + cut_x]
    if factor < 1:
        factor = max(factor, min(1.0, 160 / min(crop.shape[:2])))
        crop = resize(crop, factor, int(rng.choice([0, 2, 3, 3])))
    turned = np.rot90(crop, int(rng.integers(4)) if rng.random() < 0.5 else 0)
    image: Image = np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned).astype(np.float32)
    kind = rng.random()
    if kind < 0.10:  # out of focus
        image = blur(image, float(rng.uniform(0.4, 2.5)))
    elif kind < 0.27:
        radius, amount = rng.uniform(0.4, 1.5), rng.uniform(0.2, 1.5)
        image = np.clip(image + np.float32(amount) * (image - blur(image, float(radius))), 0, 255)
    return _tone(rng, image)


def _tone(rng: Generator, image: Image) -> Image:
    if rng.random() < 0.06:
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.5:
        return image
    image = np.clip(image, 0, 255) / np.float32(255)
    image = np.power(image, np.float32(np.exp(rng.normal(0, 0.3))))
    if rng.random() < 0.3:  # white balance
        image = image * rng.uniform(0.8, 1.15, 3).astype(np.float32)
    if rng.random() < 0.3:  # saturation
        grey = image.mean(axis=2, keepdims=True)
        image = grey + (image - grey) * np.float32(rng.uniform(0.2, 1.6))
    image = (image - np.float32(0.5)) * np.float32(rng.uniform(0.6, 1.3)) + np.float32(0.5 + rng.normal(0, 0.08))
    return np.asarray(np.clip(image * 255, 0, 255), np.float32)


@cache
def dead_leaves(number: int) -> Pixels:
    """Fine texture without noise: ellipses over ellipses whose sizes follow a power law (the dead leaves model)."""
    rng = np.random.default_rng(number)
    side, count = 512, int(rng.integers(3000, 9000))
    canvas = np.full((side, side, 3), 128, np.uint8)
    exponent = -1 / rng.uniform(1.2, 2.2)
    sizes = np.sort(np.minimum(rng.uniform(1.0, 3.0) * rng.random(count) ** exponent, 120))[::-1]
    colours = np.clip(rng.uniform(20, 235, (count, 1)) + rng.normal(0, rng.uniform(0, 60), (count, 3)), 0, 255)
    axes = np.maximum(np.stack([sizes, sizes * rng.uniform(0.1, 1)], axis=1) * 8, 4).astype(int)
    places, angles = rng.integers(0, side * 8, (count, 2)), rng.uniform(0, 180, count)
    for place, axis, angle, colour in zip(
        places.tolist(), axes.tolist(), angles.tolist(), colours.tolist(), strict=True
    ):
        cv2.ellipse(canvas, place, axis, angle, 0, 360, colour, -1, cv2.LINE_AA, 3)  # in eighths of a pixel
    return canvas
