"""Denoisers as cameras, phones and editors use them, for what they leave of noise.

A denoiser maps float32 (height, width, 3) in 0-255 to the same. `draw_denoiser` draws one, with its settings, for noise of a given
deviation, so that a picture with and one without noise go through the same.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from cliqa.training.noise.fields import Generator, Image, blur, grey_of

Denoiser = Callable[[Image], Image]


def draw_denoiser(rng: Generator, deviation: float) -> Denoiser:
    """A denoiser for noise of `deviation` (0-255), half to twice as strong as would fit."""
    strength = deviation * float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))
    kind = rng.random()
    if kind < 0.14:
        size, reach = (5, 1.5) if rng.random() < 0.5 else (7, 2.5)
        return lambda image: np.asarray(cv2.bilateralFilter(image, size, strength * 3, reach), np.float32)
    if kind < 0.28:
        levels = int(rng.integers(2, 4))
        return lambda image: shrink(image, strength, levels)
    if kind < 0.36:
        return lambda image: haar_shrink(image, strength)
    if kind < 0.46:
        window = int(rng.choice([3, 5, 7]))
        return lambda image: local_wiener(image, strength * 1.5, window)
    if kind < 0.66:
        luma, chroma = strength * rng.uniform(0.2, 0.8), rng.uniform(1.0, 3.0)
        return lambda image: luma_and_chroma(image, luma, chroma)
    if kind < 0.76:
        size = 3 if rng.random() < 0.75 else 5
        return lambda image: np.asarray(cv2.medianBlur(image, size), np.float32)
    if kind < 0.88:
        sigma = float(rng.uniform(0.4, 1.3))
        return lambda image: blur(image, sigma)
    if kind < 0.94:
        return lambda image: total_variation(image, strength)
    grey, colour = strength * rng.uniform(0.4, 1.0), strength * rng.uniform(0.6, 1.4)
    return lambda image: nonlocal_means(image, grey, colour)


def blended(rng: Generator, denoiser: Denoiser) -> Denoiser:
    """The denoiser with part of the original mixed back in."""
    share = np.float32(rng.uniform(0.1, 0.5))
    return lambda image: denoiser(image) * (1 - share) + image * share


def kept_at_edges(denoiser: Denoiser, level: float) -> Denoiser:
    """The denoiser where the picture is flat, the picture as it was at edges stronger than `level`, as most cameras do it."""

    def apply(image: Image) -> Image:
        smooth = denoiser(image)
        return smooth + edge_weight(smooth, level) * (image - smooth)

    return apply


def edge_weight(image: Image, level: float) -> Image:
    """0 in flat areas to 1 at edges: (height, width, 1). Half way where the grey rises by 0.8 times `level` per pixel."""
    grey = blur(grey_of(image), 1.0)
    slope_x, slope_y = (cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    steep = cv2.GaussianBlur(slope_x * slope_x + slope_y * slope_y, (0, 0), 1.5)
    return np.asarray(1 - np.exp(-steep / np.float32(level**2)), np.float32)[..., None]


def shrink(image: Image, deviation: float, levels: int) -> Image:
    """Soft-threshold differences of Gaussians, from fine to coarse."""
    coarse, result = image, np.zeros_like(image)
    for level in range(levels):
        smoother = blur(coarse, 0.8 * 2**level)
        detail = coarse - smoother
        limit = np.float32(1.5 * deviation / 2**level)
        result += detail - np.clip(detail, -limit, limit)
        coarse = smoother
    return np.asarray(result + coarse, np.float32)


def haar_shrink(image: Image, deviation: float) -> Image:
    """Soft-threshold one level of the undecimated Haar wavelet."""
    shifted = {(dy, dx): np.roll(image, (-dy, -dx), (0, 1)) for dy in (0, 1) for dx in (0, 1)}
    a, b, c, d = (shifted[key] for key in ((0, 0), (0, 1), (1, 0), (1, 1)))
    limit = np.float32(1.5 * deviation)
    details = [(a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2]
    kept = [detail - np.clip(detail, -limit, limit) for detail in details]
    return np.asarray((a + b + c + d) / 4 + (kept[0] + kept[1] + kept[2]) / 2, np.float32)


def local_wiener(image: Image, deviation: float, window: int) -> Image:
    """Wiener's filter by local mean and variance: flat areas are smoothed, edges kept."""
    mean = cv2.blur(image, (window, window))
    variance = cv2.blur(image * image, (window, window)) - mean * mean
    noise = np.float32(deviation**2)
    share = np.maximum(variance - noise, 0) / np.maximum(variance, np.float32(1e-3))
    return np.asarray(mean + share * (image - mean), np.float32)


def luma_and_chroma(image: Image, luma_deviation: float, chroma_sigma: float) -> Image:
    """Luma a little, chroma strongly, as cameras do."""
    luma = grey_of(image)
    return np.asarray(shrink(luma, luma_deviation, 2) + blur(image - luma, chroma_sigma), np.float32)


def total_variation(image: Image, deviation: float, rounds: int = 12) -> Image:
    """A few rounds of projected gradient for the dual of total variation (Chambolle 2004)."""
    weight, step = np.float32(deviation * 0.8), np.float32(0.24)
    dual_y, dual_x = np.zeros_like(image), np.zeros_like(image)
    result = image
    for _ in range(rounds):
        dual_y[:-1] += step / weight * np.diff(result, axis=0)
        dual_x[:, :-1] += step / weight * np.diff(result, axis=1)
        np.clip(dual_y, -1, 1, out=dual_y)
        np.clip(dual_x, -1, 1, out=dual_x)
        divergence = dual_y + dual_x
        divergence[1:] -= dual_y[:-1]
        divergence[:, 1:] -= dual_x[:, :-1]
        result = image + weight * divergence
    return np.asarray(result, np.float32)


def nonlocal_means(image: Image, grey: float, colour: float) -> Image:
    """OpenCV's, in 8 bits."""
    levels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return np.asarray(cv2.fastNlMeansDenoisingColored(levels, None, grey, colour, 3, 9), np.float32)
