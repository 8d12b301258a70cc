"""A save before the last on the same grid: what it leaves in the levels of the last.

After saves with steps q1 and then q2, a coefficient is q2 * round((q1 * m + n) / q2): some levels of the second lattice get the mass of
several of the first, some none. For each earlier IJG quality this module gives the log likelihood ratio (nats) of the
counted levels against a single save, with Laplacian masses in both.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

LEVELS = 24
"""Levels 0-23 are counted; larger ones are rare."""
BETWEEN_SIGMA = 0.45
"""Deviation of a coefficient between the saves: rounding to 8 bits as Y and as RGB."""
OUTLIERS = 0.05
FREQUENCIES = 28
"""The frequencies with the most levels that are not 0."""
LEAST = 8
"""Levels that are not 0 from which a frequency is asked."""


def count_levels(coefficients: Floats, table: NDArray[np.int64]) -> Floats:
    """How often each |level| occurs: coefficients (64, blocks), steps (64,) -> float32 (64, LEVELS)."""
    scaled = np.abs(coefficients)
    scaled *= (1.0 / table).astype(np.float32)[:, None]
    scaled += np.float32(0.5)
    index = scaled.astype(np.int32)
    np.minimum(index, LEVELS, out=index)
    index += (np.arange(64, dtype=np.int32) * (LEVELS + 1))[:, None]
    counted = np.bincount(index.ravel(), minlength=64 * (LEVELS + 1)).reshape(64, LEVELS + 1)
    return counted[:, :LEVELS].astype(np.float32)


def _upper_tail(x: Floats) -> Floats:
    """P(normal > x) for x >= 0, to 3 digits (Abramowitz and Stegun 26.2.16)."""
    t = 1 / (1 + np.float32(0.33267) * x)
    density = np.exp(np.float32(-0.5) * x * x) * np.float32(1 / math.sqrt(2 * math.pi))
    tail: Floats = density * t * (0.4361836 + t * (-0.1201676 + t * np.float32(0.9372980)))
    return tail


def previous_evidence(levels: Floats, table: NDArray[np.int64]) -> Floats:
    """Log likelihood ratio (nats) of each earlier IJG quality 1-100 on the same grid: float32 (100,).

    Args:
        levels: from `count_levels` with `table`.
        table: steps of the last save, (64,) natural order. Frequencies where an earlier step is not larger than the last say nothing.
    """
    n0, n1 = levels[:, 0], levels[:, 1:].sum(axis=1)
    n1[0] = 0  # DC is no Laplacian
    chosen = np.argsort(-n1, kind="stable")[:FREQUENCIES]
    chosen = chosen[n1[chosen] >= LEAST]
    earlier = np.flatnonzero((LUMA_TABLES[:, chosen] > table[chosen]).any(axis=1))
    evidence = np.zeros(100, np.float32)
    if not len(chosen) or not len(earlier):
        return evidence
    counts = levels[chosen]
    used = min(int(np.flatnonzero(counts.any(axis=0))[-1]) + 1, LEVELS)
    counts = counts[:, :used]
    n0, n1 = n0[chosen], n1[chosen]
    sums = counts @ np.arange(used, dtype=np.float32)
    a, c = n0 + n1 + 2 * sums, 2 * sums - n1
    s = np.clip((np.sqrt(n0 * n0 + 4 * a * c) - n0) / (2 * a), 1e-4, 1 - 1e-4)  # exp(-q2 / 2b), see dct_lattice
    q2 = table[chosen].astype(np.float32)
    decay = -np.log(s) * 2 / q2  # 1 / b

    j = np.arange(used, dtype=np.float32)
    single = np.where(j == 0, (1 - s)[:, None], (1 - s * s)[:, None] * s[:, None] ** np.maximum(2 * j - 1, 0))
    q1 = LUMA_TABLES[np.ix_(earlier, chosen)].astype(np.float32)  # (m, f)
    half = np.maximum(np.exp(np.float32(-0.5) * q1 * decay), np.float32(1e-6))  # exp(-q1 / 2b)
    # level m of the first save has the mass half^(2m - 1) (1 - half^2), for m > 0; only those that land below `used` matter
    ratios = np.where(q1 > q2, q1 / q2, np.inf)
    m = np.arange(min(used, int(used / float(ratios.min())) + 2), dtype=np.float32)
    square = (half * half)[..., None]
    mass = np.where(m == 0, (1 - half)[..., None], ((1 - half * half) / half)[..., None] * square**m)  # (m, f, levels)
    place = (q1 / q2)[..., None] * m
    near = np.floor(place + np.float32(0.5))
    away = place - near
    moved = _upper_tail((np.float32(0.5) - np.abs(away)) * (q2[:, None] / np.float32(BETWEEN_SIGMA)))
    moved[..., 0] = 0
    other = near + np.where(away >= 0, np.float32(1), np.float32(-1))
    base = np.arange(q1.size, dtype=np.int32).reshape(*q1.shape, 1) * (used + 1)
    ends = [np.minimum(level, used).astype(np.int32) + base for level in (near, other)]
    double = (
        np.bincount(
            np.concatenate([end.ravel() for end in ends]),
            weights=np.concatenate([(mass * (1 - moved)).ravel(), (mass * moved).ravel()]),
            minlength=q1.size * (used + 1),
        )
        .reshape(*q1.shape, used + 1)[..., :used]
        .astype(np.float32)
    )
    # Zeros are left out (real coefficients have more of them than any Laplacian): masses given that the level is not 0.
    counts = counts.copy()
    counts[:, 0] = 0
    double /= np.maximum(double[..., 1:].sum(axis=2, keepdims=True), np.float32(1e-12))
    single = np.maximum(single / single[:, 1:].sum(axis=1, keepdims=True), np.float32(1e-30))
    ratio = np.log((1 - OUTLIERS) * double / single + np.float32(OUTLIERS))
    by_frequency = np.einsum("mfl,fl->mf", ratio, counts)
    by_frequency[q1 <= q2] = 0
    evidence[earlier] = by_frequency.sum(axis=1)
    return evidence
