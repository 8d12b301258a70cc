"""Random fields and the steps that turn them into noise of a wanted strength.

Images are float32 (height, width, 3) in 0-255. The strength of noise is one number: the PSNR of the grey images (mean of R, G, B)
before and after.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Generator = np.random.Generator

GAMMA = 2.2  # a plain power: the exact curve is each camera's own


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """A number between `low` and `high`, uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def grey_of(image: Image) -> Image:
    """Mean of the channels: (height, width, channels) -> (height, width, 1)."""
    count = image.shape[2]
    return np.asarray(image @ np.full((count, 1), 1 / count, np.float32), np.float32)


def add_scaled(base: Image, residual: Image, psnr: float) -> Image:
    """base + gain * residual, with the gain that gives `psnr` dB in grey after clipping to 0-255."""
    wanted = 255.0**2 / 10 ** (psnr / 10)
    gain = np.sqrt(wanted / max(float(np.mean(np.square(grey_of(residual)))), 1e-12))
    for _ in range(3):
        noisy: Image = np.clip(base + np.float32(gain) * residual, 0, 255)
        got = float(np.mean(np.square(grey_of(noisy - base))))
        if abs(got / wanted - 1) < 0.02 or got <= 0:
            break
        gain *= min(np.sqrt(wanted / got), 2.0)
    return noisy


def white(rng: Generator, shape: tuple[int, ...]) -> Image:
    """White noise of unit variance: mostly Gaussian, now and then Laplacian or uniform."""
    kind = rng.random()
    if kind < 0.9:
        return rng.standard_normal(shape, dtype=np.float32)
    if kind < 0.95:
        return rng.laplace(0, np.sqrt(0.5), shape).astype(np.float32)
    return np.asarray((rng.random(shape, dtype=np.float32) - np.float32(0.5)) * np.float32(12**0.5), np.float32)


def blur(field: Image, sigma: float, sigma_y: float | None = None) -> Image:
    """Gaussian blur that keeps the shape (height, width, channels)."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma, sigmaY=sigma_y or sigma), np.float32).reshape(field.shape)


def unit(field: Image) -> Image:
    """Scaled to a deviation of 1."""
    return np.asarray(field / np.float32(max(float(field.std()), 1e-6)), np.float32)


def coloured(rng: Generator, shape: tuple[int, ...], low: float = 0.35, high: float = 1.6) -> Image:
    """Correlated noise of unit deviation: blurred, directional, band-passed, box-filtered, interpolated, or two sizes mixed."""
    kind, sigma = rng.random(), log_uniform(rng, low, high)
    if kind < 0.1:  # noise of a smaller picture, enlarged
        return enlarged(rng, shape, 1 + sigma)
    field = white(rng, shape)
    if kind < 0.5:
        field = blur(field, sigma)
    elif kind < 0.65:
        field = blur(field, sigma, sigma * rng.uniform(0.4, 2.5))
    elif kind < 0.75:
        field = blur(field, sigma) - blur(field, sigma * rng.uniform(1.5, 3))
    elif kind < 0.85:
        box = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        field = np.asarray(cv2.blur(field, box), np.float32).reshape(shape)
    else:
        other = blur(white(rng, shape), sigma * rng.uniform(1, 2))
        field = np.float32(rng.uniform(0.2, 1)) * field + unit(other)
    return unit(field)


def enlarged(rng: Generator, shape: tuple[int, ...], factor: float) -> Image:
    """White noise made `factor` times smaller and enlarged to `shape`, by one of four kernels; unit deviation."""
    height, width = (max(4, round(side / factor)) for side in shape[:2])
    how = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[int(rng.integers(4))]
    small = rng.standard_normal((height, width, *shape[2:]), dtype=np.float32)
    return unit(np.asarray(cv2.resize(small, (shape[1], shape[0]), interpolation=how), np.float32).reshape(shape))


def linearise(image: Image) -> Image:
    """Display values 0-255 -> linear light 0-1."""
    return np.asarray(cv2.pow(image * np.float32(1 / 255), GAMMA), np.float32).reshape(image.shape)


def encode(linear: Image) -> Image:
    """Linear light 0-1 -> display values 0-255, clipped."""
    display = cv2.pow(np.clip(linear, 0, 1), 1 / GAMMA)
    return np.asarray(display * np.float32(255), np.float32).reshape(linear.shape)


def sensor_noise(rng: Generator, linear: Image, deviation: float, shot: float | None = None) -> Image:
    """Shot noise (variance proportional to light) and read noise, about `deviation` of full scale at mid-grey."""
    share = np.float32(rng.uniform(0, 1) ** 0.3 if shot is None else shot)
    if share > 0.3 and deviation > 0.02 and rng.random() < 0.2:  # few photons: counted
        full = np.float32(0.2 / (share * deviation**2))  # photons at white
        counts = rng.poisson(np.maximum(linear, 0) * full).astype(np.float32) / full - np.maximum(linear, 0)
        read = np.float32(deviation * np.sqrt((1 - share) * rng.uniform(0.1, 1)))
        return np.asarray(counts + read * rng.standard_normal(linear.shape, dtype=np.float32), np.float32)
    variance = share * np.maximum(linear, 0) / np.float32(0.2) + (1 - share) * np.float32(rng.uniform(0.1, 1))
    return np.asarray(rng.standard_normal(linear.shape, dtype=np.float32) * np.sqrt(variance) * np.float32(deviation))


def linear_deviation(psnr: float) -> float:
    """Linear-light deviation that is about `psnr` at mid-grey, where the slope of the gamma curve is near 1."""
    return float(10 ** (-psnr / 20))


def line_noise(rng: Generator, height: int, width: int) -> Image:
    """One value for each row, each column, or both, white or correlated: float32 (height, width, 1), unit deviation."""
    field = np.zeros((height, width, 1), np.float32)
    both = rng.random() < 0.2
    vertical = rng.random() < 0.5
    for axis in (0, 1):
        if both or vertical == (axis == 1):
            line = rng.standard_normal((height, 1, 1) if axis == 0 else (1, width, 1)).astype(np.float32)
            if rng.random() < 0.4:
                line = blur(line, log_uniform(rng, 0.5, 6)).reshape(line.shape)
            field = field + line / max(float(line.std()), 1e-6)
    return field
