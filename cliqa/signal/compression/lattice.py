"""JPEG's lattice: on which grid the coefficients lie at multiples of a step, at which steps, and which IJG quality has these."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import choose_blocks, dct_blocks
from cliqa.signal.jpeg.chroma import integer_colour
from cliqa.signal.jpeg.history import find_grid, likeliest_steps, table_distances
from cliqa.signal.jpeg.lattice import CLIPPED_OUTLIERS, OUTLIERS, histograms, quality_evidence, step_evidence

Floats = NDArray[np.float32]

MOST_BLOCKS = 400  # of more than twice as many only a part is read
GRID_TILES = 2  # that the grid is looked for in: half of the time that all this takes
_DIAGONALS = np.add.outer(np.arange(8), np.arange(8)).ravel()
_COUNTS = np.bincount(_DIAGONALS)


def lattice_traces(tiles: NDArray[np.uint8], plane: Floats) -> Floats:
    """What one JPEG save left: float32 vector.

    Args:
        tiles: uint8 (n, 3, h, w); plane: their `luma` (n, h, w).
    """
    found = find_grid(tiles, plane, GRID_TILES)
    grid = found.offset
    blocks = choose_blocks(tiles, plane, grid % 8, grid // 8, MOST_BLOCKS)
    coefficients = dct_blocks(blocks.pixels)
    evidence = step_evidence(histograms(coefficients), outliers=OUTLIERS if blocks.clean else CLIPPED_OUTLIERS)
    quality = quality_evidence(evidence)
    steps, known = likeliest_steps(evidence, int(quality.argmax()))
    fit = table_distances(steps, known)
    nearest = int(fit.argmin())
    scalars = [
        float(grid == 0), found.margin, len(blocks) / MOST_BLOCKS, float(fit.min()), nearest / 100,
        float(quality[nearest]), float(known.mean()), *integer_colour(tiles[:2, :, ::2]),
    ]  # fmt: skip
    parts = [*_profile(quality), _by_diagonal(np.log(steps) * known), _by_diagonal(known)]
    return np.concatenate([*parts, _log(np.array(scalars, np.float32))]).astype(np.float32)


def _profile(values: Floats) -> tuple[Floats, Floats]:
    """Evidence of 100 qualities, in twenties against the best; and the best, its evidence, its lead over those further away."""
    best = int(values.argmax())
    away = np.concatenate([values[: max(0, best - 1)], values[best + 2 :]])
    pooled = np.maximum((values.reshape(20, 5).max(axis=1) - values[best]) / 20, np.float32(-6))
    return pooled, np.array([(best + 1) / 100, _log(values[best]), _log(values[best] - away.max())], np.float32)


def _by_diagonal(values: Floats) -> Floats:
    """Means of 64 frequencies by the sum of their indices: float32 (15,)."""
    found: Floats = (np.bincount(_DIAGONALS, weights=values) / _COUNTS).astype(np.float32)
    return found


def _log(values: NDArray[np.float32] | np.float32) -> Floats:
    """Signed log(1 + |value|)."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), np.float32)
