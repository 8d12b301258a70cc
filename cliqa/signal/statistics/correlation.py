"""How well scores follow ratings: PLCC, SRCC and KRCC, as the field reports them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def plcc(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson's linear correlation; NaN where one side is constant.

    >>> round(plcc([1, 2, 3], [1, 2, 4]), 4)
    0.982
    """
    x, y = _pair(a, b)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0 else float("nan")


def srcc(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation, equal values at their mean rank.

    >>> srcc([1, 2, 3, 4], [1, 2, 4, 3])
    0.8
    """
    x, y = _pair(a, b)
    return plcc(ranks(x), ranks(y))


def krcc(a: ArrayLike, b: ArrayLike) -> float:
    """Kendall's tau-b, which allows for equal values; time grows with the square of the number.

    >>> round(krcc([1, 2, 3, 4], [1, 2, 4, 3]), 4)
    0.6667
    """
    x, y = _pair(a, b)
    agree = pairs_x = pairs_y = 0.0
    for i in range(len(x) - 1):
        dx, dy = np.sign(x[i + 1 :] - x[i]), np.sign(y[i + 1 :] - y[i])
        agree += float(dx @ dy)
        pairs_x += float(dx @ dx)
        pairs_y += float(dy @ dy)
    scale = np.sqrt(pairs_x * pairs_y)
    return float(agree / scale) if scale > 0 else float("nan")


def ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1, equal values at their mean rank.

    >>> ranks([5, 1, 5]).tolist()
    [2.5, 1.0, 2.5]
    """
    array = np.asarray(values, dtype=np.float64)
    _, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: NDArray[np.float64] = (last - (counts - 1) / 2.0)[inverse.reshape(-1)]
    return found


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(f"two rows of the same length, at least 2, are needed, not {x.shape} and {y.shape}")
    return x, y
