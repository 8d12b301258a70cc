"""What happens to a picture after its resizing, and to some before it: saves by many codecs, noise, sharpening, tones, crops.

HEIC and JPEG XL are kept out of training: results on them are reported apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cliqa.training import codecs
from cliqa.training.jpeg.saves import draw_sampling, random_save
from cliqa.training.noise.families import FAMILIES, draw_family

Pixels = NDArray[np.uint8]

SAVES = {"none": 0.18, "jpeg high": 0.19, "jpeg middle": 0.17, "jpeg low": 0.07, "webp": 0.24, "avif": 0.15}
"""How the picture was kept at last, and how often; most where traces are faint, not gone."""
JPEG = {"jpeg high": (80, 99), "jpeg middle": (55, 80), "jpeg low": (20, 55)}
SPEEDS = {6: 0.04, 7: 0.08, 8: 0.08, 9: 0.4, 10: 0.4}
"""Of the AVIF encoder, from thorough to fast: 170 to 16 ms for 512x512 pixels."""
NOISES = {"gaussian": 0.3, "poisson_gaussian": 0.22, "camera": 0.11, "grain": 0.09, "density_grain": 0.05, "chroma": 0.06,
          "colours": 0.05, "structured": 0.05, "impulses": 0.03, "mixture": 0.02, "denoised": 0.01, "shots": 0.01}  # fmt: skip
"""Of the families of noise; those that take 50-140 ms a picture are the rare ones."""
FRAMED = 0.03


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


def noisy(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Noise of any family: white, grey, Poisson, demosaiced, grain, chroma; a PSNR of 20-46 dB."""
    _, done = FAMILIES[draw_family(rng, NOISES)].make(rng, pixels.astype(np.float32), float(rng.uniform(20, 46)))
    return np.clip(np.rint(done), 0, 255).astype(np.uint8)


def toned(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """A gamma of 0.7-1.4 and a soft S-curve of contrast."""
    curve = (np.arange(256) / 255) ** rng.uniform(0.7, 1.4)
    curve = curve + rng.uniform(-0.25, 0.25) * np.sin(2 * np.pi * curve) / (2 * np.pi)
    table = np.clip(np.rint(255 * curve), 0, 255).astype(np.uint8)
    return table[pixels]


def watermarked(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """A line of half transparent text."""
    height, width = pixels.shape[:2]
    place = int(rng.integers(0, max(1, width - 120))), int(rng.integers(0, max(1, height - 40)))
    size, strength = int(rng.integers(14, 40)), int(rng.integers(60, 200))
    layer = Image.new("L", (width, height))
    ImageDraw.Draw(layer).text(place, "© photo stock", fill=strength, font_size=size)
    return np.asarray(Image.composite(Image.new("RGB", (width, height), "white"), Image.fromarray(pixels), layer))


def framed(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """A border of one colour, 8-120 pixels a side."""
    (height, width), (top, below, left, right) = pixels.shape[:2], (int(side) for side in rng.integers(8, 121, 4))
    canvas = np.empty((height + top + below, width + left + right, 3), np.uint8)
    canvas[:] = rng.choice([0, 255]) if rng.random() < 0.6 else rng.integers(0, 256, 3)
    canvas[top : top + height, left : left + width] = pixels
    return canvas


def saved(rng: np.random.Generator, pixels: Pixels, low: int = 80, high: int = 99) -> Pixels:
    """Saved as JPEG by one of several encoders, any sampling, and decoded."""
    return random_save(rng, pixels, low, high, sampling=draw_sampling(rng))[0]


def saved_by(rng: np.random.Generator, pixels: Pixels, how: str) -> Pixels:
    """Kept in one of the ways of `SAVES`."""
    if how == "none":
        return pixels
    if how == "webp":
        method, sharp = int(rng.integers(0, 7)), bool(rng.random() < 0.15)
        return codecs.decode(codecs.encode_webp(pixels, int(rng.integers(35, 98)), method=method, sharp_yuv=sharp))
    if how == "avif":
        speed = int(rng.choice(list(SPEEDS), p=list(SPEEDS.values())))
        sampling = str(rng.choice(("4:2:0", "4:4:4"), p=(0.8, 0.2)))
        return codecs.decode(codecs.encode_avif(pixels, int(rng.integers(35, 92)), speed=speed, subsampling=sampling))
    return saved(rng, pixels, *JPEG[how])


def saved_before(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Saved before it is resized: mostly as JPEG of 20-98, whose grid the resize moves; in some a crop comes between."""
    other = str(rng.choice(("webp", "avif")))
    pixels = saved(rng, pixels, 20, 98) if rng.random() < 0.85 else saved_by(rng, pixels, other)
    if rng.random() < 0.25:
        top, left = (int(each) for each in rng.integers(0, 9, 2))
        pixels = np.ascontiguousarray(pixels[top:, left:])
    return pixels


def finished(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Sharpening, noise, a tone curve, a mark, a crop, a frame; a save, and for some a crop and another save."""
    if rng.random() < 0.1:
        pixels = sharpened(rng, pixels)
    pick = rng.random()
    if pick < 0.24:
        pixels = noisy(rng, pixels) if pick < 0.19 else noised(rng, pixels)
    if rng.random() < 0.08:
        pixels = (toned if rng.random() < 0.7 else watermarked)(rng, pixels)
    if rng.random() < 0.3:
        pixels = _less(rng, pixels)
    if rng.random() < FRAMED:
        pixels = framed(rng, pixels)
    pixels = saved_by(rng, pixels, str(rng.choice(list(SAVES), p=list(SAVES.values()))))
    if rng.random() < 0.1:
        pixels = _less(rng, pixels)
        if rng.random() < 0.5:
            pixels = saved_by(rng, pixels, str(rng.choice(("jpeg high", "webp"))))
    return pixels


def _less(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """A random part of it, half to all of each side."""
    high, wide = (max(min(side, 96), int(side * rng.uniform(0.5, 1.0))) for side in pixels.shape[:2])
    top, left = (int(rng.integers(0, side - less + 1)) for side, less in zip(pixels.shape, (high, wide), strict=False))
    return np.ascontiguousarray(pixels[top : top + high, left : left + wide])
