"""Flatness: histograms of small differences between neighbouring pixels, and of the deviation of small blocks; and exact repeats.

What interfaces draw (letters, icons) comes out equal to the last bit, and a lossy codec makes each a little other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STEPS = (0, 1, 2, 3, 5, 8, 13, 23)  # largest difference of each bin but the last
# Grey values; by hand
DEVIATION_EDGES = np.array([0.0, 0.05, 0.3, 0.45, 0.6, 0.8, 1.1, 1.6, 2.5, 4, 7, 12, 1e4], np.float32)
EDGE = 24  # grey values between neighbours: letters have them, noise and ringing have not
WINDOW = 8  # pixels of a row around an edge that are compared: with 4, one window in three is alike by chance
MOST = 1024  # windows of a tile, the first ones: sorting more costs more and says little more
FEWEST = 48  # windows below which they tell nothing
_WEIGHTS = np.array([1, 3, 7, 31, 127, 8191, 131071, 524287], np.uint64) * np.uint64(
    2654435761
)  # mixes 8 bytes in a word


def step_histogram(steps: NDArray[np.int16]) -> Floats:
    """Histogram of absolute integers in the bins of `STEPS`: float32 (9,), sums to 1."""
    small = np.minimum(np.abs(steps), 255).astype(np.uint8)
    below = [np.count_nonzero(small <= step) for step in STEPS]
    found: Floats = np.diff(np.array([0, *below, small.size], np.float32)) / np.float32(small.size)
    return found


def step_histograms(planes: Floats) -> Floats:
    """First, second and mixed differences of integer planes (n, h, w), both axes together: float32 (3, 9)."""
    values = planes.astype(np.int16)
    across, down = np.diff(values, axis=2), np.diff(values, axis=1)
    first = step_histogram(across) + step_histogram(down)
    second = step_histogram(np.diff(across, axis=2)) + step_histogram(np.diff(down, axis=1))
    mixed = step_histogram(np.diff(across, axis=1)) * 2
    return (np.stack([first, second, mixed]) / 2).astype(np.float32)


def deviation_histogram(blocks: Floats) -> Floats:
    """Histogram of the deviation within blocks (count, pixels): float32 (12,), sums to 1."""
    mean = blocks.mean(axis=1)
    variance = np.maximum(np.einsum("bp,bp->b", blocks, blocks) / blocks.shape[1] - mean * mean, 0)
    # Far faster than np.histogram
    reached = [np.count_nonzero(variance >= edge * edge) for edge in DEVIATION_EDGES[1:-1]]
    counts = -np.diff([len(blocks), *reached, 0])
    return (counts / len(blocks)).astype(np.float32)


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
