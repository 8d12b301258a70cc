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

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

MAX_STEP = 255
ROUNDING_SIGMA = 0.30
"""Deviation of the noise that 8-bit rounding leaves on a coefficient, with a little for inexact DCTs."""
OUTLIERS = 0.02

# Histograms of |coefficient|: a fine one for small steps, a coarse one with a longer range for large steps.
FINE_PER_UNIT, FINE_RANGE = 8, 64
COARSE_PER_UNIT, COARSE_RANGE = 1, 512
FINE_BINS, COARSE_BINS = FINE_PER_UNIT * FINE_RANGE, COARSE_PER_UNIT * COARSE_RANGE
FINE_STEPS = 24  # steps up to this one are judged by the fine histogram

_index = np.arange(8)
DCT_MATRIX: Floats = (
    np.sqrt(np.where(_index == 0, 1, 2) / 8)[:, None] * np.cos((2 * _index[None, :] + 1) * _index[:, None] * np.pi / 16)
).astype(np.float32)
"""float32 (8, 8), orthonormal DCT-II: rows are frequencies. JPEG coefficients are DCT @ block @ DCT.T."""
_DCT64: Floats = np.ascontiguousarray(np.kron(DCT_MATRIX, DCT_MATRIX).T)  # flat block (64) -> flat coefficients


def luma(rgb: NDArray[np.uint8]) -> Floats:
    """uint8 (n, 3, h, w) -> float32 (n, h, w): JPEG's Y, rounded to integers, minus 128.

    A decoder makes RGB of an integer Y, so rounding takes the noise of RGB's own rounding out again.
    """
    wide = rgb.astype(np.float32)
    y: Floats = wide[:, 0] * np.float32(0.299)
    y += wide[:, 1] * np.float32(0.587)
    y += wide[:, 2] * np.float32(0.114)
    np.rint(y, out=y)
    y -= 128
    return y


def cut_blocks(planes: NDArray[Any], x: int, y: int) -> NDArray[Any]:
    """(n, h, w) -> (blocks, 64): all whole 8x8 blocks of the grid that starts at column `x`, row `y` (0-7)."""
    count, height, width = planes.shape
    rows, columns = (height - y) // 8, (width - x) // 8
    region = planes[:, y : y + 8 * rows, x : x + 8 * columns]
    blocks = region.reshape(count, rows, 8, columns, 8).swapaxes(2, 3)
    return np.ascontiguousarray(blocks).reshape(-1, 64)


def clean_blocks(rgb: NDArray[np.uint8], y: Floats, x0: int, y0: int, enough: int = 128) -> tuple[Floats, bool]:
    """The luma blocks worth asking: not constant, and free of clipped pixels where there are `enough` such blocks.

    A pixel at 0 or 255 in any channel was probably clipped, which moves every coefficient of its block. Where few blocks have
    none, the `enough` blocks with the fewest are taken.

    Args:
        rgb: uint8 (n, 3, h, w); y: its `luma` (n, h, w); x0, y0: offset of the grid.

    Returns:
        float32 (blocks, 64), pixels; and whether they are all free of clipping.
    """
    blocks = cut_blocks(y, x0, y0)
    r, g, b = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    dark, light = np.minimum(np.minimum(r, g), b) == 0, np.maximum(np.maximum(r, g), b) == 255
    clipped = cut_blocks(dark | light, x0, y0).sum(axis=1)
    textured = blocks.max(axis=1) > blocks.min(axis=1)
    clean = textured & (clipped == 0)
    if int(clean.sum()) >= enough:
        return blocks[clean], True
    blocks, clipped = blocks[textured], clipped[textured]
    return blocks[np.argsort(clipped, kind="stable")[:enough]], False


def dct_blocks(blocks: Floats) -> Floats:
    """(blocks, 64) pixels -> (blocks, 64) coefficients in natural order."""
    coefficients: Floats = blocks @ _DCT64
    return coefficients


def inverse_dct_blocks(coefficients: Floats) -> Floats:
    """(blocks, 64) coefficients in natural order -> (blocks, 64) pixels."""
    pixels: Floats = coefficients @ _DCT64.T
    return pixels


@dataclass(frozen=True)
class Histograms:
    """|coefficient| counted per frequency: float32 `fine` (frequencies, FINE_BINS), `coarse` (.., COARSE_BINS)."""

    fine: Floats
    coarse: Floats


def histograms(coefficients: Floats) -> Histograms:
    """Count (blocks, frequencies) coefficients; those beyond a histogram's range are left out of it."""
    count = coefficients.shape[1]
    scaled = np.abs(coefficients.T)  # frequency-major, so that neighbouring values land in neighbouring bins
    fine = _count(scaled * np.float32(FINE_PER_UNIT), count, FINE_BINS)
    coarse = _count(scaled * np.float32(COARSE_PER_UNIT), count, COARSE_BINS)
    return Histograms(fine, coarse)


def _count(scaled: Floats, rows: int, bins: int) -> Floats:
    index = np.rint(scaled, out=scaled).astype(np.int32)
    np.minimum(index, bins, out=index)  # one more bin for what is out of range
    index += (np.arange(rows, dtype=np.int32) * (bins + 1))[:, None]
    counted = np.bincount(index.ravel(), minlength=rows * (bins + 1)).reshape(rows, bins + 1)
    return counted[:, :bins].astype(np.float32)


@lru_cache(maxsize=32)
def _lattice_tables(sigma: float, outliers: float, fine: bool) -> tuple[Floats, Floats, Floats]:
    """(log noise density, level, level is 0): each (bins, steps), for |c| at the bin's centre."""
    per_unit, bins = (FINE_PER_UNIT, FINE_BINS) if fine else (COARSE_PER_UNIT, COARSE_BINS)
    steps = np.arange(1, FINE_STEPS + 1) if fine else np.arange(FINE_STEPS + 1, MAX_STEP + 1)
    value = np.arange(bins)[:, None] / per_unit
    level = np.floor(value / steps + 0.5)
    offset = value - level * steps
    width = np.sqrt(sigma**2 + 1 / (12 * per_unit**2))  # the bin's own width blurs too
    density = np.zeros_like(offset)
    for turn in (-2, -1, 0, 1, 2):
        density += np.exp(-0.5 * ((offset - turn * steps) / width) ** 2)
    density /= width * np.sqrt(2 * np.pi)
    log_noise = np.log((1 - outliers) * density + outliers / steps)
    return log_noise.astype(np.float32), level.astype(np.float32), (level == 0).astype(np.float32)


# The smooth densities that a frequency may have instead: Laplacians of these scales, and a narrow spike with a long tail (drawings,
# flat colour) that has this share of the coefficients.
_SCALES = np.concatenate([[1e-3], np.geomspace(0.15, 300, 32)])
_TAIL_SHARES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.6])


@lru_cache(maxsize=16)
def _smooth_table(sigma: float, fine: bool) -> Floats:
    """log densities without quantization, blurred by the rounding noise: (bins, models)."""
    per_unit, bins = (FINE_PER_UNIT, FINE_BINS) if fine else (COARSE_PER_UNIT, COARSE_BINS)
    value = np.arange(bins) / per_unit
    width = np.sqrt(sigma**2 + 1 / (12 * per_unit**2))
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    weights = weights / weights.sum()
    tail = 0.5 / (1 + value) ** 2
    columns = []
    for scale in _SCALES:
        if scale < width:  # narrower than the noise: its normal, widened by the Laplacian's variance
            density = _normal(value, np.sqrt(width**2 + 2 * scale**2))
        else:
            moved = np.abs(value[:, None] + width * nodes)
            density = (np.exp(-moved / scale) @ weights) / (2 * scale)
        columns.append(np.log((1 - OUTLIERS) * density + OUTLIERS * tail))
    columns += [np.log((1 - share) * _normal(value, width) + share * tail) for share in _TAIL_SHARES]
    return np.stack(columns, axis=1).astype(np.float32)


def _normal(value: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    density: NDArray[np.float64] = np.exp(-0.5 * (value / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    return density


def step_evidence(counted: Histograms, sigma: float = ROUNDING_SIGMA, outliers: float = OUTLIERS) -> Floats:
    """Log likelihood ratio (nats) of each step 1-255 against no quantization: float32 (frequencies, 255)."""
    parts = []
    for fine, histogram in ((True, counted.fine), (False, counted.coarse)):
        log_noise, level, zero = _lattice_tables(sigma, outliers, fine)
        per_unit, bins = (FINE_PER_UNIT, FINE_BINS) if fine else (COARSE_PER_UNIT, COARSE_BINS)
        steps = np.arange(1, FINE_STEPS + 1) if fine else np.arange(FINE_STEPS + 1, MAX_STEP + 1)
        smooth = (histogram @ _smooth_table(sigma, fine)).max(axis=1)
        total = histogram.sum(axis=1, keepdims=True)
        n0 = histogram @ zero
        n1 = total - n0
        tail_logs = histogram * np.log1p(np.arange(bins, dtype=np.float32) / per_unit)
        tail_logs = tail_logs.sum(axis=1, keepdims=True) - tail_logs @ zero
        masses = np.maximum(
            _laplacian_masses(n0, n1, histogram @ level), _tail_masses(n0, n1, tail_logs, steps.astype(np.float32))
        )
        parts.append(masses + histogram @ log_noise - smooth[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


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
