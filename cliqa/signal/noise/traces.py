"""Traces that lossy codecs leave, which say how much of the noise they can have taken: WebP, AVIF, HEIC, JPEG.

Noise below half a quantizer step is gone, and what remains looks like a clean picture. The step shows in what the codec left: levels
that jump at the borders of its transforms, coefficients that it made zero, colours at half size, blocks without any variation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA32
from cliqa.signal.dct import BLOCK
from cliqa.signal.noise.blocks import BANDS, Floats, block_coefficients, halve

PERIOD = 16  # pixels: the largest common multiple of WebP's and JPEG's borders, chroma at half size included
_ZERO = np.float32(0.7)  # coefficients that rounding to 8 bits leaves of zero
_RANGES = (0.5, 1.5, 2.5, 4.5, 8.5)  # levels
_SMALL = 4  # pixels a side of WebP's transform
_COLOURS = np.array([[-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)  # Cb and Cr
TRACES = PERIOD + PERIOD // 2 + 2 * _SMALL * _SMALL + 2 * BANDS.shape[1] + len(_RANGES)


def _small_dct() -> Floats:
    n = np.arange(_SMALL)
    rows = np.cos((2 * n[None, :] + 1) * n[:, None] * np.pi / (2 * _SMALL)) * np.sqrt(2 / _SMALL)
    rows[0] /= np.sqrt(2)
    return np.ascontiguousarray(np.kron(rows, rows).T.astype(np.float32))


_SMALL_DCT = _small_dct()


def codec_traces(tiles: NDArray[np.uint8]) -> Floats:
    """Of uint8 tiles (n, 3, size, size) that lie on multiples of 16 pixels: float32 (`TRACES`,).

    Steps of luma at each of 16 places and of chroma at half size at each of 8, as logarithms against their mean; shares of 4x4
    coefficients of luma that are zero, on the grid and off it; the same of 8x8 coefficients of chroma at half size, by band; shares
    of 4x4 blocks of luma whose levels differ by no more than a few.
    """
    wide = tiles[::2].astype(np.float32)  # every second: as much is learnt in half the time
    luma = np.tensordot(wide, LUMA32, axes=(1, 0))
    colours = np.concatenate([halve(np.tensordot(wide, row, axes=(1, 0))) for row in _COLOURS])
    found = [_steps(luma, PERIOD), _steps(colours, PERIOD // 2)]
    blocks = _cut(luma, _SMALL)
    for shifted in (blocks, _cut(luma[:, 2:-2, 2:-2], _SMALL)):
        found.append((np.abs(shifted @ _SMALL_DCT) < _ZERO).mean(axis=0, dtype=np.float32))
    for shift in (0, BLOCK // 2):
        zero = np.abs(block_coefficients(colours[:, shift:, shift:])) < _ZERO
        found.append(zero.mean(axis=0, dtype=np.float32) @ BANDS)
    spread = blocks.max(axis=1) - blocks.min(axis=1)
    found.append(np.array([np.mean(spread < most) for most in _RANGES], np.float32))
    return np.concatenate(found).astype(np.float32)


def _cut(planes: Floats, side: int) -> Floats:
    """(n, height, width) -> (blocks, side * side)."""
    n, height, width = planes.shape
    split = planes.reshape(n, height // side, side, width // side, side).transpose(0, 1, 3, 2, 4)
    return np.ascontiguousarray(split).reshape(-1, side * side)


def _steps(planes: Floats, period: int) -> Floats:
    """Mean absolute difference of neighbours by place, both axes, as logarithms against the mean over the places: (period,)."""
    across = np.abs(planes[:, :, 1:] - planes[:, :, :-1]).mean(axis=(0, 1))
    down = np.abs(planes[:, 1:] - planes[:, :-1]).mean(axis=(0, 2))
    steps = np.append((across + down) / 2, np.nan).reshape(-1, period)  # the last has no neighbour
    means = np.log(np.nanmean(steps, axis=0) + np.float32(0.02))
    result: Floats = (means - means.mean()).astype(np.float32)
    return result
