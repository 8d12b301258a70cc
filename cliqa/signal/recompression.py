"""The quality at which compressing again changes least for the bits: evidence that survives clipped pixels.

Where a decoder had to clip pixels at 0 or 255, coefficients leave their lattice. But quantizing them again with the right
steps mostly finds the old levels, and decoding and clipping those gives the very pixels back. So the description length,
bits for the levels plus bits for what they leave unexplained, has a dip at the right quality.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.luma_blocks import dct_blocks, inverse_dct_blocks
from cliqa.signal.quantization import LUMA_TABLES

Floats = NDArray[np.float32]
BLOCKS = 96
QUALITIES = np.arange(1, 101)


def description_lengths(blocks: Floats, qualities: NDArray[np.int64] = QUALITIES) -> Floats:
    """Bits per block at each IJG quality, for luma blocks (n, 64), pixels minus 128: float32 (qualities,).

    Levels cost 2 log2(1 + |k|) + 1 bits where they are not 0; residuals what a normal of their block's variance costs
    beyond 8-bit rounding.
    """
    if not len(blocks):
        return np.zeros(len(qualities), np.float32)
    chosen = blocks[:: max(1, len(blocks) // BLOCKS)][:BLOCKS]
    coefficients = dct_blocks(chosen)
    lengths = np.empty(len(qualities), np.float32)
    for index, quality in enumerate(qualities):
        steps = LUMA_TABLES[quality - 1].astype(np.float32)[:, None]
        levels = np.rint(coefficients / steps)
        again = np.clip(np.rint(inverse_dct_blocks(levels * steps)), -128, 127)
        variance = np.square(chosen - again).mean(axis=1)
        size = np.abs(levels[1:])
        bits = 2 * np.log2(1 + size).sum() + np.count_nonzero(size) + 32 * np.log2(1 + 12 * variance).sum()
        lengths[index] = bits / len(chosen)
    return lengths
