"""How much single pixels stand out of their neighbours: salt and pepper, hot pixels, and grain as fine as a pixel.

They are rare, so averages and percentiles over a picture lose them; here they are counted by regions of 16x16 pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.noise.blocks import Floats, log_energy

REGION = 16  # pixels
_STANDING_OUT = (20.0, 60.0, 140.0)  # in grey, where 255 levels are 441.7; no tuning on record


def _halved(values: NDArray[Any], combine: np.ufunc) -> Floats:
    """Pixels (n, size, size) -> one value for each region. By halves, which is quicker than NumPy's own reductions."""
    for _ in range(4):
        values = combine(values[:, 0::2], values[:, 1::2])
    for _ in range(4):
        values = combine(values[:, :, 0::2], values[:, :, 1::2])
    return np.asarray(values.ravel(), np.float32)


def single_pixels(grey: NDArray[Any], unit: float = 1.0) -> Floats:
    """Regions of grey tiles (n, size, size), tile by tile: float32 (regions, 3), natural logarithms of energies.

    The mean square and the largest square of what pixels exceed all four neighbours by, and that of the largest range of
    neighbours.

    Args:
        grey: of any type that holds differences: float32, or int16 in steps of `unit`.
    """
    scale = np.float32(unit)
    by_routine = compiled() is not None and grey.dtype == np.int16 and grey.shape[1] == grey.shape[2]
    square, largest, spread = (_compiled if by_routine else _uncompiled)(grey, scale)
    return np.stack([log_energy(square), log_energy(largest * largest), log_energy(spread * spread)], axis=1)


def _compiled(grey: NDArray[Any], scale: np.float32) -> tuple[Floats, Floats, Floats]:
    """The mean square, the largest, and the range of neighbours, by region."""
    library, (n, side, _) = compiled(), grey.shape
    assert library is not None
    regions = n * (side // REGION) ** 2
    squares, ends = np.empty(regions, np.float32), np.empty((2, regions), np.int16)
    library.standing_out(grey, n, side, squares, *ends)
    return squares * (scale * scale / np.float32(REGION * REGION)), ends[0] * scale, ends[1] * scale


def _uncompiled(grey: NDArray[Any], scale: np.float32) -> tuple[Floats, Floats, Floats]:
    """The same."""
    n, height, width = grey.shape
    padded = np.empty((n, height + 2, width + 2), grey.dtype)
    padded[:, 1:-1, 1:-1] = grey
    padded[:, 0, 1:-1], padded[:, -1, 1:-1] = grey[:, 0], grey[:, -1]
    padded[:, 1:-1, 0], padded[:, 1:-1, -1] = grey[:, :, 0], grey[:, :, -1]
    neighbours = (padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    highest = np.maximum(np.maximum(neighbours[0], neighbours[1]), np.maximum(neighbours[2], neighbours[3]))
    lowest = np.minimum(np.minimum(neighbours[0], neighbours[1]), np.minimum(neighbours[2], neighbours[3]))
    out = np.maximum(np.maximum(grey - highest, lowest - grey), grey.dtype.type(0))
    wide = out * scale
    square = _halved(wide * wide, np.add) / np.float32(REGION * REGION)
    largest, spread = (_halved(each, np.maximum) * scale for each in (out, highest - lowest))
    return square, largest, spread


def pixel_facts(rows: NDArray[Any]) -> Floats:
    """What the regions of a picture tell together.

    Args:
        rows: float (..., regions, 3), of `single_pixels`.

    Returns:
        float32 (..., 13): logarithms of the mean energy of pixels that stand out, everywhere and in regions where one does by a lot
        (three limits), each with the root of the share of such regions; percentiles of that energy and of the strongest pixel.
    """
    square, largest = (rows[..., column].astype(np.float32) for column in (0, 1))
    energy = np.exp(square)
    found = [np.log(energy.mean(axis=-1))]
    for limit in _STANDING_OUT:
        chosen = (largest > 2 * np.log(limit)).astype(np.float32)
        found += [np.log((energy * chosen).mean(axis=-1) + np.float32(1e-3)), np.sqrt(chosen.mean(axis=-1))]
    return np.stack([*found, *_percentiles(square), *_percentiles(largest)], axis=-1).astype(np.float32)


def _percentiles(values: Floats) -> list[Floats]:
    """Median, 90th and 98th percentile of (..., n), between two ranks in proportion."""
    order, found = np.sort(values, axis=-1), []
    for share in (0.5, 0.9, 0.98):
        place = share * (order.shape[-1] - 1)
        low = order[..., int(place)]
        found.append(low + (order[..., int(np.ceil(place))] - low) * np.float32(place % 1))
    return found


def sample_regions(rows: Floats, count: int, rng: np.random.Generator) -> NDArray[np.float16]:
    """`count` rows at random, each once where there are enough."""
    order = np.resize(rng.permutation(len(rows)), count)
    return rows[order].astype(np.float16)
