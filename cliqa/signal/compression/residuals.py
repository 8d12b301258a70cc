"""Flatness: histograms of small differences between neighbouring pixels, and of the deviation of small blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STEPS = (0, 1, 2, 3, 5, 8, 13, 23)  # largest difference of each bin but the last
# Grey values; by hand
DEVIATION_EDGES = np.array([0.0, 0.05, 0.3, 0.45, 0.6, 0.8, 1.1, 1.6, 2.5, 4, 7, 12, 1e4], np.float32)


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
