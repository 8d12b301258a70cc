"""Power over frequency along rows and columns: where a picture ends, by a codec's quantizer, its chroma planes or a resize."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
FLOOR = np.float32(0.02)  # added to power before logarithms; by hand
EVERY = 8  # only every eighth line: neighbours look alike


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
