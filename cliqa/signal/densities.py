"""Densities and the curves between odds and probabilities."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floating = TypeVar("Floating", bound=np.floating[Any])


def normal(value: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Density of a normal distribution around 0 with deviation `sigma`.

    >>> float(normal(np.array([0.0]), 2.0)[0])
    0.19947114020071635
    """
    density: NDArray[np.float64] = np.exp(-0.5 * (value / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    return density


def wrapped_normal(
    offset: NDArray[Floating], periods: NDArray[Floating], sigma: float, turns: int
) -> NDArray[Floating]:
    """Density of a normal of deviation `sigma` around all multiples of a period, `turns` of them on either side counted.

    Args:
        offset: (n, periods), distances from the nearest multiple of each; periods: (periods,), ascending.

    >>> wrapped_normal(np.array([[0.0, 0.0]]), np.array([0.5, 9.0]), 1.0, 8).round(3).tolist()
    [[2.0, 0.399]]
    """
    density: NDArray[Floating] = np.exp(-0.5 * (offset / sigma) ** 2)
    for turn in range(1, turns + 1):
        near = int(np.searchsorted(periods, 6.5 * sigma / (turn - 0.5)))  # beyond it is less than a billionth
        for sign in (-turn, turn) if near else ():
            density[:, :near] += np.exp(-0.5 * ((offset[:, :near] - sign * periods[:near]) / sigma) ** 2)
    density /= sigma * math.sqrt(2 * math.pi)
    return density


def upper_tail(x: NDArray[Floating]) -> NDArray[Floating]:
    """P(normal > x) for x >= 0, to 3 digits (Abramowitz and Stegun 26.2.16).

    >>> round(float(upper_tail(np.array([1.0], np.float32))[0]), 3)
    0.159
    """
    t = 1 / (1 + np.float32(0.33267) * x)
    density = np.exp(np.float32(-0.5) * x * x) * np.float32(1 / math.sqrt(2 * math.pi))
    tail: NDArray[Floating] = density * t * (0.4361836 + t * (-0.1201676 + t * np.float32(0.9372980)))
    return tail


def logistic(x: float, top: float = 1.0) -> float:
    """top / (1 + exp(-x)), between 0 and `top`, with x held within +-30: a trillionth of doubt is left.

    >>> round(logistic(2.0), 4)
    0.8808
    """
    return float(top / (1.0 + np.exp(-np.clip(x, -30.0, 30.0))))


def logit(p: float) -> float:
    """The inverse of `logistic`, with p held a billionth off 0 and 1.

    >>> round(logit(0.8808), 3)
    2.0
    """
    p = min(max(p, 1e-9), 1 - 1e-9)
    return float(np.log(p / (1 - p)))


def softmax(logits: NDArray[Floating]) -> NDArray[Floating]:
    """exp(logits) over their sum along the last axis, of the type that is given.

    >>> softmax(np.array([0.0, np.log(3.0)])).round(6).tolist()
    [0.25, 0.75]
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: NDArray[Floating] = powers / powers.sum(axis=-1, keepdims=True)
    return found
