"""Co-occurrences: how often quantized residuals go together, three neighbours or the three colours of a place.

Fridrich and Kodovsky, "Rich models for steganalysis of digital images", 2012; Goljan, Cogranne and Fridrich, "Rich model for
steganalysis of color images", 2014. Triples that are each other's negative, or mirror image, are one class.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int16]

LEVELS = 5  # of a residual: -2 ... 2


def _classes(mirrored: bool) -> tuple[NDArray[np.intp], int]:
    """A number for each triple of levels; the same for its negative and, if `mirrored`, for its mirror image."""
    found: dict[tuple[int, ...], int] = {}
    numbers = []
    for triple in itertools.product(range(LEVELS), repeat=3):
        negative = tuple(LEVELS - 1 - level for level in triple)
        alike = min(triple, negative, *((triple[::-1], negative[::-1]) if mirrored else ()))
        numbers.append(found.setdefault(alike, len(found)))
    return np.array(numbers), len(found)


_NEIGHBOURS, NEIGHBOURS = _classes(mirrored=True)
_CHANNELS, CHANNELS = _classes(mirrored=False)


@cache
def _limits(step: int) -> tuple[int, int]:
    """The least residuals of levels 1 and 2: where residual / step rounds to them, halves to even."""
    levels = np.rint(np.arange(3 * step) / step)
    return int(np.argmax(levels >= 1)), int(np.argmax(levels >= 2))


def of_neighbours(residuals: Sequence[tuple[Ints, int]], steps: Sequence[int]) -> list[Floats]:
    """Of three neighbours in planes (n, h, w), all planes together: (n, NEIGHBOURS) for each step of the quantization.

    Each plane comes with the axis along which they are neighbours, 1 or 2.
    """
    limits = sorted({limit for step in steps for limit in _limits(step)})
    total = np.zeros((len(residuals[0][0]), (2 * len(limits) + 1) ** 3), np.int64)
    for each, axis in residuals:
        _count(total, each, axis, limits)
    return [_shares(total @ _members(tuple(limits), step)) for step in steps]


@cache
def _members(limits: tuple[int, ...], step: int) -> NDArray[np.float64]:
    """1 where a triple of levels between `limits` is in a class of triples of levels of a step: (triples, NEIGHBOURS)."""
    coarse = np.searchsorted(_limits(step), (0, *limits), side="right")  # of each fine level from the middle on
    level = np.concatenate([-coarse[:0:-1], coarse]) + LEVELS // 2
    first, second, third = np.meshgrid(level, level, level, indexing="ij")
    number = _NEIGHBOURS[(first * LEVELS + second) * LEVELS + third].ravel()
    members: NDArray[np.float64] = np.eye(NEIGHBOURS)[number]
    return members


def of_colours(turns: Sequence[Ints], step: int) -> Floats:
    """Of the residuals (3, n, h, w) of red, green and blue at one place, rows and columns together: (n, CHANNELS)."""
    total = np.zeros((turns[0].shape[1], LEVELS**3), np.int64)
    for each in turns:
        _count(total, each, 0, _limits(step))
    return _shares(total @ np.eye(CHANNELS)[_CHANNELS])


def _count(total: NDArray[np.int64], residuals: Ints, axis: int, limits: Sequence[int]) -> None:
    """Add to `total` (n, levels^3) how often each triple of levels occurs in each tile, see `_triple`."""
    library = compiled()
    if library is None:
        levels = np.uint16(2 * len(limits) + 1)
        first, second, third = _triple(_levels(residuals, limits), axis)
        for counts, numbers in zip(total, (first * levels + second) * levels + third, strict=True):
            counts += np.bincount(numbers.ravel(), minlength=len(counts))
        return
    first, second, third = _triple(np.ascontiguousarray(residuals), axis)
    tiles, rows, columns = first.shape
    tile, row, one, two = (
        step // first.itemsize
        for step in (*first.strides[:2], *(each.ctypes.data - first.ctypes.data for each in (second, third)))
    )
    bounds = np.array(limits, np.int16)
    where = first, tiles, tile, rows, columns, row, one, two
    if library.triple_counts(*where, bounds, len(bounds), total):
        raise MemoryError("not enough memory to count residuals")


def _triple(values: NDArray[Any], axis: int) -> tuple[NDArray[Any], ...]:
    """The three planes of (3, n, h, w), axis 0; or three neighbours along axis 1 or 2 of (n, h, w)."""
    if axis == 0:
        return tuple(values)
    ends = [slice(first, values.shape[axis] - 2 + first) for first in range(3)]
    return tuple(values[:, end] if axis == 1 else values[..., end] for end in ends)


def _levels(residuals: Ints, limits: Sequence[int]) -> NDArray[np.uint16]:
    """How many of the limits, on both sides of 0, each residual reaches: 0 to twice as many."""
    levels = np.zeros(residuals.shape, np.uint8)
    for limit in limits:
        levels += (residuals >= limit).view(np.uint8)
        levels += (residuals > -limit).view(np.uint8)
    return levels.astype(np.uint16)


def _shares(counts: NDArray[np.float64]) -> Floats:
    """Square roots of the shares of each class: (n, classes)."""
    shares: Floats = np.sqrt(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
