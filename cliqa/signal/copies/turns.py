"""Quarter turns and mirrors of hashes and thumbnails, without the pictures.

PDQ's bits are signs of cosine coefficients about their median: a mirror flips those of the odd frequencies along its axis, up to the
median's shift (30 bits of 256 on average over 60 photographs), and transposing the picture transposes them exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# (transposed, then mirrored left-right, then upside down): the eight symmetries of a square, the picture itself first
TURNS = tuple((bool(t), bool(x), bool(y)) for t in (0, 1) for x in (0, 1) for y in (0, 1))


def turned_hashes(hashes: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Hashes (n, 32) of the pictures after `TURNS[turn]`, near enough to find them."""
    transposed, mirrored, upside_down = TURNS[turn]
    bits = np.unpackbits(hashes, axis=1).reshape(-1, 16, 16)
    if transposed:
        bits = bits.transpose(0, 2, 1)
    bits = bits.copy()
    if mirrored:
        bits[:, :, 1::2] ^= 1
    if upside_down:
        bits[:, 1::2, :] ^= 1
    return np.packbits(bits.reshape(-1, 256), axis=1)


def turned_thumbnails(thumbnails: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Thumbnails (n, side, side) after `TURNS[turn]`, exactly."""
    transposed, mirrored, upside_down = TURNS[turn]
    if transposed:
        thumbnails = thumbnails.transpose(0, 2, 1)
    return np.ascontiguousarray(thumbnails[:, :: -1 if upside_down else 1, :: -1 if mirrored else 1])
