"""Noisy and clean pictures with a known noise level, from pristine photographs.

A picture goes: a clean canvas -> noise of one family at a drawn PSNR -> perhaps sharpening or resizing; then it may be
saved as JPEG. The PSNR is measured between the clean and the noisy picture after both went through the same sharpening
and resizing, before JPEG: the noise that one sees.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageFile

from cliqa.signal.noise.psnr import NOISE_FREE, colour_error, grey
from cliqa.training.noise.canvases import INTERPOLATIONS, SOFT_SHARE, TILE, draw_canvas, draw_layout
from cliqa.training.noise.families import FAMILIES, draw_family
from cliqa.training.noise.fields import Generator, Image, blur

Pixels = NDArray[np.uint8]

CLEAN_SHARE = 0.2  # of all examples
PSNR_DRAWN = (19.0, 52.0)  # a little beyond 20-50, so that the ends are learnt too
SOFT_SHARES = {"clean": 0.2, "camera": 0.4, "denoised": 0.4, "shots": 0.75, "mixture": 0.4}  # cameras' files are soft
SHARPEN_SHARE = RESIZE_SHARE = 0.2
ImageFile.MAXBLOCK = 1 << 24  # bytes: Pillow's own buffer is too small for progressive files of noise


@dataclass(frozen=True)
class NoisyPicture:
    """`pixels`, the `psnr` of its noise in grey and in its colours (50: none) and the noise family ("clean")."""

    pixels: Pixels
    psnr: float
    chroma: float
    family: str


@dataclass(frozen=True)
class Mix:
    """What pictures are drawn from.

    Attributes:
        clean: share without noise.
        reduced: share of those that are scaled down to 0.35-0.75.
        families: share of each family among the noisy ones; None for their own.
    """

    clean: float = CLEAN_SHARE
    reduced: float = 0.0
    families: Mapping[str, float] | None = None


def to_uint8(image: Image) -> Pixels:
    """Round and clip."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def make_picture(rng: Generator, draw_photo: Callable[[Generator], Pixels], mix: Mix = Mix()) -> NoisyPicture:
    """One picture, before any codec. `draw_photo` gives the uint8 pixels (height, width, 3) of a pristine photograph."""
    rows, columns = draw_layout(rng)
    factor = float(np.exp(rng.uniform(np.log(0.55), np.log(1.4)))) if rng.random() < RESIZE_SHARE else 1.0
    family = "clean" if rng.random() < mix.clean else draw_family(rng, mix.families)
    if family == "clean" and mix.reduced and rng.random() < mix.reduced:
        factor = float(rng.uniform(0.35, 0.75))
    height, width = (max(64, 2 * round(count * TILE / factor / 2)) for count in (rows, columns))
    share, soft = 1.0, SOFT_SHARES.get(family, SOFT_SHARE)
    base = noisy = clean = to_uint8(draw_canvas(rng, draw_photo, height, width, soft))
    if family != "clean":
        share = 0.5 if FAMILIES[family].two_shots else 1.0
        before, after = FAMILIES[family].make(rng, clean.astype(np.float32), rng.uniform(*PSNR_DRAWN))
        base, noisy = to_uint8(before), to_uint8(after)
    steps: list[Callable[[Pixels], Pixels]] = []
    if rng.random() < SHARPEN_SHARE:
        radius, amount = float(rng.uniform(0.4, 2.0)), float(rng.uniform(0.2, 1.5))
        steps.append(lambda image: sharpen(image, radius, amount))
    if factor != 1:
        how = int(rng.integers(len(INTERPOLATIONS)))
        steps.append(lambda image: resize(image, (rows * TILE, columns * TILE), how))
    if rng.random() < 0.5:
        steps.reverse()
    for step in steps:
        noisy = step(noisy)
        base = noisy if family == "clean" else step(base)
    psnr = chroma = NOISE_FREE
    if family != "clean":
        error = share * float(np.mean(np.square(grey(base) - grey(noisy)), dtype=np.float64))
        psnr, chroma = (
            min(NOISE_FREE, float(10 * np.log10(255.0**2 / max(each, 1e-6))))
            for each in (error, share * colour_error(base, noisy))
        )
    return NoisyPicture(noisy, psnr, chroma, family)


def sharpen(image: Pixels, radius: float, amount: float) -> Pixels:
    """Unsharp mask."""
    wide = image.astype(np.float32)
    return to_uint8(wide + np.float32(amount) * (wide - blur(wide, radius)))


def resize(image: Pixels, shape: tuple[int, int], how: int) -> Pixels:
    """To (height, width) `shape`; shrinking is antialiased (Pillow) for three of the four ways."""
    size = shape[1], shape[0]
    if shape[0] < image.shape[0] and how != 1:
        kernels = (
            Pillow.Resampling.BOX,
            Pillow.Resampling.BILINEAR,
            Pillow.Resampling.BICUBIC,
            Pillow.Resampling.LANCZOS,
        )
        return np.asarray(Pillow.fromarray(image).resize(size, kernels[how]))
    return np.asarray(cv2.resize(image, size, interpolation=INTERPOLATIONS[how]), np.uint8)


def draw_quality(rng: Generator) -> int:
    """A JPEG quality: mostly 80-99, sometimes down to 60, as files from elsewhere have."""
    return int(rng.integers(80, 100) if rng.random() < 0.8 else rng.integers(60, 80))


def save_jpeg(rng: Generator, image: Pixels, quality: int) -> Pixels:
    """Through JPEG and back, a few twice; library, subsampling and entropy coding drawn. A few are moved, so the grid is anywhere."""
    if rng.random() < 0.1:
        image = _save_jpeg(rng, image, int(rng.integers(88, 100)))
    if rng.random() < 0.1:
        image = np.roll(image, tuple(int(v) for v in rng.integers(0, 8, 2)), (0, 1))
        saved = _save_jpeg(rng, np.ascontiguousarray(image), quality)
        return np.roll(saved, tuple(int(v) for v in rng.integers(0, 8, 2)), (0, 1))
    return _save_jpeg(rng, image, quality)


def _save_jpeg(rng: Generator, image: Pixels, quality: int) -> Pixels:
    sampling = int(rng.choice([0, 1, 2], p=[0.4, 0.1, 0.5]))
    if rng.random() < 0.3:
        codes = (0x111111, 0x211111, 0x221111)  # cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, _422, _420
        settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, codes[sampling]]
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, settings)[1], cv2.IMREAD_COLOR), np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(image).save(
        stream, "JPEG", quality=quality, subsampling=sampling, progressive=bool(rng.random() < 0.2)
    )
    return np.asarray(Pillow.open(stream).convert("RGB"))
