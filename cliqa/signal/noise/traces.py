"""Traces that lossy codecs leave, which say how much of the noise they can have taken: WebP, AVIF, HEIC, JPEG.

Noise below half a quantizer step is gone, and what remains looks like a clean picture. The step shows in what the codec left: levels
that jump at the borders of its transforms, coefficients that it made zero, colours at half size, blocks without any variation.
"""

from __future__ import annotations

import numpy as np

from cliqa.compiled.library import compiled
from cliqa.signal.dct import BLOCK
from cliqa.signal.noise.blocks import (
    BANDS,
    OPPONENT,
    UNITS,
    ZERO,
    Decomposition,
    Floats,
    block_zero_shares,
    zero_shares,
)

PERIOD = 16  # pixels: the largest common multiple of WebP's and JPEG's borders, chroma at half size included
_RANGES = (0.5, 1.5, 2.5, 4.5, 8.5)  # levels
_SMALL = 4  # pixels a side of WebP's transform
_COLOURS = np.array([[-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)  # Cb and Cr
TRACES = PERIOD + PERIOD // 2 + 2 * _SMALL * _SMALL + 2 * BANDS.shape[1] + len(_RANGES)


def _small_dct() -> Floats:
    n = np.arange(_SMALL)
    rows = np.cos((2 * n[None, :] + 1) * n[:, None] * np.pi / (2 * _SMALL)) * np.sqrt(2 / _SMALL)
    rows[0] /= np.sqrt(2)
    return np.ascontiguousarray(rows.astype(np.float32))


_SMALL_ROWS = _small_dct()
_SMALL_DCT: Floats = np.ascontiguousarray(np.kron(_SMALL_ROWS, _SMALL_ROWS).T)


def codec_traces(parts: Decomposition) -> Floats:
    """Of tiles that lie on multiples of 16 pixels: float32 (`TRACES`,).

    Steps of luma at each of 16 places and of chroma at half size at each of 8, as logarithms against their mean; shares of 4x4
    coefficients of luma that are zero, on the grid and off it; the same of 8x8 coefficients of chroma at half size, by band; shares
    of 4x4 blocks of luma whose levels differ by no more than a few. Every second tile is read: as much is learnt in half the time.
    """
    luma = np.ascontiguousarray(parts.luma[::2])
    shares = (_COLOURS @ OPPONENT.T)[:, 1:] * (UNITS[1:] / 4)  # grey has no part in them
    first, second = parts.planes[2][1, ::2], parts.planes[2][2, ::2]
    colours = np.concatenate([first * share[0] + second * share[1] for share in shares])
    found = [_steps(luma, PERIOD), _steps(colours, PERIOD // 2)]
    found += [_small_zero_shares(luma, edge) for edge in (0, _SMALL // 2)]
    for shift in (0, BLOCK // 2):
        found.append(block_zero_shares(colours, shift) @ BANDS)
    spread = _extreme(luma, np.maximum) - _extreme(luma, np.minimum)
    found.append(np.array([np.mean(spread < most) for most in _RANGES], np.float32))
    return np.concatenate(found).astype(np.float32)


def _small_zero_shares(planes: Floats, edge: int) -> Floats:
    """`zero_shares` of the 4x4 blocks of planes (n, height, width) but for `edge` pixels at each side: (16,)."""
    library, (n, height, width) = compiled(), planes.shape
    if library is None or width - 2 * edge < 8 * _SMALL:  # as many blocks as the routine works on side by side
        inner = planes[:, edge : height - edge, edge : width - edge]
        return zero_shares(_cut(inner, _SMALL) @ _SMALL_DCT)
    counts = np.empty(_SMALL * _SMALL, np.int32)
    library.small_coefficients_of_four(planes, *planes.shape, edge, edge, _SMALL_ROWS, ZERO, counts)
    high, wide = ((side - 2 * edge) // _SMALL for side in (height, width))
    shares: Floats = counts.astype(np.float32) / np.float32(n * high * wide)
    return shares


def _extreme(planes: Floats, combine: np.ufunc) -> Floats:
    """The largest, say, of each 4x4 block: (n, height, width) -> (n, height / 4, width / 4)."""
    for _ in range(2):
        planes = combine(planes[:, 0::2], planes[:, 1::2])
    for _ in range(2):
        planes = combine(planes[:, :, 0::2], planes[:, :, 1::2])
    return planes


def _cut(planes: Floats, side: int) -> Floats:
    """(n, height, width) -> (blocks, side * side)."""
    n, height, width = planes.shape
    split = planes.reshape(n, height // side, side, width // side, side).transpose(0, 1, 3, 2, 4)
    return np.ascontiguousarray(split).reshape(-1, side * side)


def _steps(planes: Floats, period: int) -> Floats:
    """Mean absolute difference of neighbours by place, both axes, as logarithms against the mean over the places: (period,)."""
    library, (n, height, width) = compiled(), planes.shape
    if library is None:
        across = np.abs(planes[:, :, 1:] - planes[:, :, :-1]).reshape(-1, width - 1).mean(axis=0)
        down = np.abs(planes[:, 1:] - planes[:, :-1]).mean(axis=2).mean(axis=0)
    else:
        sums = np.empty(width - 1), np.empty(height - 1)
        library.clipped_steps(planes, *planes.shape, np.inf, *sums)
        across, down = (sums[0] / (n * height)).astype(np.float32), (sums[1] / (n * width)).astype(np.float32)
    steps = np.append((across + down) / 2, np.nan).reshape(-1, period)  # the last has no neighbour
    means = np.log(np.nanmean(steps, axis=0) + np.float32(0.02))
    result: Floats = (means - means.mean()).astype(np.float32)
    return result
