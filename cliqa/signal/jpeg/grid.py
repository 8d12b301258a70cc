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

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.densities import wrapped_normal
from cliqa.signal.jpeg.blocks import DCT_MATRIX
from cliqa.signal.jpeg.phases import sums_at
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

AXIS_FREQUENCIES = (0, 1, 2, 4)
_DOWN = {u: tuple(v for v in AXIS_FREQUENCIES if (v, u) != (0, 0)) for u in AXIS_FREQUENCIES}
"""For each horizontal frequency u the vertical ones v that are looked at."""
PAIRS = tuple((v, u) for u, down in _DOWN.items() for v in down)
PER_UNIT, BINS = 2, 160  # half a unit is finer than rounding blurs; no tuning on record
_SMOOTHING = 0.5  # added to counts before logarithms: half a count, as is usual; no tuning on record


def offset_histograms(planes: Floats) -> Floats:
    """|coefficient| counts at each offset: (n, h, w) -> float32 (64, pairs, BINS), bins of half a unit."""
    count, height, width = planes.shape
    rows, columns = (height - 7) // 8 * 8, (width - 7) // 8 * 8
    if rows <= 0 or columns <= 0:
        return np.zeros((64, len(PAIRS), BINS), np.float32)
    across = horizontal_coefficients(planes, columns // 8)
    counted = np.empty((64, len(PAIRS), BINS), np.float32)
    first_bins = _first_bins(columns)
    last_bins = first_bins + np.float32(BINS)
    library = compiled()
    scale, base = np.ones(count * rows // 8, np.float32), np.zeros(8 * columns, np.int32)
    pair = 0
    for filtered, frequencies in zip(across, _DOWN.values(), strict=True):
        part = np.empty((len(frequencies), count, rows, columns), np.float32)
        tile, down, along = filtered.strides
        stacks = as_strided(filtered, (count, rows, 8, columns), (tile, down, down, along))
        np.matmul(DCT_MATRIX[list(frequencies)] * np.float32(PER_UNIT), stacks, out=part.transpose(1, 2, 0, 3))
        for values in part:  # one pair at a time, so that it stays in the processor's cache
            numbers = values.reshape(count * rows // 8, 8 * columns)
            if library is not None:
                counts = np.zeros((64, BINS + 1), np.int32)
                library.count_bins(numbers, len(numbers), 8 * columns, scale, first_bins, last_bins, base, 0, counts)
                counted[:, pair] = counts[:, :BINS]
                pair += 1
                continue
            np.abs(numbers, out=numbers)
            numbers += first_bins
            # one more bin for what is out of range; a row of limits, since a single one takes NumPy four times as long
            np.minimum(numbers, last_bins, out=numbers)
            found = np.bincount(numbers.astype(np.int32).ravel(), minlength=64 * (BINS + 1))
            counted[:, pair] = found.reshape(64, BINS + 1)[:, :BINS]
            pair += 1
    return counted


def horizontal_coefficients(planes: Floats, blocks: int, frequencies: tuple[int, ...] = AXIS_FREQUENCIES) -> Floats:
    """Horizontal coefficients of planes (n, h, w) at every row and the first 8 * `blocks` columns: (frequencies, n, h, 8 * blocks).

    Columns are ordered by their place in the block and then by block: 0, 8, 16, ... 1, 9, 17, ...
    """
    count, height, width = planes.shape
    whole = -(-width // 8) * 8
    line = np.zeros(count * height * whole + 8, np.float32)
    line[:-8].reshape(count, height, whole)[..., :width] = planes
    filters = np.ascontiguousarray(DCT_MATRIX[list(frequencies)].T)
    across = np.empty((len(frequencies), count * height, 8, blocks), np.float32)
    for x in range(8):
        shifted = line[x : x - 8].reshape(-1, 8) @ filters
        across[:, :, x] = shifted.reshape(count * height, whole // 8, -1)[:, :blocks].transpose(2, 0, 1)
    return across.reshape(len(frequencies), count, height, 8 * blocks)


@lru_cache(maxsize=4)
def _first_bins(columns: int) -> Floats:
    """Number of the first bin of each row (0-7) and horizontal coefficient, by its offset, and the half that rounds: (8 * columns,)."""
    offset = np.arange(8)[:, None] * 8 + np.repeat(np.arange(8), columns // 8)
    return (offset * (BINS + 1) + 0.5).astype(np.float32).ravel()


def grid_scores(counted: Floats) -> Floats:
    """Divergence (nats) of each offset's histograms from the mean of all: float32 (64,)."""
    flat = counted.reshape(64, -1)
    ratio = np.log(flat + np.float32(_SMOOTHING))
    ratio -= np.log(flat.mean(axis=0) + np.float32(_SMOOTHING))
    scores: Floats = np.einsum("ob,ob->o", flat, ratio)
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


GRID_PATCHES = 3
"""Tiles that are searched for the grid: three found it for 39 of 40 saves at quality 94-98, six for all."""


@dataclass(frozen=True)
class Grid:
    """Where the newest grid lies.

    Attributes:
        offset: its index y * 8 + x; `margin` its score over the next (nats, > 0).
        counted: coefficient histograms at all offsets, see `offset_histograms`.
        scores: (64,) of all offsets, nats.
    """

    offset: int
    margin: float
    counted: Floats
    scores: Floats


def find_grid(rgb: NDArray[np.uint8], y: Floats, patches: int = GRID_PATCHES) -> Grid:
    """The newest grid of tiles uint8 (n, 3, h, w) with their luma (n, h, w); the first few with little clipping are looked at."""
    planes = y[least_clipped(rgb)[:patches]]
    counted = offset_histograms(planes)
    scores = grid_scores(counted)
    blocky = blocky_grid(planes)
    ranked = np.sort(scores)
    offset = int(scores.argmax()) if blocky is None else blocky
    return Grid(offset, float(ranked[-1] - ranked[-2]), counted, scores)


def least_clipped(rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Order of the tiles (n, 3, h, w) for the search of the grid: by quarters of clipped pixels, else as they come."""
    ends = (rgb - np.uint8(1)) >= np.uint8(254)  # 0 wraps round to 255
    share = np.array([np.count_nonzero(tile) / tile.size for tile in ends])
    order: NDArray[np.intp] = np.argsort(np.floor(share * 4), kind="stable")
    return order


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
MERGED = (4, 2, 1)
"""Bins are merged by four, and once more by two, where faint grids are sought."""
_OWN_IMAGES = (0, 4, 32, 36)
"""The newer grid itself, and the offsets of 4 that are their own mirror images: nothing to compare them with."""


def _merge(counted: Floats, bins: int) -> Floats:
    """Sums of so many neighbouring bins: (offsets, n) -> (offsets, n / bins)."""
    merged: Floats = counted[:, ::bins].copy()
    for first in range(1, bins):
        merged += counted[:, first::bins]
    return merged


def second_grid_scores(counted: Floats, newer: int) -> Floats:
    """Divergence of each offset's histograms from those of its mirror images about the grid `newer` (an offset index).

    Returns:
        float32 (64,), nats, summed over bins of 2 and of 4 units; `newer` itself and the offsets (0, 4), (4, 0), (4, 4) from it get 0.
    """
    y, x = divmod(newer, 8)
    merged = _merge(counted.reshape(64, -1), MERGED[0])
    merged = np.roll(merged.reshape(8, 8, -1), (-y, -x), (0, 1)).reshape(64, -1)
    scores = np.zeros(64, np.float32)
    for merge in MERGED[1:]:
        mirrored = _MIRRORS @ merged
        scores += (merged * np.log((merged + _SMOOTHING) / (mirrored + _SMOOTHING))).sum(axis=1)
        merged = _merge(merged, merge)
    scores[list(_OWN_IMAGES)] = 0
    unrolled: Floats = np.roll(scores.reshape(8, 8), (y, x), (0, 1)).ravel()
    return unrolled


# --- which quality a faint grid had --------------------------------------------------------------------------------

MAX_STEP = 120  # larger steps, below quality 29, count as this one; no tuning on record
SIGMAS = (0.35, 0.7, 1.3, 2.2, 3.6, 5.5, 8.0)
"""Noise on the older lattice: of rounding alone, and of a later save on another grid at about 97 ... 60."""
_OUTLIERS = 0.05
"""Of 40 older qualities under a later save 37 were told within 2, as with 0.01; with 0.15 it were 33."""
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
        comb = steps * wrapped_normal(offset, steps.astype(np.float64), width, 8)
        # steps far under the noise leave no comb; the sum above is cut off there
        comb = np.where(steps < width / 2, 1.0, comb)
        tables.append((1 - _OUTLIERS) * comb + _OUTLIERS)
    return np.concatenate(tables, axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _log_combs() -> Floats:
    return np.log(_comb_tables())


def comb_evidence(histograms: Floats, envelopes: Floats) -> Floats:
    """Log likelihood ratio (nats) of each IJG quality at some offsets, against the same envelopes without a lattice.

    Args:
        histograms: counts at the offsets, (n, pairs, BINS).
        envelopes: counts as they would be without the save: those of other offsets, (n, pairs, BINS).

    Returns:
        float32 (n, sigmas, 100).
    """
    count = len(histograms)
    shapes = envelopes + np.float32(0.1)
    shapes /= shapes.sum(axis=2, keepdims=True)
    total = histograms.sum(axis=2).reshape(-1, 1)
    expected = shapes.reshape(-1, BINS) @ _comb_tables()
    evidence = histograms.reshape(-1, BINS) @ _log_combs() - total * np.log(expected, out=expected)
    by_step = evidence.reshape(count, len(PAIRS), len(SIGMAS), MAX_STEP)
    return np.stack([sums_at(each, _TABLE_STEPS) for each in by_step])


def newest_evidence(counted: Floats, grid: int) -> Floats:
    """`comb_evidence` at `grid`, its envelope the mean of all other offsets: float32 (sigmas, 100)."""
    return np.asarray(comb_evidence(counted[grid][None], _others(counted, grid)[None])[0])


def _others(counted: Floats, grid: int) -> Floats:
    mean: Floats = (counted.sum(axis=0) - counted[grid]) / 63
    return mean


def grid_evidence(counted: Floats, newest: int, older: NDArray[np.intp]) -> Floats:
    """`comb_evidence` at the offset `newest` and then at each of `older` (n,): float32 (1 + n, sigmas, 100).

    The envelope of the newest is the mean of all other offsets, those of the others come from their mirror images about the newest.
    """
    y, x = divmod(newest, 8)
    relative = (older // 8 - y) % 8 * 8 + (older % 8 - x) % 8
    weights = np.roll(_MIRRORS[relative].reshape(-1, 8, 8), (y, x), (1, 2)).reshape(-1, 64)
    envelopes = (weights @ counted.reshape(64, -1)).reshape(-1, len(PAIRS), BINS)
    together = np.concatenate([_others(counted, newest)[None], envelopes])
    return comb_evidence(counted[[newest, *older]], together)
