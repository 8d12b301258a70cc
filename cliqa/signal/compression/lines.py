"""Along rows and columns: how far steps between neighbours depend on where they lie, and how much there is of each frequency.

A codec that works in blocks of 4, 8, 16, 32 or 64 leaves a period of that length in the mean step between columns, whatever its
phase; a loop filter leaves one too, of another sign. The power spectrum of that mean over 128 columns shows every period at once,
those of a resized picture as well. The power over frequency shows where a picture ends, by a codec's quantizer, its chroma planes or
a resize.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CLIP = 6  # larger steps are the picture's own edges, and count as this much
SMOOTHING = 9  # columns over which the picture's own change of contrast is taken out
FREQUENCIES = 64
FLOOR = np.float32(0.02)  # added to power before logarithms; by hand
EVERY = 8  # only every eighth line: neighbours look alike


def line_profiles(planes: Floats) -> Floats:
    """Mean clipped step and rate of no step, before each column and each row: (n, h, w) -> float32 (axis, 2, length - 1).

    Planes are square.
    """
    across, down = _clipped_steps(planes)
    still = [(across == 0).sum(axis=0, dtype=np.uint32), (down == 0).sum(axis=(0, 2), dtype=np.uint32)]
    return np.stack([_means(across, down), np.array(still, np.float32) / np.float32(len(across))], axis=1)


def mean_steps(planes: Floats) -> Floats:
    """The first of `line_profiles` alone: float32 (axis, length - 1)."""
    return _means(*_clipped_steps(planes))


def _clipped_steps(planes: Floats) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Steps of up to `CLIP` to the pixel on the left, (n * h, w - 1), and above, (n, h - 1, w)."""
    low = planes.min()
    narrow = np.uint8 if planes.max() - low < 256 else np.int16
    values = (planes - low).astype(narrow)  # narrow integers: several times as fast
    right, left, lower, upper = values[:, :, 1:], values[:, :, :-1], values[:, 1:], values[:, :-1]
    across = np.minimum(np.maximum(right, left) - np.minimum(right, left), CLIP).astype(np.uint8, copy=False)
    down = np.minimum(np.maximum(lower, upper) - np.minimum(lower, upper), CLIP).astype(np.uint8, copy=False)
    return across.reshape(-1, across.shape[2]), down


def _means(across: NDArray[np.uint8], down: NDArray[np.uint8]) -> Floats:
    sums = [across.sum(axis=0, dtype=np.uint32), down.sum(axis=(0, 2), dtype=np.uint32)]
    found: Floats = np.array(sums, np.float32) / np.float32(len(across))
    return found


def residual_profiles(profiles: Floats) -> Floats:
    """Profiles (..., length) less their running median: what single columns have that their neighbours have not."""
    half, length = SMOOTHING // 2, profiles.shape[-1]
    centres = np.arange(length)[:, None] + np.arange(-half, half + 1)
    windows = profiles[..., length - 1 - np.abs(length - 1 - np.abs(centres))]  # mirrored at both ends
    windows.partition(half)
    residual: Floats = profiles - windows[..., half]
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


@lru_cache(maxsize=4)
def _window(length: int) -> Floats:
    return np.hanning(length).astype(np.float32)


@lru_cache(maxsize=4)
def _waves(length: int) -> Floats:
    """The real DFT as a matrix (length, 2 * half): cosines and sines at 1 to length / 2 cycles, under a Hann window."""
    place, cycles = np.arange(length)[:, None], np.arange(1, length // 2 + 1)[None]
    angle = 2 * np.pi * place * cycles / length
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32) * _window(length)[:, None]


def line_spectrum(planes: Floats) -> tuple[Floats, Floats]:
    """Log of the mean power and mean of the log power at 1 to 64 cycles a tile: each float32 (64,), rows and columns together."""
    power = _line_power(planes)
    return np.log(power.mean(axis=0) + FLOOR), np.log(power + FLOOR).mean(axis=0)


def mean_spectrum(planes: Floats) -> Floats:
    """The first of `line_spectrum` alone, which takes half as long."""
    found: Floats = np.log(_line_power(planes).mean(axis=0) + FLOOR)
    return found


def _line_power(planes: Floats) -> Floats:
    rows = planes[:, ::EVERY].reshape(-1, planes.shape[2])
    columns = planes[:, :, ::EVERY].swapaxes(1, 2).reshape(-1, planes.shape[1])
    lines = np.concatenate([rows, columns])
    waves = (lines - lines.mean(axis=1, keepdims=True)) @ _waves(lines.shape[1])
    half = waves.shape[1] // 2
    power: Floats = waves[:, :half] ** 2 + waves[:, half:] ** 2
    power /= np.float32(lines.shape[1])
    return power
