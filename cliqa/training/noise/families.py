"""Noise as cameras, scanners and film make it, scaled to a wanted PSNR.

The strength of noise is one number here: the PSNR of the grey images (mean of R, G, B) before and after. Every family
is a function `(rng, image, psnr) -> (base, noisy)`: `image` is float32 (height, width, 3) in 0-255, `base` is the image without
the noise (softened where demosaicing or denoising softens it) and `noisy` the same with it, both before rounding.
The cameras' families lie in `cliqa.training.noise.camera` and `cliqa.training.noise.shots`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cliqa.training.noise.camera import camera, denoised, mixture, poisson_gaussian
from cliqa.training.noise.fields import (
    Generator,
    Image,
    add_scaled,
    blur,
    coloured,
    enlarged,
    grey_of,
    line_noise,
    log_uniform,
    unit,
    white,
)
from cliqa.training.noise.shots import shots

Noise = Callable[[Generator, Image, float], tuple[Image, Image]]


def gaussian(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """White or correlated noise: grey, independent by channel, of different strengths, or partly shared."""
    height, width, _ = image.shape
    make = white if rng.random() < 0.55 else coloured
    kind = rng.random()
    if kind < 0.3:
        residual = np.repeat(make(rng, (height, width, 1)), 3, axis=2)
    elif kind < 0.65:
        residual = make(rng, (height, width, 3))
    elif kind < 0.85:
        residual = make(rng, (height, width, 3)) * rng.uniform(0.1, 1, 3).astype(np.float32)
    else:
        shared = np.float32(rng.uniform(0, 1))
        residual = make(rng, (height, width, 3)) * (1 - shared) + make(rng, (height, width, 1)) * shared
    return image, add_scaled(image, residual, psnr)


# How colour noise spreads over R, G and B: Cb and Cr, hue at equal grey, and the channels that cameras amplify most.
_COLOUR_AXES = (
    np.array([[0.0, -0.344, 1.772], [1.402, -0.714, 0.0]], np.float32),
    np.array([[2.0, -1.0, -1.0], [0.0, 1.0, -1.0]], np.float32) * np.array([[0.41], [0.71]], np.float32),
    np.array([[1.0, -0.3, -0.7], [-0.7, -0.3, 1.0]], np.float32),
    np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], np.float32),
)


def chroma(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Colour noise, fine to blotchy, with little luma noise or none: in grey it is weak however strong it looks.

    Strong levels of it don't occur: at least 26 dB in grey, or 20 dB in colour.
    """
    height, width, _ = image.shape
    shape = (height, width, 2)
    colour = white(rng, shape) if rng.random() < 0.25 else coloured(rng, shape, 0.4, 4.0)
    colour = colour * rng.uniform(0.4, 1, 2).astype(np.float32)
    residual = colour @ _COLOUR_AXES[int(rng.choice(len(_COLOUR_AXES), p=[0.55, 0.15, 0.15, 0.15]))]
    if rng.random() < 0.5:
        residual = residual + white(rng, (height, width, 1)) * np.float32(rng.uniform(0, 1.0))
    if rng.random() < 0.4:  # stronger in the shadows
        residual = residual * (1.2 - grey_of(image) / 255).astype(np.float32)
    if rng.random() < 0.5:
        return image, add_scaled(image, np.asarray(residual, np.float32), max(psnr, 26.0))
    strength = 255 / 10 ** (max(psnr, 24.0) / 20) * 1.5  # levels, whatever that is in grey
    return image, np.asarray(np.clip(image + residual / residual.std() * np.float32(strength), 0, 255), np.float32)


def colours(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Noise of the colours alone, of any strength, and in a third of the cases a little in grey; `psnr` is not used."""
    del psnr
    shape = (*image.shape[:2], 3)
    field = white(rng, shape) if rng.random() < 0.4 else coloured(rng, shape, 0.4, 4.0)
    kind = rng.random()
    if kind < 0.45:  # none in grey
        field = field - grey_of(field)
    elif kind < 0.7:  # Cb and Cr
        field = np.asarray(field[..., :2] @ _COLOUR_AXES[0], np.float32)
    elif kind < 0.85:  # none in luma
        field = field - field @ np.array([[0.299], [0.587], [0.114]], np.float32)
    else:  # whatever two colours
        field = np.asarray(field[..., :2] @ rng.normal(size=(2, 3)).astype(np.float32), np.float32)
        field = field - np.float32(rng.uniform(0.5, 1)) * grey_of(field)
    noise = field * np.float32(log_uniform(rng, 2.5, 28) / max(float(field.std()), 1e-6))
    if rng.random() < 0.33:
        noise = noise + white(rng, (*shape[:2], 1)) * np.float32(log_uniform(rng, 0.8, 8))
    return image, np.asarray(np.clip(image + noise, 0, 255), np.float32)


def grain_field(rng: Generator, height: int, width: int) -> Image:
    """Grain of one or several sizes, grey or by dye layer: unit deviation."""
    channels = 1 if rng.random() < 0.5 else 3
    field = np.zeros((height, width, channels), np.float32)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))):
        size = log_uniform(rng, 0.3, 2.5)
        layer = blur(white(rng, (height, width, channels)), size)
        if rng.random() < 0.1:
            layer = enlarged(rng, (height, width, channels), 1 + size)
        field += unit(layer) * np.float32(rng.uniform(0.3, 1))
    if rng.random() < 0.15:  # opaque grains: blobs with hard edges
        field = np.tanh(unit(field) * np.float32(rng.uniform(1, 4)))
    return unit(field)


def grain(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Film grain that is added: strongest in the mid-tones, in dense film, or everywhere alike."""
    field = grain_field(rng, *image.shape[:2])
    tone = image / np.float32(255)
    if rng.random() < 0.6:
        tone = grey_of(tone)
    kind = rng.random()
    if kind < 0.3:
        peak, low = np.float32(rng.uniform(0.3, 0.7)), np.float32(rng.uniform(0, 0.5))
        residual = field * (low + (1 - low) * np.exp(-np.square((tone - peak) / np.float32(rng.uniform(0.2, 0.5)))))
    elif kind < 0.6:
        low = np.float32(rng.uniform(0, 0.5))
        residual = field * (low + 4 * (1 - low) * tone * (1 - tone))
    elif kind < 0.75:  # dense (dark) film or dense (bright) negative
        dense = tone if rng.random() < 0.5 else 1 - tone
        residual = field * np.sqrt(np.maximum(dense, np.float32(0.02)))
    else:
        residual = field
    return image, add_scaled(image, np.asarray(np.broadcast_to(residual, image.shape), np.float32), psnr)


def density_grain(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Grain in density, which multiplies light: log-normal, or speckle. Bright areas are noisy, black ones are not."""
    height, width, _ = image.shape
    field = white(rng, (height, width, 1)) if rng.random() < 0.2 else grain_field(rng, height, width)
    offset = np.float32(rng.uniform(0, 0.06) * 255)
    light = image + offset
    if rng.random() < 0.2:  # in linear light
        light = np.power(light / np.float32(255), np.float32(2)) * np.float32(255)
    wanted = 255.0**2 / 10 ** (psnr / 10)
    strength = np.sqrt(wanted / max(float(np.mean(np.square(grey_of(light)))), 1.0))
    linear = rng.random() < 0.3 or strength > 0.6
    residual = light * (field if linear else np.exp(field * np.float32(strength)) - 1)
    return image, add_scaled(image, np.asarray(residual, np.float32), psnr)


def structured(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Banding, fixed patterns, interference, scan lines, dither and posterising."""
    height, width, _ = image.shape
    kind = rng.random()
    if kind < 0.35:
        residual = line_noise(rng, height, width) + np.float32(rng.uniform(0, 0.8)) * white(
            rng, (height, width, 1 if rng.random() < 0.5 else 3)
        )
        if rng.random() < 0.3:
            residual = residual * rng.uniform(0.2, 1, 3).astype(np.float32)
    elif kind < 0.6:
        residual = _waves(rng, height, width)
    elif kind < 0.7:  # a small tile that repeats
        side = int(rng.choice([2, 3, 4, 5, 8]))
        tile = rng.standard_normal((side, side, 1 if rng.random() < 0.6 else 3)).astype(np.float32)
        residual = np.tile(tile, (height // side + 1, width // side + 1, 1))[:height, :width]
    elif kind < 0.8:  # scan lines: every second to fourth row or column darker, lines' strengths differing a little
        period, axis = int(rng.integers(2, 5)), int(rng.integers(2))
        length = (height, width)[axis]
        line = np.where(np.arange(length) % period == 0, -1, 0) * (1 + 0.3 * rng.standard_normal(length))
        line = (line - line.mean()).astype(np.float32)
        residual = (line[:, None, None] if axis == 0 else line[None, :, None]) * (image + 20)
    else:
        return image, _few_levels(rng, image, psnr)
    return image, add_scaled(image, np.broadcast_to(residual, image.shape).astype(np.float32), psnr)


def _waves(rng: Generator, height: int, width: int) -> Image:
    """Interference: one or two waves, with white noise or without."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    residual = np.zeros((height, width, 1), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, period = rng.uniform(0, np.pi), log_uniform(rng, 2.1, 14)
        phase = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) * np.float32(2 * np.pi / period)
        residual = residual + np.cos(phase + np.float32(rng.uniform(0, 6.3)))[..., None]
    grainy = np.float32(rng.uniform(0, 1)) * white(rng, (height, width, 1 if rng.random() < 0.5 else 3))
    return np.asarray(residual + grainy, np.float32)


def impulses(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Salt and pepper, hot pixels or random values, by pixel or by channel: as many as give the wanted PSNR."""
    height, width, _ = image.shape
    order = rng.random((height, width, 1 if rng.random() < 0.6 else 3), dtype=np.float32)
    kind = rng.random()
    if kind < 0.6:
        share = 0.5 if rng.random() < 0.5 else rng.uniform(0, 1)
        values = np.where(rng.random(order.shape, dtype=np.float32) < share, 255, 0).astype(np.float32)
    elif kind < 0.8:
        values = rng.random(order.shape, dtype=np.float32) * np.float32(255)
    else:  # hot pixels, of any brightness above what is there
        values = np.maximum(image, rng.random(order.shape, dtype=np.float32) * np.float32(255))
    full = float(np.mean(np.square(grey_of(values - image)))) / (1 if order.shape[2] == 1 else 3)
    share = min(255.0**2 / 10 ** (psnr / 10) / max(full, 1.0), 1.0)
    noisy = np.where(order < share, values, image).astype(np.float32)
    if rng.random() < 0.15:
        sigma = rng.uniform(0.3, 0.6)
        return image, add_scaled(image, blur(noisy - image, sigma), psnr)
    return image, noisy


def _few_levels(rng: Generator, image: Image, psnr: float) -> Image:
    """Fewer grey levels, dithered at random or by a Bayer matrix. A uniform step s errs by s / sqrt(12), dithered by s / sqrt(6)."""
    height, width, _ = image.shape
    error = 255 / 10 ** (psnr / 20)
    if rng.random() < 0.5:
        dither = rng.random((height, width, 1 if rng.random() < 0.5 else 3), dtype=np.float32)
    else:
        matrix: Image = np.array(
            [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32
        ) / np.float32(16) + np.float32(1 / 32)
        dither = np.tile(matrix, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    step = np.float32(max(error * np.sqrt(6), 1.0))
    return np.asarray(np.floor(image / step + dither) * step, np.float32)


@dataclass(frozen=True)
class Family:
    """A family's generator and its share of the noisy examples.

    `two_shots`: `base` is a second shot with noise of its own, so the noise is half their mean square difference.
    """

    make: Noise
    share: float
    two_shots: bool = False


FAMILIES = {  # most of what is hardest to tell from texture, or most like files from cameras
    "gaussian": Family(gaussian, 0.08),
    "poisson_gaussian": Family(poisson_gaussian, 0.04),
    "camera": Family(camera, 0.06),
    "denoised": Family(denoised, 0.17),
    "shots": Family(shots, 0.3, two_shots=True),
    "chroma": Family(chroma, 0.03),
    "grain": Family(grain, 0.09),
    "density_grain": Family(density_grain, 0.1),
    "structured": Family(structured, 0.07),
    "impulses": Family(impulses, 0.05),
    "mixture": Family(mixture, 0.01),
    "colours": Family(colours, 0.0),  # the second stage's
}


def draw_family(rng: Generator, shares: Mapping[str, float] | None = None) -> str:
    """The name of a family, by its share or by other `shares` that sum to 1."""
    chances = shares or {name: family.share for name, family in FAMILIES.items()}
    return str(rng.choice(list(chances), p=list(chances.values())))
