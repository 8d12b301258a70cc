"""JPEG's lattice: on which grid the coefficients lie at multiples of a step, at which steps, and which IJG quality has these."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import choose_blocks
from cliqa.signal.jpeg.chroma import integer_colour
from cliqa.signal.jpeg.features import profile, signed_log
from cliqa.signal.jpeg.grid import find_grid
from cliqa.signal.jpeg.history import likeliest_steps, table_distances
from cliqa.signal.jpeg.lattice import quality_evidence, read_steps

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
    _, _, evidence = read_steps(blocks)
    quality = quality_evidence(evidence)
    steps, known = likeliest_steps(evidence, int(quality.argmax()))
    fit = table_distances(steps, known)
    nearest = int(fit.argmin())
    scalars = [
        float(grid == 0), found.margin, len(blocks) / MOST_BLOCKS, float(fit.min()), nearest / 100,
        float(quality[nearest]), float(known.mean()), *integer_colour(tiles[:2, :, ::2]),
    ]  # fmt: skip
    parts = [*profile(quality), _by_diagonal(np.log(steps) * known), _by_diagonal(known)]
    return np.concatenate([*parts, signed_log(np.array(scalars, np.float32))]).astype(np.float32)


def _by_diagonal(values: Floats) -> Floats:
    """Means of 64 frequencies by the sum of their indices: float32 (15,)."""
    found: Floats = (np.bincount(_DIAGONALS, weights=values) / _COUNTS).astype(np.float32)
    return found
