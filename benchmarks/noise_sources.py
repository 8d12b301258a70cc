"""Noise of a wanted PSNR, for measuring, by code of its own and not by the training generator: the strength is found by bisection,
spectra are shaped in the frequency domain, photons are drawn, and denoisers are libraries' own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.noise.psnr import grey_psnr

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Generator = np.random.Generator
Noise = Callable[[Generator, Floats, float], Floats]  # (rng, image 0-1, strength) -> noisy image 0-1


def to_linear(image: Floats) -> Floats:
    """The sRGB curve, exactly."""
    linear: Floats = np.where(image <= 0.04045, image / 12.92, ((np.maximum(image, 0) + 0.055) / 1.055) ** 2.4)
    return linear


def to_display(linear: Floats) -> Floats:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def shaped(rng: Generator, shape: tuple[int, ...], size: float) -> Floats:
    """Gaussian noise whose spectrum falls as a Gaussian: grains of about `size` pixels (deviation), unit variance."""
    spectrum = np.fft.rfft2(rng.standard_normal(shape), axes=(0, 1))
    v, u = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    fall = np.exp(-2 * (np.pi * size) ** 2 * (u**2 + v**2))
    field = np.fft.irfft2(spectrum * fall.reshape(*fall.shape, *[1] * (len(shape) - 2)), s=shape[:2], axes=(0, 1))
    scaled: Floats = field / field.std()
    return scaled


def white_grey(rng: Generator, image: Floats, strength: float) -> Floats:
    return image + strength * rng.standard_normal((*image.shape[:2], 1))


def white_color(rng: Generator, image: Floats, strength: float) -> Floats:
    return image + strength * rng.standard_normal(image.shape)


def per_channel(rng: Generator, image: Floats, strength: float) -> Floats:
    return image + strength * rng.standard_normal(image.shape) * rng.uniform(0.2, 1.0, 3)


def correlated(rng: Generator, image: Floats, strength: float) -> Floats:
    return image + strength * shaped(rng, image.shape, rng.uniform(0.4, 1.2))


def chroma(rng: Generator, image: Floats, strength: float) -> Floats:
    """Blotches in Cb and Cr over weak luma noise."""
    cb, cr = np.moveaxis(shaped(rng, (*image.shape[:2], 2), rng.uniform(0.5, 2.5)), 2, 0)
    luma = rng.uniform(0.2, 0.8) * rng.standard_normal(image.shape[:2])
    return image + strength * np.dstack([luma + 1.402 * cr, luma - 0.344 * cb - 0.714 * cr, luma + 1.772 * cb])


def photons(rng: Generator, image: Floats, strength: float) -> Floats:
    """Poisson counts and read noise in linear light."""
    full = 0.5 / strength**2  # electrons at white
    counts = rng.poisson(to_linear(image) * full) + rng.normal(0, 0.05 * full**0.5, image.shape)
    return to_display(counts / full)


def sensor(rng: Generator, image: Floats, strength: float, quiet: bool = False) -> Floats:
    """A Bayer sensor, demosaiced bilinearly or with Malvar's gradient-corrected filters; `quiet` is the same without noise."""
    from scipy.ndimage import convolve

    malvar = rng.random() < 0.5  # drawn before the noise, which takes any number of draws

    gains = np.array([rng.uniform(1.4, 2.2), 1.0, rng.uniform(1.4, 2.2)])
    masks = np.zeros(image.shape)
    masks[0::2, 0::2, 0] = masks[0::2, 1::2, 1] = masks[1::2, 0::2, 1] = masks[1::2, 1::2, 2] = 1
    raw = (masks * to_linear(image) / gains).sum(axis=2)
    full = 0.5 / strength**2
    if not quiet:
        raw = rng.poisson(np.maximum(raw, 0) * full) / full + rng.normal(0, 0.1 / full**0.5, raw.shape)
    cross, square = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4, np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    kernels = (square, cross, square)
    found = np.dstack([convolve(raw * masks[..., i], kernels[i], mode="mirror") for i in range(3)])
    if malvar:  # Malvar: the measured channel's Laplacian corrects the others
        second = np.array([[0, 0, -1, 0, 0], [0] * 5, [-1, 0, 4, 0, -1], [0] * 5, [0, 0, -1, 0, 0]]) / 8
        found = np.where(masks > 0, found, found + convolve(raw, second, mode="mirror")[..., None])
    return to_display(found * gains)


def denoised(rng: Generator, image: Floats, strength: float, quiet: bool = False) -> Floats:
    """What a denoiser leaves of sensor noise of twice the strength; `quiet` is the same denoiser on the picture without noise."""
    import cv2

    kind = rng.integers(3)
    noisy = np.clip(np.rint(255 * sensor(rng, image, 2 * strength, quiet)), 0, 255).astype(np.uint8)
    deviation = 255 * 2 * strength
    if kind == 0:
        return np.asarray(cv2.fastNlMeansDenoisingColored(noisy, None, deviation * 0.5, deviation, 3, 9)) / 255
    if kind == 1:
        return np.asarray(cv2.bilateralFilter(noisy, 7, deviation * 2, 2)) / 255
    return np.asarray(cv2.GaussianBlur(noisy, (0, 0), 0.8)) / 255


def grain(size: tuple[float, float], mono: bool) -> Noise:
    """Grain that is strongest in the mid-tones."""

    def add(rng: Generator, image: Floats, strength: float) -> Floats:
        field = shaped(rng, (*image.shape[:2], 1 if mono else 3), rng.uniform(*size))
        tone = image.mean(axis=2, keepdims=True)
        noise: Floats = strength * field * (0.3 + 2.8 * tone * (1 - tone))
        return image + noise

    return add


def log_grain(rng: Generator, image: Floats, strength: float) -> Floats:
    return (image + 0.02) * np.exp(2 * strength * shaped(rng, (*image.shape[:2], 1), rng.uniform(0.5, 1.5))) - 0.02


def banding(rng: Generator, image: Floats, strength: float) -> Floats:
    """Rows or columns that are too bright or too dark, with some white noise."""
    axis = int(rng.integers(2))
    line = rng.standard_normal((image.shape[0], 1, 1) if axis == 0 else (1, image.shape[1], 1))
    return image + strength * (line + rng.uniform(0.2, 0.6) * rng.standard_normal(image.shape))


def periodic(rng: Generator, image: Floats, strength: float) -> Floats:
    """A wave, as interference leaves it, with some white noise."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.5, 10)
    wave = np.sin(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)))[..., None]
    noise: Floats = strength * (wave + 0.4 * rng.standard_normal(image.shape))
    return image + noise


def salt_and_pepper(rng: Generator, image: Floats, strength: float) -> Floats:
    order = rng.random((*image.shape[:2], 1))
    share = min(4 * strength**2, 1.0)
    return np.where(order < share / 2, 0.0, np.where(order > 1 - share / 2, 1.0, image))


FAMILIES: dict[str, Noise] = {
    "white, grey": white_grey,
    "white, colour": white_color,
    "per channel": per_channel,
    "correlated": correlated,
    "chroma": chroma,
    "Poisson-Gaussian": photons,
    "demosaiced": sensor,
    "denoised": denoised,
    "grain, fine": grain((0.4, 0.8), True),
    "grain, medium": grain((0.8, 1.4), False),
    "grain, coarse": grain((1.4, 2.0), True),
    "grain, log-normal": log_grain,
    "banding": banding,
    "periodic": periodic,
    "salt and pepper": salt_and_pepper,
}


# What a camera does to the picture is no noise: these are measured against the same steps without noise.
WITHOUT_NOISE: dict[str, Noise] = {
    "demosaiced": partial(sensor, quiet=True),
    "denoised": partial(denoised, quiet=True),
}


def _to_uint8(image: Floats) -> Pixels:
    return np.clip(np.rint(255 * image), 0, 255).astype(np.uint8)


def add_noise(family: str, clean: Pixels, psnr: float, seed: int) -> tuple[Pixels, Pixels]:
    """(before, after) with about the wanted PSNR. Before is what the same steps give without noise."""
    image = clean / 255

    def make(noise: Noise, strength: float) -> Pixels:
        return _to_uint8(noise(np.random.default_rng(seed), image, strength))

    def pair(strength: float) -> tuple[Pixels, Pixels]:
        before = make(WITHOUT_NOISE[family], strength) if family in WITHOUT_NOISE else clean
        return before, make(FAMILIES[family], strength)

    low, high = np.log(5e-4), np.log(1.5)
    for _ in range(7):
        middle = (low + high) / 2
        low, high = (low, middle) if grey_psnr(*pair(float(np.exp(middle)))) < psnr else (middle, high)
    return pair(float(np.exp((low + high) / 2)))
