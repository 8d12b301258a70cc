"""Is there a lattice in coefficients that a resize has blurred? The phase of each against the multiples of a step.

Coefficients of more than half a step are asked how near they lie to a multiple of it, under noise of several deviations, and an even
spread as the alternative. The bin at 0 is left out: it would reward tiny steps. A wrong kernel mostly scales the frequencies, by about
exp(-gain (u^2 + v^2)): a few gains are tried beside the 100 IJG tables.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

BIN, BINS = 0.25, 700
_STEP_RATIO = 0.015
STEPS = np.exp(np.arange(np.log(1.6), np.log(150), _STEP_RATIO))
"""Steps that are judged, 1.5 % apart."""
SIGMAS = np.array([0.3, 0.5, 0.8, 1.2, 1.8, 2.6, 3.8, 5.4])
"""Deviations of the noise: of rounding alone, and of later saves down to 80."""
GAINS = np.array([-0.012, -0.008, -0.005, -0.0025, 0, 0.0025, 0.005, 0.008, 0.012, 0.017, 0.023])
"""Logarithms of the gain per (u^2 + v^2)."""
_SPREAD = 0.2
"""Share of coefficients that lie anywhere: blocks that were clipped or edited."""
_WIDE = ((1.0, 0.55), (2.2, 0.25))
"""The noise is a mixture of these multiples of its deviation, with these shares."""
FREQUENCIES = 14
"""The lowest frequencies are asked: they survive."""


@lru_cache(maxsize=1)
def _tables() -> Floats:
    """Log density of each bin against an even spread, (BINS, sigmas * steps)."""
    value = (np.arange(BINS) * BIN)[:, None]
    away = value - np.floor(value / STEPS + 0.5) * STEPS
    parts = []
    for sigma in SIGMAS:
        density = np.full(away.shape, _SPREAD)
        for multiple, share in _WIDE:
            width = np.sqrt((sigma * multiple) ** 2 + BIN**2 / 12)
            wrapped = sum(np.exp(-0.5 * ((away - turn * STEPS) / width) ** 2) for turn in (-2, -1, 0, 1, 2))
            peaked = wrapped * STEPS / (width * np.sqrt(2 * np.pi))
            density += share * np.where(1.6 * width > STEPS, 1.0, peaked)
        parts.append(np.where(value < STEPS / 2, 0, np.log(density)))
    return np.concatenate(parts, axis=1).astype(np.float32)


def chosen_frequencies(down: int, across: int) -> tuple[tuple[int, int], ...]:
    """The lowest (v, u) of those that a resize left."""
    pairs = sorted((v * v + u * u, v, u) for v in range(down) for u in range(across) if (v, u) != (0, 0))
    return tuple((v, u) for _, v, u in pairs[:FREQUENCIES])


@lru_cache(maxsize=64)
def _table_places(chosen: tuple[tuple[int, int], ...], turned: bool) -> NDArray[np.intp]:
    """Index of the step nearest to each table's at each gain, (gains, 100, frequencies); out of range becomes the number of steps."""
    v, u = np.array([pair[0] for pair in chosen]), np.array([pair[1] for pair in chosen])
    steps = LUMA_TABLES[:, u * 8 + v if turned else v * 8 + u]
    wanted = np.log(steps)[None] - GAINS[:, None, None] * (u * u + v * v)
    index = np.rint((wanted - np.log(STEPS[0])) / _STEP_RATIO).astype(np.intp)
    return np.where((index >= 0) & (index < len(STEPS)), index, len(STEPS))


def phase_evidence(coefficients: Floats, turned: bool = False) -> Floats:
    """Nats of each IJG quality against no lattice, at the best noise and gain: float32 (sigmas, 100).

    Args:
        coefficients: (down, across, blocks) by `native_blocks.native_coefficients`.
        turned: by the tables of a picture turned by 90 degrees.
    """
    return evidence_of(step_curves(coefficients), *coefficients.shape[:2], turned=turned)


def step_curves(coefficients: Floats) -> Floats:
    """Nats of each step at each noise: float32 (frequencies, sigmas, steps + 1); the last step is 0, for tables out of range."""
    chosen = chosen_frequencies(*coefficients.shape[:2])
    picked = np.abs(np.stack([coefficients[v, u] for v, u in chosen]))
    index = np.minimum(picked * np.float32(1 / BIN) + np.float32(0.5), BINS).astype(np.intp)
    index += np.arange(len(chosen))[:, None] * (BINS + 1)
    counted = np.bincount(index.ravel(), minlength=len(chosen) * (BINS + 1)).reshape(len(chosen), BINS + 1)[:, :BINS]
    used = int(np.flatnonzero(counted.any(axis=0)).max(initial=0)) + 1
    curves = counted[:, :used].astype(np.float32) @ _tables()[:used]
    curves = curves.reshape(len(chosen), len(SIGMAS), len(STEPS))
    return np.concatenate([curves, np.zeros((*curves.shape[:2], 1), np.float32)], axis=2)


def evidence_of(curves: Floats, down: int, across: int, *, turned: bool = False) -> Floats:
    """As `phase_evidence`, of `step_curves`."""
    places = _table_places(chosen_frequencies(down, across), turned)
    row = np.arange(curves.shape[0])
    found = []
    for number in range(len(SIGMAS)):  # a frequency's noise may be that of the neighbouring deviations
        best = curves[:, max(0, number - 1) : number + 2].max(axis=1)
        found.append(best[row, places].sum(axis=2).max(axis=0))
    return np.stack(found)
