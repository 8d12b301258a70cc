"""Grids of blocks: how far steps between neighbouring columns (and rows) depend on where they lie.

A codec that works in blocks of 4, 8, 16, 32 or 64 leaves a period of that length in the mean step between columns, whatever its
phase; a loop filter leaves one too, of another sign. The power spectrum of that mean over 128 columns shows every period at once,
those of a resized picture as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CLIP = 6  # larger steps are the picture's own edges, and count as this much
SMOOTHING = 9  # columns over which the picture's own change of contrast is taken out
FREQUENCIES = 64


def line_profiles(planes: Floats) -> Floats:
    """Mean clipped step and rate of no step, before each column and each row: (n, h, w) -> float32 (axis, 2, length - 1).

    Planes are square.
    """
    count, side, _ = planes.shape
    low = float(planes.min())
    narrow = np.uint8 if planes.max() - low < 256 else np.int16
    values = (planes - np.float32(low)).astype(narrow)  # narrow integers: several times as fast
    right, left, lower, upper = values[:, :, 1:], values[:, :, :-1], values[:, 1:], values[:, :-1]
    across = np.minimum(np.maximum(right, left) - np.minimum(right, left), CLIP).astype(np.uint8).reshape(-1, side - 1)
    down = np.minimum(np.maximum(lower, upper) - np.minimum(lower, upper), CLIP).astype(np.uint8)
    found = [
        (across.sum(axis=0, dtype=np.uint32), (across == 0).sum(axis=0, dtype=np.uint16)),
        (down.sum(axis=(0, 2), dtype=np.uint32), (down == 0).sum(axis=(0, 2), dtype=np.uint16)),
    ]
    return np.asarray(np.array(found, np.float32) / np.float32(count * side), np.float32)


def residual_profiles(profiles: Floats) -> Floats:
    """Profiles (..., length) less their running median: what single columns have that their neighbours have not."""
    half = SMOOTHING // 2
    padded = np.pad(profiles, [(0, 0)] * (profiles.ndim - 1) + [(half, half)], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHING, axis=-1)
    residual: Floats = profiles - np.median(windows, axis=-1).astype(np.float32)
    return residual


def phase(profile: Floats, period: int) -> int:
    """The column (0 to period - 1) at which blocks of a period most likely start, by the residual of a step profile."""
    places = (np.arange(len(profile)) + 1) % period
    sums = np.bincount(places, weights=profile, minlength=period) / np.bincount(places, minlength=period)
    return int(sums.argmax())


def periods(residual: Floats) -> Floats:
    """Log power of residual profiles (..., length) at 1 to 64 cycles a tile, both axes together: float32 (kinds, 64)."""
    spectrum = np.abs(np.fft.rfft(residual, n=2 * FREQUENCIES, axis=-1))[..., 1 : FREQUENCIES + 1] ** 2
    found: Floats = np.log(spectrum.mean(axis=0) + 1e-4).astype(np.float32)
    return found
