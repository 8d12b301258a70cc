"""Does quantizing again give the very pixels back? Re-decoding as evidence of a save, clipped pixels and all.

A decoder's luma is round(IDCT(step * level)), clipped to 0-255. So at the table of the last save the levels that are read from the
pixels, decoded again, lie within half a grey level of every pixel: blocks are *exact*. Hardly any wrong table does that. At qualities
above 95, whose steps of 1 and 2 are no larger than the rounding noise, exact blocks become rare, and say nothing.

Where pixels were clipped, coefficients leave their lattice. But a clipped pixel only says that the decoder's value was
at the end or beyond. So levels are found by turns: quantize, decode, and put the decoded values where the clipped pixels allow them.

The likelihood is in form of a description length (Rissanen): bits for the levels, by a universal code, and bits for what they
leave unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import DCT64, Blocks
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

LIMIT = 0.56
"""Largest distance of a pixel from its decoded value: half a grey level, and a little for decoders' fixed-point arithmetic."""
TURNS = 5
"""How often levels are corrected by what they decode to; no tuning on record."""
INEXACT = 128.0
"""Bits that a block costs which should be exact and is not: a decoder that leaves some is nearly unheard of."""
_TABLES = LUMA_TABLES.astype(np.float32)
_FLIPS_1, _FLIPS_2 = 0.085, 0.0006
"""How often rounding noise (deviation 0.29) moves a coefficient to another level, at a step of 1 and of 2."""
EXPECTED: Floats = (
    (1 - _FLIPS_1) ** (LUMA_TABLES == 1).sum(axis=1) * (1 - _FLIPS_2) ** (LUMA_TABLES == 2).sum(axis=1)
).astype(np.float32)
"""(100,): share of exact blocks to expect at least at the right quality."""


@dataclass(frozen=True)
class Redecoded:
    """What quantizing again at each of some qualities does: `bits` per block, and the share of `exact` blocks; both (m,)."""

    bits: Floats
    exact: Floats


def redecode(blocks: Blocks, qualities: NDArray[np.integer], turns: int = TURNS) -> Redecoded:
    """Quantize and decode luma blocks again at each of the IJG `qualities` (1-100).

    Args:
        turns: how often to quantize and decode where pixels were clipped; one time is enough where none were.
    """
    count, tried = len(blocks), len(qualities)
    if not count or not tried:
        return Redecoded(np.zeros(tried, np.float32), np.zeros(tried, np.float32))
    steps = _TABLES[np.asarray(qualities) - 1][:, None, :]  # (m, 1, 64)
    inverse = 1 / steps
    pixels, dark, light = blocks.pixels, blocks.dark, blocks.light
    levels = np.multiply((pixels @ DCT64.T)[None], inverse)  # (m, n, 64)
    np.rint(levels, out=levels)
    if dark is None or light is None:
        error = np.matmul(levels * steps, DCT64)
        error -= pixels
        known: Floats | float = 64.0
    else:
        both = dark & light
        known = np.maximum(64 - (dark | light).sum(axis=1), 1).astype(np.float32)
        # a clipped pixel's value lies between its own and the end that it was clipped at
        low = np.where(dark, np.float32(-np.inf), pixels)
        high = np.where(light, np.float32(np.inf), pixels)
        low, high = np.where(both, -np.inf, low).astype(np.float32), np.where(both, np.inf, high).astype(np.float32)
        for turn in range(turns):
            decoded = np.matmul(levels * steps, DCT64)
            allowed = np.clip(decoded, low, high)
            if turn + 1 < turns:
                levels = np.rint(np.matmul(allowed, DCT64.T) * inverse)
        error = decoded
        error -= allowed
    np.abs(error, out=error)
    given_back = error.max(axis=2) <= LIMIT
    exact = given_back.mean(axis=1)
    variance = np.einsum("mnp,mnp->mn", error, error) / known
    variance[given_back] = 1 / 12  # all of it is rounding
    np.abs(levels, out=levels)
    levels[..., 0] = 0
    bits = 2 * np.log2(1 + levels).sum(axis=(1, 2)) + np.count_nonzero(levels, axis=(1, 2))
    bits = bits + (known / 2 * np.log2(1 + 12 * variance)).sum(axis=1)
    bits = bits / count - np.log2(steps[:, 0, 0])  # the level of frequency 0 takes the fewer bits the larger its step
    return Redecoded(bits.astype(np.float32), exact.astype(np.float32))


def lengths(found: Redecoded, qualities: NDArray[np.integer]) -> Floats:
    """Bits per block, and `INEXACT` for each block that should be exact and is not: float32 (m,)."""
    total: Floats = found.bits + np.float32(INEXACT) * EXPECTED[np.asarray(qualities) - 1] * (1 - found.exact)
    return total
