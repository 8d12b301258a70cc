"""What happens to a picture after its resizing, and to some before it: saves by many codecs, noise, sharpening, tones, crops.

The steps are those of the histories that all metrics of the pixel grid share (`cliqa.training.histories`). Their encoders that are kept
out of training are kept out here too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.training import codecs
from cliqa.training.histories.state import State
from cliqa.training.histories.steps import frame, save_jpeg, tone, watermark
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


def saved(rng: np.random.Generator, pixels: Pixels, low: int = 80, high: int = 99) -> Pixels:
    """Saved as JPEG by one of several encoders, any sampling, and decoded."""
    return save_jpeg(rng, State(pixels), low, high).pixels


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
        pixels = (tone if rng.random() < 0.7 else watermark)(rng, State(pixels)).pixels
    if rng.random() < 0.3:
        pixels = _less(rng, pixels)
    if rng.random() < FRAMED:
        pixels = frame(rng, State(pixels)).pixels
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
