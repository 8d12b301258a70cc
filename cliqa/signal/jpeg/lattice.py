"""Closed-form evidence of JPEG quantization in decoded pixels.

A JPEG's DCT coefficients are multiples of their step. Decoding rounds pixels to integers, which adds noise of about
0.29 to every coefficient (1/sqrt(12), the DCT being orthonormal). So on the right 8x8 grid the coefficients of each frequency lie on
a *lattice*: Laplacian masses at multiples of the step, blurred by that noise. Without JPEG they follow the smooth
Laplacian. For each frequency and each step 1-255 this module gives the log likelihood ratio (in nats) of the two:

    LLR(q) = max_b [ n0 log p0(q, b) + sum_k n_k log p_k(q, b) ] + sum_i log noise_q(c_i) - max_b sum_i log f_b(c_i)

with p_k the mass that a Laplacian of scale b puts within half a step of k q, noise_q the density of the distance from
the nearest multiple (a wrapped normal, plus a share of outliers spread evenly over the cell, for what clipping or a later
edit has moved), and f_b the Laplacian blurred by the same rounding noise. The maximum over b has a closed form for
quantized data and is a search over a table for the smooth density. All sums over coefficients are products of histograms
with fixed tables, so that the cost hardly depends on the number of candidates. For drawings, whose coefficients are a
spike with a long tail, both sides may take that shape instead of the Laplacian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.densities import normal, wrapped_normal
from cliqa.signal.jpeg.blocks import Blocks, dct_blocks
from cliqa.signal.jpeg.counts import count_bins
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

MAX_STEP = 255  # the largest that a baseline table holds
ROUNDING_SIGMA = 0.30
"""Deviation of the noise that 8-bit rounding leaves on a coefficient, with a little for inexact DCTs."""
OUTLIERS = 0.02
"""Share of coefficients that a lattice need not explain. Any from 0.002 to 0.05 told the quality of 40 of 40 photographs, 0.1 of 39."""
CLIPPED_OUTLIERS = 0.1
"""The same where blocks with clipped pixels had to be used; no tuning on record."""

# Histograms of |coefficient|: a fine one for small steps, a coarse one with a longer range for large steps.
FINE_PER_UNIT, FINE_RANGE = 8, 64
COARSE_PER_UNIT, COARSE_RANGE = 1, 512
FINE_BINS, COARSE_BINS = FINE_PER_UNIT * FINE_RANGE, COARSE_PER_UNIT * COARSE_RANGE
FINE_STEPS = 24  # steps up to this one are judged by the fine histogram


@dataclass(frozen=True)
class Histograms:
    """|coefficient| counted per frequency: float32 `fine` (frequencies, <= FINE_BINS), `coarse` (.., <= COARSE_BINS).

    Bins are centred on multiples of their width; those above the largest coefficient are left away.
    """

    fine: Floats
    coarse: Floats


def histograms(coefficients: Floats) -> Histograms:
    """Count (frequencies, blocks) coefficients; those beyond a histogram's range are left out of it."""
    finer = np.full(len(coefficients), FINE_PER_UNIT // COARSE_PER_UNIT, np.float32)
    return Histograms(_counted(coefficients, FINE_BINS, finer), _counted(coefficients, COARSE_BINS))


def _counted(coefficients: Floats, most: int, scale: Floats | None = None) -> Floats:
    counts = count_bins(coefficients, most, scale, to_even=True)
    used = int(np.flatnonzero(counts.any(axis=0)).max(initial=0)) + 1
    return counts[:, : min(used, most)].astype(np.float32, order="C")


def bin_centres(fine: bool) -> NDArray[np.float64]:
    """|coefficient| at the middle of each bin."""
    per_unit, bins = (FINE_PER_UNIT, FINE_BINS) if fine else (COARSE_PER_UNIT, COARSE_BINS)
    centres: NDArray[np.float64] = np.arange(bins) / per_unit
    return centres


def bin_width(sigma: float, fine: bool) -> float:
    """Deviation of noise of deviation `sigma` as the bins show it: their own width blurs too."""
    per_unit = FINE_PER_UNIT if fine else COARSE_PER_UNIT
    return math.sqrt(sigma**2 + 1 / (12 * per_unit**2))


@lru_cache(maxsize=32)
def _lattice_tables(sigma: float, outliers: float, fine: bool) -> Floats:
    """Per bin, side by side: log noise density and level of each step: (bins, 2 * steps)."""
    steps = np.arange(1, FINE_STEPS + 1) if fine else np.arange(FINE_STEPS + 1, MAX_STEP + 1)
    value, width = bin_centres(fine)[:, None], bin_width(sigma, fine)
    level = np.floor(value / steps + 0.5)
    offset = value - level * steps
    density = wrapped_normal(offset, steps.astype(np.float64), width, 2)
    log_noise = np.log((1 - outliers) * density + outliers / steps)
    return np.concatenate([log_noise, level], axis=1).astype(np.float32)


# The smooth densities that a frequency may have instead: Laplacians of these scales, and a narrow spike with a long tail (drawings,
# flat colour) that has this share of the coefficients.
_SCALES = np.concatenate([[1e-3], np.geomspace(0.15, 300, 32)])
_TAIL_SHARES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.6])


@lru_cache(maxsize=16)
def _smooth_table(sigma: float, fine: bool) -> Floats:
    """log densities without quantization, blurred by the rounding noise: (bins, models)."""
    value, width = bin_centres(fine), bin_width(sigma, fine)
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    weights = weights / weights.sum()
    tail = 0.5 / (1 + value) ** 2
    columns = []
    for scale in _SCALES:
        if scale < width:  # narrower than the noise: its normal, widened by the Laplacian's variance
            density = normal(value, np.sqrt(width**2 + 2 * scale**2))
        else:
            moved = np.abs(value[:, None] + width * nodes)
            density = (np.exp(-moved / scale) @ weights) / (2 * scale)
        columns.append(np.log((1 - OUTLIERS) * density + OUTLIERS * tail))
    columns += [np.log((1 - share) * normal(value, width) + share * tail) for share in _TAIL_SHARES]
    return np.stack(columns, axis=1).astype(np.float32)


def read_steps(blocks: Blocks) -> tuple[Floats, Histograms, Floats]:
    """Of the blocks of one grid (coefficients, counts, evidence): (64, n), their histograms, and (64, 255) from `step_evidence`."""
    coefficients = dct_blocks(blocks.pixels)
    counts = histograms(coefficients)
    return coefficients, counts, step_evidence(counts, outliers=OUTLIERS if blocks.clean else CLIPPED_OUTLIERS)


def step_evidence(counted: Histograms, sigma: float = ROUNDING_SIGMA, outliers: float = OUTLIERS) -> Floats:
    """Log likelihood ratio (nats) of each step 1-255 against no quantization: float32 (frequencies, 255)."""
    parts = []
    for fine, histogram in ((True, counted.fine), (False, counted.coarse)):
        steps = np.arange(1, FINE_STEPS + 1) if fine else np.arange(FINE_STEPS + 1, MAX_STEP + 1)
        smooth = _sums(histogram, _smooth_table(sigma, fine)).max(axis=1)
        sums = _sums(histogram, _lattice_tables(sigma, outliers, fine))
        parts.append(_masses(histogram, sums, smooth, steps, fine))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _masses(histogram: Floats, sums: Floats, smooth: Floats, steps: NDArray[np.int64], fine: bool) -> NDArray[Any]:
    """Evidence (frequencies, steps) from histograms, what `_lattice_tables` give of them and what the smooth densities do at best."""
    library = compiled()
    if library is not None and len(histogram):
        first, logs, numbers = _beginnings(fine)
        made = np.empty((len(histogram), len(steps)), np.float32)
        tables = sums, logs, smooth, numbers, first
        library.lattice_masses(histogram, *histogram.shape, *tables, len(steps), made)
        return made
    log_noise, levels = sums[:, : len(steps)], sums[:, len(steps) :]
    n1 = _beyond_zero(histogram, steps, fine)
    n0 = histogram.sum(axis=1, keepdims=True) - n1
    tail_logs = histogram * np.log1p(bin_centres(fine)[: histogram.shape[1]]).astype(np.float32)
    masses = np.maximum(
        _laplacian_masses(n0, n1, levels),
        _tail_masses(n0, n1, _beyond_zero(tail_logs, steps, fine), steps.astype(np.float32)),
    )
    evidence: NDArray[Any] = masses + log_noise - smooth[:, None]
    return evidence


@lru_cache(maxsize=2)
def _beginnings(fine: bool) -> tuple[NDArray[np.int64], Floats, Floats]:
    """(first, logs, steps): the first bin at level 1 of each step, the bins' log(1 + |c|), the steps."""
    steps = np.arange(1, FINE_STEPS + 1) if fine else np.arange(FINE_STEPS + 1, MAX_STEP + 1)
    first = np.searchsorted(bin_centres(fine), steps / 2).astype(np.int64)
    return first, np.log1p(bin_centres(fine)).astype(np.float32), steps.astype(np.float32)


_COMMON = 96  # bins that most frequencies need; the others are filled by DC and its neighbours alone. By hand


def _sums(histogram: Floats, table: Floats) -> Floats:
    """`histogram` (frequencies, bins) @ `table`, without the empty ends of most rows."""
    sums: Floats = histogram[:, :_COMMON] @ table[: min(_COMMON, histogram.shape[1])]
    rest = histogram[:, _COMMON:]
    far = np.flatnonzero(rest.any(axis=1))
    sums[far] += rest[far] @ table[_COMMON : histogram.shape[1]]
    return sums


def _beyond_zero(values: Floats, steps: NDArray[np.int64], fine: bool) -> Floats:
    """Sums of (frequencies, bins) values over the bins that are not at level 0, for each step: (frequencies, steps)."""
    bins = values.shape[1]
    first = np.searchsorted(bin_centres(fine), steps / 2)  # the first bin at level 1
    last = min(int(first[-1]), bins)
    running = np.zeros((len(values), last + 1), np.float32)
    np.cumsum(values[:, :last], axis=1, out=running[:, 1:])
    beyond: Floats = values.sum(axis=1, keepdims=True) - running[:, np.minimum(first, last)]
    return beyond


def _laplacian_masses(n0: Floats, n1: Floats, levels: Floats) -> NDArray[Any]:
    """Best log likelihood of levels under a quantized Laplacian; `levels` is the sum of their absolute values.

    With s = exp(-q / 2b): p0 = 1 - s, p_k = (1 - s^2) s^(2|k| - 1) / 2 for either sign. The maximum over s solves
    (n0 + n1 + 2K) s^2 + n0 s - (2K - n1) = 0.
    """
    a = n0 + n1 + 2 * levels
    c = 2 * levels - n1
    s = (np.sqrt(n0 * n0 + 4 * a * c) - n0) / np.maximum(2 * a, 1e-9)
    s = np.clip(s, 1e-6, 1 - 1e-6)
    result: NDArray[Any] = n0 * np.log1p(-s) + n1 * np.log((1 - s * s) / 2) + c * np.log(s)
    return result


def _tail_masses(n0: Floats, n1: Floats, tail_logs: Floats, steps: Floats) -> NDArray[Any]:
    """The same under a spike at 0 with a tail of density ~ 1 / (1 + |c|)^2 beyond half a step.

    `tail_logs` is the sum of log(1 + |c|) over the coefficients that are not at level 0.
    """
    share = np.clip(n1 / np.maximum(n0 + n1, 1), 1e-6, 1 - 1e-6)
    result: NDArray[Any] = n0 * np.log1p(-share) + n1 * np.log(share * steps * (1 + steps / 2) / 2) - 2 * tail_logs
    return result


_FREQUENCY = np.arange(64)


def quality_evidence(steps: Floats) -> Floats:
    """Sum of the step evidence over the 63 AC frequencies of each IJG table: float32 (100,), nats."""
    picked = steps[_FREQUENCY[None, 1:], LUMA_TABLES[:, 1:] - 1]
    total: Floats = picked.sum(axis=1)
    return total
