"""The last save and the one before it on the same grid, told together.

The lattice that fits best need not be the last save's. After a coarse save and a fine one, coefficients lie near multiples m * q1 of
the coarse step, but exactly at q2 * round(m * q1 / q2). So for the best single quality two questions are asked: do the levels
look like an earlier save's (`double_compression`), or are the lattice points moved as a later, finer save would move them?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.double_compression import count_levels, previous_evidence
from cliqa.signal.jpeg.lattice import FINE_PER_UNIT, ROUNDING_SIGMA, Histograms, bin_centres, bin_width
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]
BETWEEN_SIGMA = 0.35
"""Deviation of a coefficient between the saves, by rounding to 8 bits."""
_JUDGED = tuple(v * 8 + u for v in range(8) for u in range(8) if 1 <= v + u <= 8)
_BINS = 24 * FINE_PER_UNIT
FINEST_LAST = 98
"""Later saves at 99 and 100 move nothing (all steps are 1 or 2): they can't be told from a little more noise."""
SURE_PER_BLOCK = 1.0
"""Nats per block by which a later, finer save must be likelier; decoders that round colours alone reach about this."""
COARSE_PENALTY = 6.0
"""More is asked after a very coarse save, whose few levels the models fit worst: this much over its quality."""
_OUTLIERS = 0.03


@dataclass(frozen=True)
class SavePair:
    """`last` IJG quality; `previous` one and its `gain` over a single save (nats per block, 0 where there is none)."""

    last: int
    previous: int
    gain: float


def last_and_previous(quality: Floats, counted: Histograms, coefficients: Floats) -> SavePair:
    """The likeliest last quality, and the likeliest earlier one with its evidence.

    Args:
        quality: (100,) evidence of single saves, from `dct_lattice.quality_evidence`.
        counted: histograms of the coefficients; coefficients: (64, blocks), all on the grid of the last save.
    """
    single = int(quality.argmax())
    blocks = max(1, coefficients.shape[1])
    later = later_evidence(counted.fine, single)
    finer = int(later.argmax())
    if later[finer] > (SURE_PER_BLOCK + COARSE_PENALTY / (single + 1)) * blocks:
        return SavePair(finer + 1, single + 1, float(later[finer]) / blocks)
    return SavePair(single + 1, *earlier_save(coefficients, single + 1))


def earlier_save(coefficients: Floats, last: int) -> tuple[int, float]:
    """(quality, gain): the likeliest quality of a save before the `last` quality on the same grid, nats per block over none.

    Args:
        coefficients: (64, blocks) on that grid.
    """
    table = LUMA_TABLES[last - 1]
    earlier = previous_evidence(count_levels(coefficients, table), table)
    earlier[last - 1 :] = 0  # a later save at a lower quality leaves nothing of the first
    best = int(earlier.argmax())
    return best + 1, float(earlier[best]) / max(1, coefficients.shape[1])


def later_evidence(fine: Floats, single: int) -> Floats:
    """Log likelihood ratio (nats) of a later save at each IJG quality, against the single save `single` (quality - 1): (100,).

    Most of it comes from level 0: a later step of 2 or more puts it back to exactly 0, one of 1 leaves it spread over -1, 0, 1.
    Only qualities of 3 or more above the single one and up to `FINEST_LAST` are judged; the others get 0.
    """
    result = np.zeros(100, np.float32)
    candidates = np.arange(single + 3, FINEST_LAST)
    if not len(candidates):
        return result
    value, width = bin_centres(fine=True), bin_width(ROUNDING_SIGMA, fine=True)
    for frequency in _JUDGED:
        histogram = fine[frequency, :_BINS].astype(np.float64)
        q1 = float(LUMA_TABLES[single, frequency])
        used = np.flatnonzero(histogram)
        points = value[used]
        steps, inverse = np.unique(LUMA_TABLES[candidates, frequency], return_inverse=True)
        q2 = steps[:, None].astype(np.float64)
        level = np.floor(points / q1 + 0.5)
        alone = _normal(points - level * q1, width)
        moved = np.zeros((len(steps), len(points)))
        for near in (level - 1, level, level + 1) if q1 < 4 else (level,):
            place = near * q1 / q2
            middle = np.floor(place + 0.5)
            up = _tail((middle + 0.5 - place) * q2 / BETWEEN_SIGMA)
            down = _tail((place - middle + 0.5) * q2 / BETWEEN_SIGMA)
            moved += (1 - up - down) * _normal(points - middle * q2, width)
            moved += up * _normal(points - (middle + 1) * q2, width) + down * _normal(points - (middle - 1) * q2, width)
        floor = _OUTLIERS / q1
        ratio = np.log(((1 - _OUTLIERS) * moved + floor) / ((1 - _OUTLIERS) * alone + floor))
        result[candidates] += (ratio @ histogram[used])[inverse].astype(np.float32)
    return result


def _tail(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(normal > x) for x >= 0, to 2 digits."""
    tail: NDArray[np.float64] = 0.5 * np.exp(-0.717 * x - 0.416 * x * x)
    return tail


def _normal(offset: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    density: NDArray[np.float64] = np.exp(-0.5 * (offset / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    return density
