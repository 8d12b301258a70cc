"""Exact repeats: what interfaces draw (letters, icons) comes out equal to the last bit, and a lossy codec makes each a little other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

EDGE = 24  # grey values between neighbours: letters have them, noise and ringing have not
STRAIGHT = 8  # grey values by which an edge is steeper or flatter than in the row above, or it goes on downwards
WINDOW = 8  # pixels of a row around an edge that are compared: with 4, one window in three is alike by chance
MOST = 2048  # windows of a tile, the first ones; a tile of small letters has about as many
FLOOR = 0.01  # share of repeats from which they tell: one window in a hundred repeats by chance
FEWEST = 48  # windows below which they tell nothing
_WEIGHTS = np.array([1, 3, 7, 31, 127, 8191, 131071, 524287], np.uint64) * np.uint64(
    2654435761
)  # mixes 8 bytes in a word


def repeats(plane: Floats) -> Floats:
    """How much of what lies around edges is there more than once, row by row: float32 (3,).

    Args:
        plane: integer luma minus 128, float32 (n, h, w).

    Returns:
        The logarithm of the share of windows that repeat an earlier one (plus a hundredth), over all tiles and in the tile that
        has most, and the share of tiles that have edges. Screens that were never saved with loss have 5-60 %, after any save 0 or 1 %.
    """
    found = []
    for tile in (plane + np.float32(128)).astype(np.uint8):
        values = tile.astype(np.int16)
        steps = np.abs(values[:, WINDOW // 2 : -WINDOW // 2 + 1] - values[:, WINDOW // 2 - 1 : -WINDOW // 2])
        edge = steps > EDGE
        edge[1:] &= np.abs(steps[1:] - steps[:-1]) > STRAIGHT  # a straight edge downwards repeats whatever saved it
        edge[0] = False
        at = np.flatnonzero(edge)[:MOST]
        if len(at) >= FEWEST:
            row, column = np.divmod(at, steps.shape[1])
            windows = tile.ravel()[(row * tile.shape[1] + column)[:, None] + np.arange(WINDOW)]
            found.append(windows.astype(np.uint64) @ _WEIGHTS)
    if not found:
        return np.array([np.log(FLOOR), np.log(FLOOR), 0.0], np.float32)
    most = max(_again(words) for words in found)
    shares = np.log(np.array([_again(np.concatenate(found)), most]) + FLOOR)
    return np.array([*shares, len(found) / len(plane)], np.float32)


def _again(words: NDArray[np.uint64]) -> float:
    """The share of words that were there before."""
    ordered = np.sort(words)
    return float(np.count_nonzero(ordered[1:] == ordered[:-1]) / len(words))
