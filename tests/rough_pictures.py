"""Pictures with detail at all scales, as tests of enlargement need them."""

from __future__ import annotations

import numpy as np


def rough(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture with detail at all scales, uint8."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(height, width)))
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    values = np.fft.irfft2(spectrum / np.maximum(np.hypot(fy, fx), 1 / 64), (height, width))
    return np.clip(128 + 50 * values / values.std(), 0, 255).astype(np.uint8)


def colored(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A grey-ish picture: three channels that share most of their detail."""
    base = rough(height, width, seed).astype(np.float32)
    tints = [0.15 * (rough(height, width, seed + 1 + channel) - 128.0) for channel in range(3)]
    return np.clip(np.stack([base + tint for tint in tints], axis=2), 0, 255).astype(np.uint8)
