"""PSNR of grey images: the mean of R, G, B rounded to 8 bits, as the noise level is defined."""

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
