"""Lost bands: what is left of each frequency of the DCT, in blocks of 4, 8 and 16, on the likely grid and half a block beside it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

NOTHING = 0.6  # smaller coefficients are but the rounding of pixels (deviation 0.29, luma rounded again)
# Between whole counts up to 64; by hand
_COUNT_EDGES = (0.5, 1.5, 2.5, 4.5, 6.5, 9.5, 13.5, 18.5, 25.5, 34.5, 45.5, 57.5)
_COUNT_BINS = np.eye(len(_COUNT_EDGES) + 1)[np.searchsorted(_COUNT_EDGES, np.arange(64))]


@lru_cache(maxsize=4)
def _transform(size: int) -> tuple[Floats, Floats, Floats]:
    """The orthonormal DCT of blocks (size², size²), means over mirrored frequencies (groups, size²), the DCT of a row (size, size).

    Frequencies (u, v) and (v, u) share a group; of 16 a side, those with the same u + v.
    """
    index = np.arange(size)
    one = np.sqrt(np.where(index == 0, 1, 2) / size)[:, None] * np.cos(
        (2 * index[None] + 1) * index[:, None] * np.pi / (2 * size)
    )
    u, v = (grid.ravel() for grid in np.meshgrid(index, index, indexing="ij"))
    keys = u + v if size > 8 else np.minimum(u, v) * size + np.maximum(u, v)
    members = (keys[None] == np.unique(keys)[:, None]).astype(np.float32)
    means = members / members.sum(axis=1, keepdims=True)
    return np.kron(one, one).astype(np.float32), means, one.astype(np.float32)


def cut(planes: Floats, x: int, y: int, size: int) -> Floats:
    """(n, h, w) -> (blocks, size²): all whole blocks of the grid that starts at column x, row y."""
    count, height, width = planes.shape
    rows, columns = (height - y) // size, (width - x) // size
    region = planes[:, y : y + size * rows, x : x + size * columns]
    return np.ascontiguousarray(region.reshape(count, rows, size, columns, size).swapaxes(2, 3)).reshape(
        -1, size * size
    )


def magnitudes(planes: Floats, x: int, y: int, size: int) -> Floats:
    """|DCT| of all blocks of a grid: float32 (blocks, size²)."""
    matrix, _, one = _transform(size)
    blocks = cut(planes, x, y, size)
    if size > 8:  # rows, then columns: a quarter of the work
        rows = (blocks.reshape(-1, size) @ one.T).reshape(-1, size, size)
        found: Floats = np.ascontiguousarray(one @ rows).reshape(-1, size * size)
    else:
        found = blocks @ matrix.T
    return np.abs(found, out=found)


def band_statistics(coefficients: Floats, size: int) -> Floats:
    """Per group of frequencies: how much is nothing, log mean, and how peaked (the root against the mean): float32 (3, groups)."""
    _, members, _ = _transform(size)
    weights = np.full(len(coefficients), 1 / len(coefficients), np.float32)  # a product is faster than a mean
    nothing = weights @ np.minimum(coefficients, np.float32(1))
    mean, roots = weights @ coefficients, weights @ np.sqrt(coefficients)
    peaked = np.log((roots * roots + 0.05) / (mean + 0.05))
    found: Floats = np.stack([nothing, np.log(mean + 0.05), peaked]) @ members.T
    return found


def kept_counts(coefficients: Floats) -> Floats:
    """Histogram of how many of a block's 63 AC coefficients are not nothing: float32 (13,), sums to 1."""
    kept = (coefficients[:, 1:] >= NOTHING).sum(axis=1)
    found: Floats = (np.bincount(kept, minlength=64) @ _COUNT_BINS / len(kept)).astype(np.float32)
    return found
