"""Which files get a picture: a sample over the whole range of every score, so that any threshold has pictures beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def stratified_sample(columns: Sequence[NDArray[np.float64]], rows: int, count: int) -> list[int]:
    """Row numbers, the most useful first: any beginning of the list is itself a sample over every column.

    Columns take turns; each turn takes the row nearest to the middle of the column's widest gap yet, once by rank (where
    the files are) and once by value (where they are few).

    Args:
        columns: float64 (rows,), NaN where missing.
        rows: how many rows there are.
        count: how many to choose.
    """
    if rows <= count:
        return list(range(rows))
    queues = [
        queue for column in columns for queue in (_by_rank(column, count), _by_value(column, count)) if len(queue)
    ]
    queues = queues or [_spread(rows, count)]
    chosen: dict[int, None] = {}
    for turn in range(max(len(queue) for queue in queues)):
        for queue in queues:
            if turn < len(queue):
                chosen[int(queue[turn])] = None
                if len(chosen) == count:
                    return list(chosen)
    for row in _spread(rows, count * 2):
        chosen[int(row)] = None
        if len(chosen) == count:
            break
    return list(chosen)


def _by_rank(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Rows at even steps of the column's ranks, ever finer."""
    present = np.flatnonzero(~np.isnan(values))
    if len(present) == 0:
        return present
    order = present[np.argsort(values[present], kind="stable")]
    return order[_spread(len(order), count)]


def _by_value(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Rows nearest to even steps of the column's values, ever finer, from the 0.1 to the 99.9 percentile."""
    present = np.flatnonzero(~np.isnan(values))
    if len(present) == 0:
        return present
    order = present[np.argsort(values[present], kind="stable")]
    low, high = np.quantile(values[order], (0.001, 0.999))
    targets = low + (high - low) * _fractions(count)
    nearest: NDArray[np.intp] = order[np.minimum(np.searchsorted(values[order], targets), len(order) - 1)]
    return nearest


def _spread(rows: int, count: int) -> NDArray[np.intp]:
    """Positions below `rows`, at least min(count, rows) or so; every beginning of the list is spread over all of them."""
    positions: NDArray[np.intp] = (_fractions(count) * rows).astype(np.intp)
    return positions


def _fractions(count: int) -> NDArray[np.float64]:
    """At least `count` numbers in (0, 1), in van der Corput order: each falls into the widest gap that is left."""
    bits = max(1, (max(1, count) - 1).bit_length())
    numbers = np.arange(1 << bits)
    reversed_bits = np.zeros_like(numbers)
    for _ in range(bits):
        reversed_bits = (reversed_bits << 1) | (numbers & 1)
        numbers >>= 1
    return (reversed_bits.astype(np.float64) + 0.5) / (1 << bits)
