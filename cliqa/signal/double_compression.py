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


def count_levels(coefficients: Floats, table: NDArray[np.int64]) -> Floats:
    """How often each |level| occurs: coefficients (blocks, 64), steps (64,) -> float32 (64, LEVELS)."""
    index = np.rint(np.abs(coefficients) * (1.0 / table).astype(np.float32)).astype(np.int32)
    np.minimum(index, LEVELS, out=index)
    index += np.arange(64, dtype=np.int32) * (LEVELS + 1)
    counted = np.bincount(index.ravel(), minlength=64 * (LEVELS + 1)).reshape(64, LEVELS + 1)
    return counted[:, :LEVELS].astype(np.float32)


def _upper_tail(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(normal > x) for x >= 0, to 3 digits (Abramowitz and Stegun 26.2.16)."""
    t = 1 / (1 + 0.33267 * x)
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    tail: NDArray[np.float64] = density * t * (0.4361836 + t * (-0.1201676 + t * 0.9372980))
    return tail


def previous_evidence(levels: Floats, table: NDArray[np.int64]) -> Floats:
    """Log likelihood ratio (nats) of each earlier IJG quality 1-100 on the same grid: float32 (100,).

    Args:
        levels: from `count_levels` with `table`.
        table: steps of the last save, (64,) natural order. Frequencies where an earlier step is not larger than the last say nothing.
    """
    n0 = levels[:, 0].astype(np.float64)
    n1 = levels[:, 1:].sum(axis=1).astype(np.float64)
    n1[0] = 0  # DC is no Laplacian
    chosen = np.argsort(-n1, kind="stable")[:FREQUENCIES]
    chosen = chosen[n1[chosen] >= 8]
    if not len(chosen):
        return np.zeros(100, np.float32)
    counts = levels[chosen].astype(np.float64)
    n0, n1 = n0[chosen], n1[chosen]
    sums = counts @ np.arange(LEVELS)
    a, c = n0 + n1 + 2 * sums, 2 * sums - n1
    s = np.clip((np.sqrt(n0 * n0 + 4 * a * c) - n0) / (2 * a), 1e-4, 1 - 1e-4)  # exp(-q2 / 2b), see dct_lattice
    q2 = table[chosen].astype(np.float64)
    decay = -np.log(s) * 2 / q2  # 1 / b

    j = np.arange(LEVELS)
    single = np.where(j == 0, (1 - s)[:, None], (1 - s * s)[:, None] * s[:, None] ** np.maximum(2 * j - 1, 0))
    q1 = LUMA_TABLES[:, chosen].astype(np.float64)  # (100, f)
    x = np.maximum(np.exp(-0.5 * q1 * decay), 1e-12)
    m = np.arange(LEVELS)
    mass = np.where(m == 0, (1 - x)[..., None], ((1 - x * x) / x)[..., None] * (x * x)[..., None] ** m)  # (100, f, m)
    place = (q1 / q2)[..., None] * m
    near = np.floor(place + 0.5)
    away = place - near
    moved = _upper_tail((0.5 - np.abs(away)) * q2[:, None] / BETWEEN_SIGMA)
    moved[..., 0] = 0
    near = near.astype(np.int64)
    other = near + np.where(away >= 0, 1, -1)
    base = np.arange(100 * len(chosen)).reshape(100, -1, 1) * (LEVELS + 1)
    double = np.bincount(
        np.concatenate([(base + np.minimum(near, LEVELS)).ravel(), (base + np.minimum(other, LEVELS)).ravel()]),
        weights=np.concatenate([(mass * (1 - moved)).ravel(), (mass * moved).ravel()]),
        minlength=100 * len(chosen) * (LEVELS + 1),
    ).reshape(100, len(chosen), LEVELS + 1)[..., :LEVELS]
    # Zeros are left out (real coefficients have more of them than any Laplacian): masses given that the level is not 0.
    counts[:, 0] = 0
    double = double / np.maximum(double[..., 1:].sum(axis=2, keepdims=True), 1e-12)
    single = single / single[:, 1:].sum(axis=1, keepdims=True)
    ratio = np.log((1 - OUTLIERS) * double / single + OUTLIERS)
    evidence = (counts * ratio).sum(axis=2)
    evidence[q1 <= q2] = 0
    total: Floats = evidence.sum(axis=1).astype(np.float32)
    return total
