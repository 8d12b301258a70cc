"""SSIMULACRA 2 of pixels in memory, several times as fast as the package `ssimulacra2`, whose weights and steps it takes.

Score by Jon Sneyers (https://github.com/cloudinary/ssimulacra2): 100 the same picture, 90 visually lossless, 70 high, 50 medium,
30 low quality, below zero for what is far worse. The package reads files and filters with SciPy in double precision; here OpenCV
filters in single precision. Both agree to a few hundredths.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Planes = NDArray[np.float32]

SCALES = 6
_SMALLEST = 8  # scales of shorter sides are left out
_C2 = 0.0009
_DEVIATION, _RADIUS = 1.5, 5


@lru_cache(maxsize=1)
def _constants() -> tuple[NDArray[np.float64], Planes, Planes, Planes]:
    """Weights of the features, the blur's taps, the matrix to cones and the table of linear light."""
    from ssimulacra2 import ssimulacra2 as package

    taps = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / _DEVIATION) ** 2)
    levels = np.arange(256) / 255.0
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    matrix = np.asarray(package.kOpsinAbsorbanceMatrix, np.float32).reshape(3, 3)
    return np.asarray(package.weights), (taps / taps.sum()).astype(np.float32), matrix, linear.astype(np.float32)


def fidelity(original: Pixels, now: Pixels) -> float:
    """SSIMULACRA 2 between two RGB pictures of one size, uint8 (height, width, 3), at most 100; not bounded below."""
    weights, _, _, table = _constants()
    first, second = table[original], table[now]
    features = np.zeros((3, SCALES, 2, 3))  # plane, scale, norm, kind: the order of the weights
    for scale in range(SCALES):
        if scale:
            first, second = _halved(first), _halved(second)
        if min(first.shape[:2]) < _SMALLEST:
            features = np.ascontiguousarray(features[:, :scale])
            break
        features[:, scale] = _scale_features(_positive_xyb(first), _positive_xyb(second))
    loss = float(np.abs(features.ravel()) @ weights[: features.size]) * 0.9562382616834844
    loss = 2.326765642916932 * loss - 0.020884521182843837 * loss**2 + 6.248496625763138e-05 * loss**3
    return 100.0 - 10.0 * loss**0.6276336467831387 if loss > 0 else 100.0


def _positive_xyb(linear: Planes) -> Planes:
    _, _, matrix, _ = _constants()
    bias = np.float32(0.0037930732552754493)
    cones = np.cbrt(np.maximum(linear @ matrix.T + bias, 0)) - np.cbrt(bias)
    x, y = (cones[..., 0] - cones[..., 1]) * 0.5, (cones[..., 0] + cones[..., 1]) * 0.5
    return np.stack([x * 14 + np.float32(0.42), y + np.float32(0.01), cones[..., 2] - y + np.float32(0.55)], axis=-1)


def _halved(linear: Planes) -> Planes:
    height, width = linear.shape[:2]
    padded = np.pad(linear, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    total = padded[0::2, 0::2] + padded[1::2, 0::2] + padded[0::2, 1::2] + padded[1::2, 1::2]
    return np.asarray(total * np.float32(0.25), np.float32)


def _blurred(planes: Planes) -> Planes:
    """Gaussian; mirrored at the upper and lower border, zeros beyond the left and right one, as the package does it."""
    import cv2

    taps = _constants()[1]
    padded = cv2.copyMakeBorder(planes, 0, 0, _RADIUS, _RADIUS, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    found = cv2.sepFilter2D(padded, -1, taps, taps, borderType=cv2.BORDER_REFLECT)
    return np.asarray(found[:, _RADIUS:-_RADIUS], np.float32)


def _scale_features(first: Planes, second: Planes) -> NDArray[np.float64]:
    """(plane, norm, kind): kinds are SSIM, artefacts and lost detail; norms the mean and the root of the mean fourth power."""
    mean_a, mean_b = _blurred(first), _blurred(second)
    square_a, square_b, cross = _blurred(first * first), _blurred(second * second), _blurred(first * second)
    apart = mean_a - mean_b
    structure = 2 * (cross - mean_a * mean_b) + np.float32(_C2)
    energy = (square_a - mean_a * mean_a) + (square_b - mean_b * mean_b) + np.float32(_C2)
    ssim = np.maximum(1 - (1 - apart * apart) * structure / energy, 0)
    edges = (1 + np.abs(second - mean_b)) / (1 + np.abs(first - mean_a)) - 1
    found = np.zeros((3, 2, 3))
    for kind, values in enumerate((ssim, np.maximum(edges, 0), np.maximum(-edges, 0))):
        found[:, 0, kind] = values.mean(axis=(0, 1), dtype=np.float64)
        squares = values * values
        found[:, 1, kind] = (squares * squares).mean(axis=(0, 1), dtype=np.float64) ** 0.25
    return found
