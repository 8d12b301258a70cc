"""IL-NIQE, a baseline for the zero-shot scores: distance of a picture's patches to a Gaussian of pristine ones, in many features.

Zhang, Zhang, Bovik, "A feature-enriched completely blind image quality evaluator", IEEE TIP 24(8), 2015: normalised luminance and
products of neighbours, gradients, responses of log-Gabor filters, and colours in logarithmic opponent axes; principal components; a
distance for every patch. Written from the paper's formulas; what differs: Weibull distributions are fitted by the moments of the
logarithm rather than by maximum likelihood, generalised Gaussians by the ratio of moments from a table, and the pristine model is
that of the photographs given here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]
Complex = NDArray[np.complex64]

SIDE, PATCH = 504, 84  # as published: the picture at about that size, 36 patches
COMPONENTS = 430  # likewise, of 468
SHARP_SHARE = 0.78  # likewise: of the sharpest patch of a pristine photograph
PHOTOGRAPHS = 200  # of which the pristine model is made: some thousands of patches, a few minutes
SCALES, TURNS = 3, 4  # log-Gabor filters; the next five lines as published
SHORTEST_WAVE, WAVE_RATIO, BANDWIDTH, TURN_SPREAD = 2.4, 1.31, 0.55, 1.10
GRADIENT_SIGMA = 1.66
# Intensity and two opponent colours of RGB (Geusebroek et al., 2001).
OPPONENT = np.array([[0.06, 0.63, 0.27], [0.30, 0.04, -0.35], [0.34, -0.60, 0.17]], np.float32)
_SHAPES = np.arange(0.2, 10.001, 0.005)
_RATIOS = np.array([math.gamma(2 / a) ** 2 / (math.gamma(1 / a) * math.gamma(3 / a)) for a in _SHAPES])
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
_EULER = 0.5772156649


def features(pixels: NDArray[np.uint8]) -> tuple[Array, Array]:
    """Of uint8 (h, w, 3): features (36, 468), and how sharp each patch is (36,)."""
    picture = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    rgb = np.asarray(picture, np.float32).transpose(2, 0, 1)
    parts, sharpness = [], np.empty(0, np.float32)
    for scale in range(2):
        found, deviation = _of_scale(rgb, PATCH >> scale)
        parts.append(found)
        sharpness = deviation if scale == 0 else sharpness
        rgb = rgb.reshape(3, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4)) if scale == 0 else rgb
    return np.concatenate(parts, axis=1), sharpness


def _of_scale(rgb: Array, patch: int) -> tuple[Array, Array]:
    """(36, 234): normalised luminance 18, gradients 18, colours 6, log-Gabor responses 192; and the patches' sharpness."""
    opponent = np.tensordot(OPPONENT, rgb, 1)
    side = rgb.shape[1]
    mean = _smooth(opponent[0])
    deviation = np.sqrt(np.abs(_smooth(np.square(opponent[0])) - np.square(mean)))
    normal = (opponent[0] - mean) / (deviation + 1)
    columns = [*_generalised(_cut(normal, patch))]
    for shift in _NEIGHBOURS:
        columns += _asymmetric(_cut(normal * np.roll(normal, shift, axis=(0, 1)), patch))
    across, down = _gradient_filters(side)
    for channel in opponent:
        # The filters are real in space, so one transform gives the derivative across as real part and that down as imaginary part
        columns += _derivatives(np.fft.ifft2(np.fft.fft2(channel) * (across + 1j * down)).astype(np.complex64), patch)
    logs = np.log(rgb + 1)
    logs -= logs.mean(axis=(1, 2), keepdims=True)
    red, green, blue = logs
    for axis in ((red + green + blue) / 3**0.5, (red + green - 2 * blue) / 6**0.5, (red - green) / 2**0.5):
        pixels = _cut(axis, patch)
        columns += [pixels.mean(1), pixels.var(1)]
    spectrum = np.fft.fft2(opponent[0]).astype(np.complex64)
    for gabor in _gabor_filters(side):
        response = spectrum * gabor
        even_odd = np.fft.ifft2(response).astype(np.complex64)
        sloped = [np.fft.ifft2(response * slope).astype(np.complex64) for slope in (across, down)]
        for part in ("real", "imag"):
            columns += _generalised(_cut(getattr(even_odd, part), patch))
            columns += _derivatives(getattr(sloped[0], part) + 1j * getattr(sloped[1], part), patch)
    return np.stack(columns, axis=1).astype(np.float32), _cut(deviation, patch).mean(1)


def _derivatives(slopes: Complex, patch: int) -> list[Array]:
    """Six of derivatives across (real) and down (imaginary): shape and scale of each, Weibull scale and shape of their magnitude."""
    magnitude = np.log(np.abs(_cut(slopes, patch)) + 1e-4)
    shape = np.pi / (6**0.5 * magnitude.std(1) + 1e-6)
    weibull = [np.exp(magnitude.mean(1) + _EULER / shape), shape]
    return [*_generalised(_cut(slopes.real, patch)), *_generalised(_cut(slopes.imag, patch)), *weibull]


def _generalised(pixels: Array) -> list[Array]:
    """Shape and scale of a generalised Gaussian, of each row."""
    square = np.square(pixels).mean(1) + 1e-8
    shape = _shape_of(np.square(np.abs(pixels).mean(1)) / square)
    return [shape, np.sqrt(square) * _gamma(1 / shape, 3 / shape)]


def _asymmetric(pixels: Array) -> list[Array]:
    """Shape, mean, and the scales of both sides of an asymmetric generalised Gaussian, of each row."""
    below, above = np.minimum(pixels, 0), np.maximum(pixels, 0)
    left = np.sqrt(np.square(below).sum(1) / np.maximum((pixels < 0).sum(1), 1) + 1e-8)
    right = np.sqrt(np.square(above).sum(1) / np.maximum((pixels > 0).sum(1), 1) + 1e-8)
    skew = left / right
    ratio = np.square(np.abs(pixels).mean(1)) / (np.square(pixels).mean(1) + 1e-8)
    shape = _shape_of(ratio * (skew**3 + 1) * (skew + 1) / np.square(skew**2 + 1))
    scale = _gamma(1 / shape, 3 / shape)
    left, right = left * scale, right * scale
    mean = (right - left) * np.square(_gamma(2 / shape, 1 / shape))
    return [shape, mean, left, right]


def _shape_of(ratio: Array) -> Array:
    return np.asarray(_SHAPES[np.searchsorted(_RATIOS, ratio).clip(0, len(_SHAPES) - 1)])


def _gamma(over: NDArray[Any], under: NDArray[Any]) -> NDArray[np.float64]:
    """sqrt(gamma(over) / gamma(under)) of arrays."""
    pairs = zip(over, under, strict=True)
    return np.array([math.exp((math.lgamma(a) - math.lgamma(b)) / 2) for a, b in pairs])


def _cut(plane: NDArray[Any], patch: int) -> NDArray[Any]:
    """(h, w) -> (patches, patch * patch)."""
    count = len(plane) // patch
    cells: NDArray[Any] = plane.reshape(count, patch, count, patch).swapaxes(1, 2)
    return cells.reshape(count * count, -1)


def _smooth(plane: Array) -> Array:
    """A Gaussian window of 5 pixels, sigma 5/6, edges mirrored."""
    weights = np.exp(-0.5 * np.square(np.arange(-2, 3) / (5 / 6)))
    weights /= weights.sum()
    padded = np.pad(plane, 2, mode="symmetric")
    down = sum(w * padded[i : i + len(plane)] for i, w in enumerate(weights))
    return np.asarray(sum(w * down[:, i : i + plane.shape[1]] for i, w in enumerate(weights)), np.float32)


@lru_cache(maxsize=4)
def _gradient_filters(side: int) -> tuple[Complex, Complex]:
    """Derivatives of a Gaussian, across and down, as what the spectrum of a picture of that side is multiplied by."""
    frequency = 2 * np.pi * np.fft.fftfreq(side)
    across, down = frequency[None], frequency[:, None]
    low = np.exp(-0.5 * GRADIENT_SIGMA**2 * (across**2 + down**2))
    return (1j * across * low).astype(np.complex64), (1j * down * low).astype(np.complex64)


@lru_cache(maxsize=4)
def _gabor_filters(side: int) -> tuple[Array, ...]:
    """Log-Gabor filters: `SCALES` wavelengths by `TURNS` directions, each one-sided, so that a response is even + i odd."""
    frequency = np.fft.fftfreq(side)
    across, down = frequency[None], frequency[:, None]
    radius, angle = np.hypot(across, down), np.arctan2(-down, across)
    radius[0, 0] = 1.0
    spread = np.pi / TURNS / TURN_SPREAD
    lowpass = 1 / (1 + (radius / 0.45) ** 30)  # Butterworth: nothing in the corners, which directions don't reach alike
    found = []
    for scale in range(SCALES):
        centre = 1 / (SHORTEST_WAVE * WAVE_RATIO**scale)
        radial = np.exp(-np.square(np.log(radius / centre)) / (2 * math.log(BANDWIDTH) ** 2)) * lowpass
        radial[0, 0] = 0.0
        for turn in range(TURNS):
            away = np.abs(np.angle(np.exp(1j * (angle - turn * np.pi / TURNS))))
            found.append((radial * np.exp(-np.square(away) / (2 * spread**2))).astype(np.float32))
    return tuple(found)


@dataclass(frozen=True)
class Pristine:
    """The model: `mean` (468,), `axes` (468, components), and the covariance along the axes."""

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def of(cls, pictures: Iterable[NDArray[np.uint8]]) -> Pristine:
        """Of photographs: their patches that are nearly as sharp as the sharpest."""
        found = []
        for pixels in pictures:
            rows, sharpness = features(pixels)
            found.append(rows[sharpness > SHARP_SHARE * sharpness.max()])
        rows = np.concatenate(found).astype(np.float64)
        mean = rows.mean(0)
        _, _, axes = np.linalg.svd(rows - mean, full_matrices=False)
        along = (rows - mean) @ axes[:COMPONENTS].T
        return cls(mean, axes[:COMPONENTS].T, np.cov(along.T))

    def distance(self, pixels: NDArray[np.uint8]) -> float:
        """Mean distance of a picture's patches: higher is worse."""
        along = (features(pixels)[0] - self.mean) @ self.axes
        inverse = np.linalg.pinv((self.covariance + np.cov(along.T)) / 2)
        return float(np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", along, inverse, along), 0)).mean())
