"""PSNR of grey images (the mean of R, G, B rounded to 8 bits), as the noise level is defined, and of colours alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOISE_FREE = 50.0  # dB; a higher PSNR counts as no noise


def grey(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Mean of the channels of uint8 (height, width, 3), rounded half up: int32 (height, width), 0-255."""
    total = image[..., 0].astype(np.int32) + image[..., 1] + image[..., 2]
    rounded: NDArray[np.int32] = (2 * total + 3) // 6
    return rounded


def grey_psnr(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """PSNR in dB of two uint8 images (height, width, 3) in grey, at most 50 (equal images have 50).

    >>> black = np.zeros((2, 2, 3), np.uint8)
    >>> round(grey_psnr(black, black + np.uint8(10)), 3)  # 20 log10(255 / 10)
    28.131
    """
    error = float(np.mean(np.square(grey(before) - grey(after)), dtype=np.float64))
    if error == 0:
        return NOISE_FREE
    return min(NOISE_FREE, float(10 * np.log10(255.0**2 / error)))


def colour_error(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Mean square, over R, G and B, of how far their differences lie from their own mean: noise of the colours alone."""
    error = after.astype(np.int32) - before
    total = error.sum(axis=2)
    return float(np.mean(np.square(3 * error - total[..., None]), dtype=np.float64)) / 9


def chroma_psnr(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """PSNR in dB of what differs in colour alone between two uint8 images (height, width, 3), at most 50.

    >>> black = np.zeros((2, 2, 3), np.uint8)
    >>> chroma_psnr(black, black + np.uint8(10))  # brighter, of the same colour
    50.0
    >>> round(chroma_psnr(black, black + np.array([10, 0, 0], np.uint8)), 3)  # 100 * 2 / 9
    34.661
    """
    error = colour_error(before, after)
    return NOISE_FREE if error == 0 else min(NOISE_FREE, float(10 * np.log10(255.0**2 / error)))
