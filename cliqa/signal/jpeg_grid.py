"""Where the 8x8 grids of JPEG saves lie: coefficient histograms at all 64 offsets, compared with each other.

At the offset of a save, coefficients crowd at multiples of their steps; at all others their histogram is smooth and
nearly the same. So the divergence of an offset's histograms from the mean of all tells the grid, whatever the tables.
A second, older grid is far fainter, and the newer grid colours every offset by its distance from it. But offsets that
mirror each other about the newer grid (x and 8 - x, y and 8 - y) are coloured alike, so each is compared with its mirror
images. Three offsets, half a block away, are their own mirror images: an older grid there is not seen.

The coefficients at every pixel position come from two separable filters, so that all offsets together cost little
more than one. Offsets are counted from the planes' top left corner: (x, y) says that blocks start at columns x, x + 8, ...;
their index is y * 8 + x.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from cliqa.signal.dct_lattice import DCT_MATRIX
from cliqa.signal.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

AXIS_FREQUENCIES = (0, 1, 2, 4)
PAIRS = tuple((v, u) for v in AXIS_FREQUENCIES for u in AXIS_FREQUENCIES if (v, u) != (0, 0))
PER_UNIT, BINS = 2, 160
_SMOOTHING = 0.5  # added to counts before logarithms


def offset_histograms(planes: Floats) -> Floats:
    """|coefficient| counts at each offset: (n, h, w) -> float32 (64, pairs, BINS), bins of half a unit."""
    count, height, width = planes.shape
    rows, columns = (height - 7) // 8 * 8, (width - 7) // 8 * 8
    if rows <= 0 or columns <= 0:
        return np.zeros((64, len(PAIRS), BINS), np.float32)
    filters = np.ascontiguousarray(DCT_MATRIX[list(AXIS_FREQUENCIES)])
    kinds = len(AXIS_FREQUENCIES)
    planes = np.ascontiguousarray(planes)
    s0, s1, s2 = planes.strides
    windows = as_strided(planes, (count, height, columns, 8), (s0, s1, s2, s2))
    across = windows.reshape(-1, 8) @ np.ascontiguousarray(filters.T)
    across = across.reshape(count, height, columns // 8, 8, kinds).transpose(0, 1, 4, 3, 2)
    across = np.ascontiguousarray(across).reshape(count, height, kinds * columns)  # kind u, offset x, column / 8
    s0, s1, s2 = across.strides
    stacks = as_strided(across, (count, rows, 8, kinds * columns), (s0, s1, s1, s2))
    both = np.matmul(filters * np.float32(PER_UNIT), stacks)  # (n, rows, kinds v, kinds u * 8 * columns / 8)
    index = np.rint(np.abs(both, out=both), out=both).astype(np.int32)
    np.minimum(index, BINS, out=index)
    index = index.reshape(count, rows // 8, 8, kinds, kinds, 8, columns // 8)
    index += np.arange(8 * kinds * kinds * 8, dtype=np.int32).reshape(1, 1, 8, kinds, kinds, 8, 1) * (BINS + 1)
    counted = np.bincount(index.ravel(), minlength=8 * kinds * kinds * 8 * (BINS + 1))
    shaped = counted.reshape(8, kinds * kinds, 8, BINS + 1)[:, 1:, :, :BINS]  # y, pair, x, bin
    return np.ascontiguousarray(shaped.transpose(0, 2, 1, 3)).reshape(64, len(PAIRS), BINS).astype(np.float32)


def grid_scores(counted: Floats) -> Floats:
    """Divergence (nats) of each offset's histograms from the mean of all: float32 (64,)."""
    mean = counted.mean(axis=0)
    ratio = np.log((counted + _SMOOTHING) / (mean + _SMOOTHING))
    scores: Floats = np.einsum("opb,opb->o", counted, ratio)
    return scores


BLOCKY = 2.0
"""Steps at the edges of blocks this many times those inside: below a quality of about 15."""


def blocky_grid(planes: Floats) -> int | None:
    """Offset index of plainly visible blocks, None where there are none. Most of such blocks are flat, and tell little else."""
    offsets = []
    for axis in (2, 1):
        line = np.abs(np.diff(planes, axis=axis)).mean(axis=(0, 3 - axis))
        length = len(line) // 8 * 8
        phases = line[:length].reshape(-1, 8).mean(axis=0)
        edge = int(phases.argmax())
        others = float(np.delete(phases, edge).mean())
        if phases[edge] < BLOCKY * others:
            return None
        offsets.append((edge + 1) % 8)
    return offsets[1] * 8 + offsets[0]


def _mirror_weights(spread: float = 0.35) -> Floats:
    """(64, 64): the offsets (relative to the newer grid) that each offset is compared with; rows sum to 1."""
    folded = np.minimum(np.arange(8), 8 - np.arange(8))
    x, y = np.tile(folded, 8), np.repeat(folded, 8)
    distance = (x[:, None] - x[None, :]) ** 2 + (y[:, None] - y[None, :]) ** 2
    weights = np.exp(-distance / (2 * spread**2))
    np.fill_diagonal(weights, 0)
    weights[:, 0] = 0
    normalised: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised


_MIRRORS = _mirror_weights()
_OWN_IMAGES = (0, 4, 32, 36)
"""The newer grid itself, and the offsets of 4 that are their own mirror images: nothing to compare them with."""


def second_grid_scores(counted: Floats, newer: int) -> Floats:
    """Divergence of each offset's histograms from those of its mirror images about the grid `newer` (an offset index).

    Returns:
        float32 (64,), nats, summed over bins of 2 and of 4 units; `newer` itself and the offsets (0, 4), (4, 0), (4, 4) from it get 0.
    """
    y, x = divmod(newer, 8)
    rolled = np.roll(counted.reshape(8, 8, len(PAIRS), BINS), (-y, -x), (0, 1))
    scores = np.zeros(64, np.float32)
    for merge in (4, 8):
        merged = rolled.reshape(64, -1, merge).sum(axis=2)
        mirrored = _MIRRORS @ merged
        scores += (merged * np.log((merged + _SMOOTHING) / (mirrored + _SMOOTHING))).sum(axis=1)
    scores[list(_OWN_IMAGES)] = 0
    return np.roll(scores.reshape(8, 8), (y, x), (0, 1)).ravel()


# --- which quality a faint grid had --------------------------------------------------------------------------------

MAX_STEP = 120
SIGMAS = (0.35, 0.7, 1.3, 2.2, 3.6, 5.5, 8.0)
"""Noise on the older lattice: of rounding alone, and of a later save on another grid at about 97 ... 60."""
_OUTLIERS = 0.05
_TABLE_STEPS = np.stack([np.minimum(LUMA_TABLES[:, 8 * v + u], MAX_STEP) - 1 for v, u in PAIRS], axis=1)  # (100, pairs)


@lru_cache(maxsize=1)
def _comb_tables() -> Floats:
    """Density of a lattice over that of the smooth envelope, (BINS, sigmas * MAX_STEP); its mean over a cell is 1."""
    value = np.arange(BINS)[:, None] / PER_UNIT
    steps = np.arange(1, MAX_STEP + 1)
    offset = value - np.floor(value / steps + 0.5) * steps
    tables = []
    for sigma in SIGMAS:
        width = np.sqrt(sigma**2 + 1 / (12 * PER_UNIT**2))
        density = np.zeros_like(offset)
        for turn in range(-8, 9):
            density += np.exp(-0.5 * ((offset - turn * steps) / width) ** 2)
        comb = steps * density / (width * np.sqrt(2 * np.pi))
        # steps far under the noise leave no comb; the sum above is cut off there
        comb = np.where(steps < width / 2, 1.0, comb)
        tables.append((1 - _OUTLIERS) * comb + _OUTLIERS)
    return np.concatenate(tables, axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _log_combs() -> Floats:
    return np.log(_comb_tables())


def comb_evidence(histogram: Floats, envelope: Floats) -> Floats:
    """Log likelihood ratio (nats) of each IJG quality at one offset, against the same envelope without a lattice.

    Args:
        histogram: counts at the offset, (pairs, BINS).
        envelope: counts as they would be without the save: those of other offsets, (pairs, BINS).

    Returns:
        float32 (sigmas, 100).
    """
    combs = _comb_tables()
    shape = envelope + np.float32(0.1)
    shape = shape / shape.sum(axis=1, keepdims=True)
    total = histogram.sum(axis=1, keepdims=True)
    evidence = histogram @ _log_combs() - total * np.log(shape @ combs)
    by_step = evidence.reshape(len(PAIRS), len(SIGMAS), MAX_STEP)
    picked = by_step[np.arange(len(PAIRS))[None, :], :, _TABLE_STEPS]  # (100, pairs, sigmas)
    result: Floats = picked.sum(axis=1).T.astype(np.float32)
    return result


def newest_evidence(counted: Floats, grid: int) -> Floats:
    """`comb_evidence` at `grid`, its envelope the mean of all other offsets: float32 (sigmas, 100)."""
    envelope = (counted.sum(axis=0) - counted[grid]) / 63
    return comb_evidence(counted[grid], envelope)


def older_evidence(counted: Floats, newer: int, grid: int) -> Floats:
    """`comb_evidence` at `grid`, its envelope that of its mirror images about `newer`: float32 (sigmas, 100)."""
    y, x = divmod(newer, 8)
    rolled = np.roll(counted.reshape(8, 8, -1), (-y, -x), (0, 1)).reshape(64, -1)
    relative = (grid // 8 - y) % 8 * 8 + (grid % 8 - x) % 8
    envelope = (_MIRRORS[relative] @ rolled).reshape(len(PAIRS), BINS)
    return comb_evidence(counted[grid], envelope)
