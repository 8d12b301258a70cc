"""A save before the last on the same grid: what it leaves in the levels of the last, and which of two saves was the last.

After saves with steps q1 and then q2, a coefficient is q2 * round((q1 * m + n) / q2): some levels of the second lattice get the mass of
several of the first, some none. For each earlier IJG quality this module gives the log likelihood ratio (nats) of the
counted levels against a single save, with Laplacian masses in both.

The lattice that fits best need not be the last save's. After a coarse save and a fine one, coefficients lie near multiples m * q1 of
the coarse step, but exactly at q2 * round(m * q1 / q2). So for the best single quality two questions are asked: do the levels
look like an earlier save's, or are the lattice points moved as a later, finer save would move them?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.densities import normal, upper_tail
from cliqa.signal.jpeg.counts import count_bins
from cliqa.signal.jpeg.lattice import FINE_PER_UNIT, ROUNDING_SIGMA, Histograms, bin_centres, bin_width
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

LEVELS = 24
"""Levels 0-23 are counted; larger ones are rare."""
BETWEEN_SIGMA = 0.45
"""Deviation of a coefficient between the saves, by three roundings to 8 bits: the decoder's Y, its RGB, the encoder's Y.

sqrt(2 / 12 + (0.299^2 + 0.587^2 + 0.114^2) / 12) = 0.45."""
OUTLIERS = 0.05
"""Share of levels that the model need not explain; so that no single one decides."""
FREQUENCIES = 28
"""The frequencies with the most levels that are not 0."""
_FASTEST_DECAY = np.float32(27.6)
"""Nats from level to level beyond which masses are as good as 0."""
LEAST = 8
"""Levels that are not 0 from which a frequency is asked."""
_JUDGED = tuple(v * 8 + u for v in range(8) for u in range(8) if 1 <= v + u <= 8)
_BINS = 24 * FINE_PER_UNIT
FINEST_LAST = 98
"""Later saves at 99 and 100 move nothing (all steps are 1 or 2): they can't be told from a little more noise."""
SURE_PER_BLOCK = 1.0
"""Nats per block by which a later, finer save must be likelier; decoders that round colours alone reach about this."""
COARSE_PENALTY = 6.0
"""More is asked after a very coarse save, whose few levels the models fit worst: this much over its quality."""
LATER_SIGMA = 0.35
"""As `BETWEEN_SIGMA`, but where a later save is looked for; narrower than the roundings are, since tails make every lattice fit.

Of 80 pairs of saves on 40 photographs it names the last quality of 79, the roundings' own 0.45 that of 77.
"""
_LATER_OUTLIERS = 0.03
"""As `OUTLIERS`, of coefficients."""


def count_levels(coefficients: Floats, table: NDArray[np.int64]) -> Floats:
    """How often each |level| occurs: coefficients (64, blocks), steps (64,) -> float32 (64, LEVELS)."""
    counted = count_bins(coefficients, LEVELS, (1.0 / table).astype(np.float32))
    return counted[:, :LEVELS].astype(np.float32)


def previous_evidence(levels: Floats, table: NDArray[np.int64]) -> Floats:
    """Log likelihood ratio (nats) of each earlier IJG quality 1-100 on the same grid: float32 (100,).

    What an earlier step does to a frequency is told once for each of the steps that the tables have there, and only for the
    levels of the first save that land on one that occurs.

    Args:
        levels: from `count_levels` with `table`.
        table: steps of the last save, (64,) natural order. Frequencies where an earlier step is not larger than the last say nothing.
    """
    n0, n1 = levels[:, 0], levels[:, 1:].sum(axis=1)
    n1[0] = 0  # DC is no Laplacian
    chosen = np.argsort(-n1, kind="stable")[:FREQUENCIES]
    chosen = chosen[n1[chosen] >= LEAST]
    evidence = np.zeros(100, np.float32)
    steps = LUMA_TABLES[:, chosen]
    pairs = _step_pairs(steps, table[chosen])
    if not len(pairs.frequency):
        return evidence
    counts = levels[chosen, 1:]
    used = int(np.flatnonzero(counts.any(axis=0))[-1]) + 1
    counts = counts[:, :used]
    n0, n1 = n0[chosen], n1[chosen]
    j = np.arange(1, used + 1, dtype=np.float32)
    sums = counts @ j
    a, c = n0 + n1 + 2 * sums, 2 * sums - n1
    s = np.clip((np.sqrt(n0 * n0 + 4 * a * c) - n0) / (2 * a), 1e-4, 1 - 1e-4)  # exp(-q2 / 2b), see `lattice`
    # Zeros are left out (real coefficients have more of them than any Laplacian): masses given that the level is not 0.
    q2 = table[chosen].astype(np.float32)
    decay = (-np.log(s) * 2 / q2).astype(np.float32)  # 1 / b
    single = (s * s)[:, None] ** (j - 1)
    single = np.maximum(single / single.sum(axis=1, keepdims=True), np.float32(1e-30)).astype(np.float32)
    double = _twice_quantized(pairs, q2, decay, used)
    ratio = np.log((1 - OUTLIERS) * double / single[pairs.frequency] + np.float32(OUTLIERS))
    found = np.einsum("kl,kl->k", ratio, counts[pairs.frequency])
    evidence[:] = np.concatenate([found, [0]]).astype(np.float32)[pairs.place].sum(axis=1)
    return evidence


@dataclass(frozen=True)
class _StepPairs:
    """The different pairs of an earlier and a later step at each frequency, K of them.

    `frequency` (K,) its place among the chosen ones, `earlier` (K,) the step; `place` (100, f) which pair each quality has there, K
    where the earlier step is not larger than the later one.
    """

    frequency: NDArray[np.intp]
    earlier: Floats
    place: NDArray[np.intp]


def _step_pairs(steps: NDArray[np.int64], last: NDArray[np.int64]) -> _StepPairs:
    """Pairs of steps (100, f) of the earlier qualities with those of the last save (f,)."""
    present = np.zeros((len(last), 256), bool)
    columns = np.arange(len(last))
    present[columns, steps] = True
    present &= np.arange(256) > last[:, None]
    frequency, earlier = np.nonzero(present)
    numbers = np.full(present.shape, len(frequency))
    numbers[frequency, earlier] = np.arange(len(frequency))
    return _StepPairs(frequency, earlier.astype(np.float32), numbers[columns, steps])


def _twice_quantized(pairs: _StepPairs, q2: Floats, decay: Floats, used: int) -> Floats:
    """Masses of the levels 1-`used` of the last save, after a first one with the earlier step: float32 (K, used), rows sum to 1.

    Args:
        q2, decay: step of the last save and 1 / b of the Laplacian at each frequency, (f,).
    """
    q1, later = pairs.earlier, q2[pairs.frequency]
    ratio = q1 / later
    # Level m of the first save has the mass exp(-q1 / b)^m, but for a factor; those that land beyond `used` are left out.
    rate = np.minimum(q1 * decay[pairs.frequency], _FASTEST_DECAY)
    number = np.minimum(((used + 2.5) / ratio).astype(np.intp), used)
    pair = np.repeat(np.arange(len(q1)), number)
    m = (np.arange(1, len(pair) + 1) - np.repeat(np.cumsum(number) - number, number)).astype(np.float32)
    mass = np.exp(-rate[pair] * (m - 1))
    place = ratio[pair] * m
    near = np.floor(place + np.float32(0.5))
    away = place - near
    moved = mass * upper_tail((np.float32(0.5) - np.abs(away)) * (later / np.float32(BETWEEN_SIGMA))[pair])
    other = near + np.copysign(np.float32(1), away)
    levels = np.minimum(np.concatenate([near, other]).reshape(2, -1), np.float32(used + 1)).astype(np.intp)
    counted = np.bincount(
        (levels + pair * (used + 2)).ravel(), np.concatenate([mass - moved, moved]), len(q1) * (used + 2)
    )
    double = counted.reshape(-1, used + 2)[:, 1:-1].astype(np.float32)
    double /= np.maximum(double.sum(axis=1, keepdims=True), np.float32(1e-12))
    return double


@dataclass(frozen=True)
class SavePair:
    """`last` IJG quality; `previous` one and its `gain` over a single save (nats per block, 0 where there is none)."""

    last: int
    previous: int
    gain: float


def last_and_previous(quality: Floats, counted: Histograms, coefficients: Floats) -> SavePair:
    """The likeliest last quality, and the likeliest earlier one with its evidence.

    Args:
        quality: (100,) evidence of single saves, from `lattice.quality_evidence`.
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
        alone = normal(points - level * q1, width)
        moved = np.zeros((len(steps), len(points)))
        for near in (level - 1, level, level + 1) if q1 < 4 else (level,):
            place = near * q1 / q2
            middle = np.floor(place + 0.5)
            up = upper_tail((middle + 0.5 - place) * q2 / LATER_SIGMA)
            down = upper_tail((place - middle + 0.5) * q2 / LATER_SIGMA)
            moved += (1 - up - down) * normal(points - middle * q2, width)
            moved += up * normal(points - (middle + 1) * q2, width) + down * normal(points - (middle - 1) * q2, width)
        floor = _LATER_OUTLIERS / q1
        ratio = np.log(((1 - _LATER_OUTLIERS) * moved + floor) / ((1 - _LATER_OUTLIERS) * alone + floor))
        result[candidates] += (ratio @ histogram[used])[inverse].astype(np.float32)
    return result
