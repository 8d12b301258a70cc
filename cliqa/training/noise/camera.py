"""Noise that went through a part of a camera: sensor, demosaicing, colours, denoising. The whole chain is `cliqa.training.noise.shots`.

Each function is `(rng, image, psnr) -> (base, noisy)`, as in `cliqa.training.noise.families`. Sources of the models: Poisson-Gaussian
noise in linear light (Foi et al. 2008), and the usual order of steps in a camera.
"""

from __future__ import annotations

import numpy as np

from cliqa.training.noise.demosaicing import DEMOSAICS, mosaic
from cliqa.training.noise.denoisers import blended, draw_denoiser
from cliqa.training.noise.fields import (
    Generator,
    Image,
    add_scaled,
    blur,
    coloured,
    encode,
    line_noise,
    linear_deviation,
    linearise,
    log_uniform,
    sensor_noise,
)


def poisson_gaussian(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Shot and read noise in linear light, without a mosaic, each channel with its own gain."""
    linear = linearise(image)
    gains = rng.uniform(0.5, 1.5, 3).astype(np.float32) if rng.random() < 0.5 else np.ones(3, np.float32)
    residual = sensor_noise(rng, linear, linear_deviation(psnr)) * gains
    if rng.random() < 0.2:
        residual = blur(residual, rng.uniform(0.3, 0.8))
    return image, add_scaled(image, encode(linear + residual) - image, psnr)


def draw_colours(rng: Generator) -> Image:
    """White balance, and in half of the cases a colour matrix: (3, 3), from the sensor's linear light to the display's."""
    to_display = np.diag([rng.uniform(1.2, 2.6), 1.0, rng.uniform(1.2, 2.6)]).astype(np.float32)
    if rng.random() < 0.5:  # rows sum to 1: grey stays grey, colours and their noise spread
        spread = rng.uniform(0.0, 0.5, (3, 3))
        np.fill_diagonal(spread, 0)
        to_display = (to_display @ (np.eye(3) * (1 + spread.sum(axis=0)) - spread)).astype(np.float32)
    return to_display


def raw_of(image: Image, to_display: Image) -> Image:
    """The RGGB mosaic that would show as `image`: linear light with white balance and colours undone."""
    return mosaic(linearise(image) @ np.linalg.inv(to_display).astype(np.float32))


def even(image: Image) -> Image:
    """Without the last row and column where their count is odd, as a mosaic needs."""
    return image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]


def camera(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Bayer sensor: white balance and colour matrix undone, noise, demosaicing, colours, gamma."""
    image = even(image)
    to_display = draw_colours(rng)
    raw = raw_of(image, to_display)
    deviation = linear_deviation(psnr)
    noisy = raw + sensor_noise(rng, raw, deviation)
    if rng.random() < 0.2:
        noisy = noisy + line_noise(rng, *raw.shape)[..., 0] * np.float32(deviation * rng.uniform(0.05, 0.4))
    demosaic = DEMOSAICS[int(rng.integers(len(DEMOSAICS)))]
    soft, rough = encode(demosaic(raw) @ to_display), encode(demosaic(noisy) @ to_display)
    base = soft if rng.random() < 0.7 else image
    return base, add_scaled(base, rough - soft, psnr)


def denoised(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """What a denoiser leaves of stronger noise: coarse blotches in flat areas, more of it along edges and in texture."""
    before = psnr - rng.uniform(2, 10)
    kind = rng.random()
    if kind < 0.7:
        base, noisy = camera(rng, image, before)
    elif kind < 0.85:
        base, noisy = poisson_gaussian(rng, image, before)
    else:
        base, noisy = image, add_scaled(image, rng.standard_normal(image.shape, dtype=np.float32), before)
    denoiser = draw_denoiser(rng, 255 / 10 ** (before / 20) * 1.5)
    if rng.random() < 0.3:
        denoiser = blended(rng, denoiser)
    soft, rough = denoiser(base), denoiser(noisy)
    if rng.random() < 0.4:  # and most cameras sharpen
        radius, amount = rng.uniform(0.6, 1.5), np.float32(rng.uniform(0.3, 1.5))
        soft, rough = (picture + amount * (picture - blur(picture, radius)) for picture in (soft, rough))
    soft, rough = np.clip(soft, 0, 255), np.clip(rough, 0, 255)
    residual = rough - soft
    if rng.random() < 0.2:  # denoisers work at one scale: what is coarser stays
        blotches = coloured(rng, (*soft.shape[:2], 1), 2.0, 6.0)
        residual = residual + blotches * residual.std() * np.float32(rng.uniform(0.1, 0.6))
    return soft, add_scaled(soft, residual, psnr)


def mixture(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """A high-ISO picture: sensor noise, blotches of colour and banding together."""
    base, noisy = camera(rng, image, psnr)
    residual = noisy - base
    height, width, _ = base.shape
    scale = np.float32(residual.std())
    colour = coloured(rng, (height, width, 2), 0.5, 4.0) * rng.uniform(0.4, 1, 2).astype(np.float32)
    mixing = np.array([[0.0, -0.344, 1.772], [1.402, -0.714, 0.0]], np.float32)  # Cb and Cr to R, G, B
    residual = residual + (colour @ mixing) * scale * np.float32(rng.uniform(0, 0.8))
    if rng.random() < 0.5:
        residual = residual + line_noise(rng, height, width) * scale * np.float32(rng.uniform(0, 0.4))
    if rng.random() < 0.3:
        residual = residual + coloured(rng, (height, width, 1), log_uniform(rng, 0.4, 2), 2.5) * scale
    return base, add_scaled(base, residual, psnr)
