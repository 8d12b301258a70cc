"""Exact repeats: what interfaces draw (letters, icons) comes out equal to the last bit, and a lossy codec makes each a little other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

EDGE = 24  # grey values between neighbours: letters have them, noise and ringing have not
WINDOW = 8  # pixels of a row around an edge that are compared: with 4, one window in three is alike by chance
MOST = 1024  # windows of a tile, the first ones: sorting more costs more and says little more
FEWEST = 48  # windows below which they tell nothing
_WEIGHTS = np.array([1, 3, 7, 31, 127, 8191, 131071, 524287], np.uint64) * np.uint64(
    2654435761
)  # mixes 8 bytes in a word


def repeats(plane: Floats) -> Floats:
    """How often rows of pixels around edges are distinct: float32 (3,).

    Args:
        plane: integer luma minus 128, float32 (n, h, w).

    Returns:
        The share of distinct windows over all tiles, and in the tile where it is lowest, 0-1 (1 where there are no edges), and the
        share of tiles that have edges. The first is 0.2-0.55 on screens that were never saved with loss, 0.75-1 after any save.
    """
    found = []
    for tile in (plane + np.float32(128)).astype(np.uint8):
        values = tile.astype(np.int16)
        steps = np.abs(values[:, WINDOW // 2 : -WINDOW // 2 + 1] - values[:, WINDOW // 2 - 1 : -WINDOW // 2])
        at = np.flatnonzero(steps > EDGE)[:MOST]
        if len(at) >= FEWEST:
            row, column = np.divmod(at, steps.shape[1])
            windows = tile.ravel()[(row * tile.shape[1] + column)[:, None] + np.arange(WINDOW)]
            found.append(windows.astype(np.uint64) @ _WEIGHTS)
    if not found:
        return np.array([1.0, 1.0, 0.0], np.float32)
    distinct = [np.unique(words) for words in found]
    lowest = min(len(some) / len(words) for some, words in zip(distinct, found, strict=True))
    share = len(np.unique(np.concatenate(distinct))) / sum(map(len, found))
    return np.array([share, lowest, len(found) / len(plane)], np.float32)
