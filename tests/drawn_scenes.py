"""Pictures with edges, and the same blurred, for tests of sharpness."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def scene(height: int = 384, width: int = 384, seed: int = 0, count: int = 260) -> np.ndarray:
    """Antialiased shapes over one another, as leaves and houses have edges: uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    picture = np.full((2 * height, 2 * width, 3), 128, np.float32)
    for _ in range(count):
        x, y = rng.uniform(0, (2 * width, 2 * height))
        half = rng.uniform(6, 80, 2)
        turn, round_one, colour = rng.uniform(0, np.pi), rng.random() < 0.5, rng.uniform(20, 235) + rng.normal(0, 20, 3)
        reach = int(np.hypot(*half)) + 1
        top, left = max(0, int(y) - reach), max(0, int(x) - reach)
        part = picture[top : int(y) + reach, left : int(x) + reach]
        v, u = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
        along = ((u - x) * np.cos(turn) + (v - y) * np.sin(turn)) / half[0]
        across = ((v - y) * np.cos(turn) - (u - x) * np.sin(turn)) / half[1]
        part[np.hypot(along, across) < 1 if round_one else np.maximum(abs(along), abs(across)) < 1] = colour
    small = picture.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(ndimage.gaussian_filter(pixels.astype(float), (sigma, sigma, 0)).round(), np.uint8)
