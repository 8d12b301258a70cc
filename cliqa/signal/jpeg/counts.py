"""Histograms of the sizes of coefficients, row by row."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled

Floats = NDArray[np.float32]

TO_EVEN = np.float32(3 << 22)
"""What is added to a smaller float32 leaves its halves nowhere to go but to the even neighbour, as `np.rint` does."""


def count_bins(values: Floats, most: int, scale: Floats | None = None, *, to_even: bool = False) -> NDArray[np.int32]:
    """How many |values| * scale round to 0, 1, 2 ...: (rows, columns) -> int32 (rows, most + 1), the last for all larger ones.

    Args:
        scale: of each row, (rows,); 1 where none are given.
        to_even: halves are rounded to even numbers, else up.
    """
    counts: NDArray[np.int32] = count_bins_of_groups(values, most, scale, None, 1, to_even=to_even)[0]
    return counts


def count_bins_of_groups(
    values: Floats,
    most: int,
    scale: Floats | None,
    group: NDArray[np.intp] | None,
    groups: int,
    *,
    to_even: bool = False,
) -> NDArray[np.int32]:
    """`count_bins` of each group of columns: int32 (groups, rows, most + 1); `group`: the number of each column's, (columns,)."""
    values = np.ascontiguousarray(values, np.float32)
    rows, columns = values.shape
    scales = np.ones(rows, np.float32) if scale is None else scale
    library = compiled()
    if library is not None:
        counts = np.zeros((groups, rows, most + 1), np.int32)
        first, last, base = _limits(columns, most, to_even)
        if group is not None:
            base = base + (group * (rows * (most + 1))).astype(np.int32)
        library.count_bins(values, rows, columns, scales, first, last, base, most + 1, counts)
        return counts
    scaled = np.abs(values)
    scaled *= scales[:, None]
    if to_even:
        np.rint(scaled, out=scaled)
    else:
        scaled += np.float32(0.5)
    index = np.minimum(scaled, np.float32(most), out=scaled).astype(np.int32)
    index += (np.arange(rows, dtype=np.int32) * (most + 1))[:, None]
    if group is not None:
        index += (group * (rows * (most + 1))).astype(np.int32)
    counted = np.bincount(index.ravel(), minlength=groups * rows * (most + 1))
    return counted.reshape(groups, rows, most + 1).astype(np.int32)


@lru_cache(maxsize=16)
def _limits(columns: int, most: int, to_even: bool) -> tuple[Floats, Floats, NDArray[np.int32]]:
    """What is added to each column before it is rounded down, the most that it may be then, and what is added after."""
    first = TO_EVEN if to_even else np.float32(0.5)
    base = -int(TO_EVEN) if to_even else 0
    return (
        np.full(columns, first, np.float32),
        np.full(columns, most - base, np.float32),
        np.full(columns, base, np.int32),
    )
