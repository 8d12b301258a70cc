"""Clean pictures, and the same with noise."""

from __future__ import annotations

import numpy as np
from PIL import Image


def scene(height: int = 384, width: int = 384, seed: int = 0) -> np.ndarray:
    """A clean picture: soft shapes and a few edges, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (6, 6, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    y, x = np.mgrid[:height, :width]
    image[(x - 0.6 * width) ** 2 + (y - 0.4 * height) ** 2 < (0.2 * min(height, width)) ** 2] *= 0.6
    small = Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return np.asarray(small)


def add_noise(pixels: np.ndarray, deviation: float, seed: int = 1) -> np.ndarray:
    """White noise that the three channels share."""
    noise = np.random.default_rng(seed).normal(0, deviation, (*pixels.shape[:2], 1))
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
