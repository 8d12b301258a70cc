"""What compression and noise leave in a picture's pixels, cheaply: statistics of its tiles at native resolution.

A picture scaled down for a network has lost most of both. Here its own pixels speak: how much the 8x8 grid stands out, how many of the
blocks' coefficients are nearly zero (the more, the coarser the quantization table was), and how quiet the quietest places are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.jpeg.blocks import DCT64, cut_blocks, luma

Floats = NDArray[np.float32]

GRID_LIMIT = 12.0  # grey values; larger steps between neighbours are edges
NEAR, FAR = 0.6, 1.8  # |coefficient| of what is zero but for rounding, and of what is nearly so
BANDS = 14  # diagonals of the 8x8 spectrum but for the constant: u + v from 1
_BAND = np.add.outer(np.arange(8), np.arange(8)).ravel()
# Means over the coefficients of a band: (64, BANDS).
_OVER_BANDS = np.equal.outer(_BAND, np.arange(1, BANDS + 1)).astype(np.float32)
_OVER_BANDS /= _OVER_BANDS.sum(axis=0)
CELL = 9  # pixels; side of the cells whose noise is compared
QUANTILES = (2, 10, 25, 50, 75)  # per cent
WIDTH = 4 + 3 * BANDS + 3 * len(QUANTILES) + 3


def trace_statistics(tiles: NDArray[np.uint8]) -> Floats:
    """Statistics of RGB tiles (n, 3, h, w), uint8, h and w of at least 32: float32 (WIDTH,).

    In turn: how much the strongest of eight phases of the grid stands out from the others, down and across, and how much the next does;
    per band of the block spectrum on that grid the share of coefficients below `NEAR` and below `FAR`, and log of the mean magnitude;
    log of the deviation of a Laplacian in cells of `CELL` pixels, quantiles over all cells, of luma and of two differences of
    colour; the mean of luma and the shares of its pixels near black and near white (-128 to 128, 0-1).
    """
    y = luma(tiles)
    (column, column_excess), (row, row_excess) = (_grid(steps) for steps in _mean_steps(y))
    magnitude = np.abs(cut_blocks(y, column, row) @ DCT64.T)
    bands = [
        (magnitude < NEAR).mean(axis=0, dtype=np.float32) @ _OVER_BANDS,
        (magnitude < FAR).mean(axis=0, dtype=np.float32) @ _OVER_BANDS,
        np.log(magnitude.mean(axis=0) @ _OVER_BANDS + 0.05),
    ]
    green = tiles[:, 1].astype(np.float32)
    quiet = [_quiet(plane) for plane in (y, tiles[:, 0] - green, tiles[:, 2] - green)]
    light = [y.mean(), (y < -120).mean(), (y > 119).mean()]
    return np.concatenate([[*column_excess, *row_excess], *bands, *quiet, light]).astype(np.float32)


def _mean_steps(y: Floats) -> tuple[Floats, Floats]:
    """Mean steps of planes (n, h, w), up to `GRID_LIMIT`, before each column (w - 1) and each row (h - 1) but the first."""
    library, (n, height, width) = compiled(), y.shape
    if library is None:
        across, down = (np.abs(np.diff(y, axis=axis)).clip(max=GRID_LIMIT) for axis in (2, 1))
        return across.mean(axis=(0, 1)), down.mean(axis=(0, 2))
    sums = np.empty(width - 1), np.empty(height - 1)
    library.clipped_steps(y, n, height, width, GRID_LIMIT, *sums)
    return (sums[0] / (n * height)).astype(np.float32), (sums[1] / (n * width)).astype(np.float32)


def _grid(steps: Floats) -> tuple[int, tuple[float, float]]:
    """Phase (0-7) of the grid in the mean steps from one column (or row) to the next, and how much it and the next best stand out."""
    whole = steps[: len(steps) // 8 * 8].reshape(-1, 8).mean(axis=0)
    middle = float(np.median(whole)) + 0.05
    order = np.argsort(whole)[::-1]
    phase = int(order[0] + 1) % 8  # step k lies between k and k + 1, where a block starts
    return phase, (float(whole[order[0]]) / middle - 1, float(whole[order[1]]) / middle - 1)


def _quiet(planes: Floats) -> Floats:
    """Log of the deviation of a Laplacian (5-point, unit noise gain) in cells of (n, h, w), quantiles over the cells."""
    energy = _curvature(planes) / np.float32(20 * CELL**2)  # 20: 4^2 + 4 * 1^2
    return np.asarray(np.log(np.sqrt(np.percentile(energy, QUANTILES)) + 0.05), dtype=np.float32)


def _curvature(planes: Floats) -> Floats:
    """Sums of the squares of the Laplacian in cells: (n, cells down, cells across)."""
    rows, columns = (planes.shape[1] - 2) // CELL, (planes.shape[2] - 2) // CELL
    library = compiled()
    if library is not None:
        found = np.empty((len(planes), rows, columns), np.float32)
        if library.laplacian_cells(planes, *planes.shape, CELL, found):
            raise MemoryError("not enough memory for the curvature of tiles")
        return found
    down, across = rows * CELL + 1, columns * CELL + 1
    laplacian = 4 * planes[:, 1:down, 1:across]
    laplacian -= planes[:, : down - 1, 1:across]
    laplacian -= planes[:, 2 : down + 1, 1:across]
    laplacian -= planes[:, 1:down, : across - 1]
    laplacian -= planes[:, 1:down, 2 : across + 1]
    np.square(laplacian, out=laplacian)
    # Rows first, in long runs of memory: several times as fast as both axes at once
    strips = laplacian.reshape(len(planes), rows, CELL, -1).sum(axis=2)
    energy: Floats = strips.reshape(len(planes), rows, columns, CELL).sum(axis=3)
    return energy
