"""What an upscaling network leaves in a tile, as numbers for a small network of our own.

A camera's pixels carry noise that no network draws, and its colours were made from a mosaic; a network draws edges and texture with the
same strokes everywhere. So neighbouring residuals go together otherwise: their joint histograms (co-occurrences: Fridrich and
Kodovsky, "Rich models for steganalysis of digital images", 2012) tell most, and those of the three colours at one place (Goljan,
Cogranne and Fridrich, "Rich model for steganalysis of color images", 2014) part an upscaler from a denoiser. Next comes a pattern
of 2, 3, 4 or 8 pixels that the layers which enlarge lay over the whole picture, too faint to be seen: it stands out in the mean over
all places of one phase, and grows surer with every tile. The spectrum, the agreement of the colours' details, the quietest places and
the repetition of strong detail tell the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.resampling.co_occurrences import CHANNELS, NEIGHBOURS, of_colours, of_neighbours

Floats = NDArray[np.float32]
Ints = NDArray[np.int16]

# (plane, order of the difference, step of its quantization, whether neighbours are taken across the difference's direction)
MAPS = (
    ("luma", 1, 1, False), ("luma", 1, 3, False), ("luma", 1, 2, True), ("luma", 2, 2, False), ("luma", 2, 5, False),
    ("luma", 2, 3, True), ("luma", 3, 4, False), ("luma", 3, 10, False), ("colour", 1, 1, False), ("colour", 2, 2, False),
    ("colour", 2, 4, True),
)  # fmt: skip
COLOURS = (
    (1, 1),
    (2, 2),
)  # (order, step) of the residuals of red, green and blue that are counted together; two more told no more
RINGS = 16  # of the spectrum; no tuning on record
PERIODS = (2, 3, 4, 8)  # pixels: the factors of upscaling networks
CELL = 8  # pixels a side of the cells whose strengths are compared; no tuning on record
PATCH_GRID = 128  # pixels from tile to tile
PATTERNS = (2, 4, 8, 3)  # periods; tiles lie on a grid that all but 3 divide
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # over the cells; no tuning on record


def _groups() -> dict[tuple[str, int, bool], list[int]]:
    """Places of `MAPS` whose residuals are counted at once: of one plane, order and direction."""
    found: dict[tuple[str, int, bool], list[int]] = {}
    for place, (plane, order, _, across) in enumerate(MAPS):
        found.setdefault((plane, order, across), []).append(place)
    return found


_GROUPS = _groups()
WIDTH = (len(MAPS) * NEIGHBOURS + 2 * RINGS + 2 * len(PERIODS) + 3 * len(QUANTILES) + 2 + 9 * len(PATTERNS) + 4
         + len(COLOURS) * CHANNELS)  # fmt: skip


def network_traces(tiles: NDArray[np.uint8], read: int | None = None) -> Floats:
    """RGB tiles uint8 (n, 3, h, w) of one picture, h and w at least 32 -> float32 (n, WIDTH), a row a tile.

    With `read`, rows of the first ones only; the pattern, which is alike in all rows, is that of all the tiles.

    In turn: square roots of the co-occurrences' shares for each of `MAPS`; log power by frequency, of luma and of a difference of
    colours; the unevenness of the second difference over the phases of `PERIODS`, largest and mean of both axes; log deviation of a
    Laplacian in cells, of luma and both differences of colour, `QUANTILES` over the cells; correlation of the Laplacians of red
    with green and of blue with green; the pattern at `PATTERNS`, of luma and both differences of colour; mean, deviation and shares of
    black and of white of luma; square roots of the co-occurrences' shares for each of `COLOURS`.
    """
    red, green, blue = (tiles[:, channel].astype(np.int16) for channel in range(3))
    every = np.stack([_luma(red, green, blue), red - green, blue - green])
    curved = _laplacian(every)
    pattern = _pattern(every, curved)
    shown = every[:, :read]
    primaries = np.stack([red[:read], green[:read], blue[:read]])
    turns = [_differences(shown, axis) for axis in (3, 2)]
    hues = [_differences(primaries, axis) for axis in (3, 2)]
    joint: dict[int, Floats] = {}
    for (plane, order, across), places in _GROUPS.items():
        own = slice(0, 1) if plane == "luma" else slice(1, 3)
        residuals = [
            (each, 3 - axis if across else axis)
            for turn, axis in zip(turns, (2, 1), strict=True)
            for each in turn[order - 1][own]
        ]
        steps = [MAPS[place][2] for place in places]
        joint |= dict(zip(places, of_neighbours(residuals, steps), strict=True))
    channels = [of_colours([turn[order - 1] for turn in hues], step) for order, step in COLOURS]
    tiles_read = shown.shape[1]
    spectra = _spectrum(shown[:2].reshape(-1, *shown.shape[2:]))
    middle = _laplacian(primaries[1])
    levels = shown[0].reshape(tiles_read, -1)
    light = np.stack([levels.mean(1) / 255, levels.std(1) / 64, (levels < 3).mean(1), (levels > 252).mean(1)], axis=1)
    return np.concatenate(
        [
            *(joint[place] for place in range(len(MAPS))), spectra[:tiles_read], spectra[tiles_read:],
            _repetition([turn[1][0] for turn in turns]), *_cells(curved[:, :read]),
            *(_agreement(each + middle, middle) for each in curved[1:, :read]),
            np.repeat(pattern[None], tiles_read, axis=0), light, *channels,
        ],
        axis=1,
    ).astype(np.float32)  # fmt: skip


def _luma(red: Ints, green: Ints, blue: Ints) -> Ints:
    weighted = 77 * red.astype(np.int32) + 150 * green.astype(np.int32) + 29 * blue.astype(np.int32)
    return (weighted >> 8).astype(np.int16)


def _differences(planes: Ints, axis: int) -> list[Ints]:
    """The first, second and third difference along an axis, 2 or 3, of planes (k, n, h, w)."""
    found = [planes]
    for _ in range(3):
        last = found[-1]
        found.append(last[..., 1:] - last[..., :-1] if axis == 3 else last[:, :, 1:] - last[:, :, :-1])
    return found[1:]


def _laplacian(planes: Ints) -> Ints:
    """Along the last two axes, without the edge."""
    inner = planes[..., 1:-1, 1:-1]
    found: Ints = (
        4 * inner - planes[..., :-2, 1:-1] - planes[..., 2:, 1:-1] - planes[..., 1:-1, :-2] - planes[..., 1:-1, 2:]
    )
    return found


def _pattern(planes: Ints, curved: Ints) -> Floats:
    """How far the phases of each period differ, over all tiles: log(1 + variance of their means over what chance gives).

    Of the Laplacian, its size, and the size of the difference across both axes, each cut where edges begin: (9 PATTERNS,).

    Args:
        planes: luma and both differences of colour, (3, n, h, w).
        curved: their Laplacians.
    """
    crossed = np.diff(np.diff(planes, axis=2), axis=3)
    tiles, found = planes.shape[1], []
    for values, sizes, least, most in ((curved, False, -6, 6), (curved, True, 0, 12), (crossed, True, 0, 6)):
        power, phases = (_phase_sums if compiled() is None else _compiled_phase_sums)(values, sizes, least, most)
        total, squares = np.moveaxis(power.astype(np.float32), 2, 0) / np.float32(values[0, 0].size)
        chance = (squares - np.square(total)).mean(axis=1) + 0.01
        for period, each in zip(PATTERNS, np.split(phases.astype(np.float32), _ENDS, axis=2), strict=True):
            count = (values.shape[2] // period) * (values.shape[3] // period)
            if not PATCH_GRID % period:
                each = each.sum(axis=1, keepdims=True) / tiles
            means = each / count
            count *= tiles // each.shape[1]
            found.append(np.log1p(means.var(axis=2).mean(axis=1) * count / chance))
    return np.stack(found, axis=1).ravel().astype(np.float32)


_ENDS = np.cumsum(np.square(PATTERNS))[:-1]


def _phase_sums(values: Ints, sizes: bool, least: int, most: int) -> tuple[Floats, Floats]:
    """Of tiles (k, n, h, w), their values or sizes cut to least ... most: sum and sum of squares (k, n, 2); sums of each phase along
    both axes, for one of `PATTERNS` after the other (k, n, sum of their squares).
    """
    k, n, height, width = values.shape
    # As floats, in which sums are quick, and exact of whole numbers
    cut = np.clip(np.abs(values) if sizes else values, least, most).astype(np.float32)
    flat = cut.reshape(k, n, -1)
    phases = []
    for period in PATTERNS:
        rows, columns = height // period, width // period
        whole = cut[..., : rows * period, : columns * period].reshape(k * n, rows, period * columns * period)
        total = whole.sum(axis=1).reshape(k * n, period, columns, period).sum(axis=2)
        phases.append(total.reshape(k, n, -1))
    power = np.stack([flat.sum(axis=2), np.einsum("pnk,pnk->pn", flat, flat)], axis=2)
    return power, np.concatenate(phases, axis=2)


def _compiled_phase_sums(
    values: Ints, sizes: bool, least: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same."""
    library, (k, n, height, width) = compiled(), values.shape
    periods = np.array(PATTERNS, np.int64)
    power, phases = np.empty((k, n, 2), np.int64), np.empty((k, n, int(np.square(periods).sum())), np.int64)
    assert library is not None
    numbers = np.ascontiguousarray(values), k * n, height, width, least, most, sizes
    if library.phase_sums(*numbers, periods, len(periods), power, phases):
        raise MemoryError("not enough memory to add up phases")
    return power, phases


def _cells(curved: Ints) -> list[Floats]:
    """Log deviation of Laplacians (k, n, h, w) in cells, quantiles: (n, QUANTILES) for each of the k."""
    k, n, height, width = curved.shape
    rows, columns = height // CELL, width // CELL
    squares = np.square(curved[..., : rows * CELL, : columns * CELL].astype(np.float32))
    down = squares.reshape(k, n, rows, CELL, columns * CELL).sum(axis=3)
    energy = down.reshape(k, n, rows * columns, CELL).sum(axis=3) / np.float32(CELL**2)
    order = np.sort(energy, axis=2)
    ranks = [round(share * (order.shape[2] - 1)) for share in QUANTILES]
    return list(np.log(np.sqrt(order[..., ranks] / 20) + np.float32(0.05)))


def _agreement(a: Ints, b: Ints) -> Floats:
    """Correlation of two planes: (n, 1)."""
    one, other = (plane.reshape(len(plane), -1).astype(np.float32) for plane in (a, b))
    product = np.einsum("np,np->n", one, other)
    scale = np.sqrt(np.einsum("np,np->n", one, one) * np.einsum("np,np->n", other, other))
    return np.asarray(product / (scale + 1.0), np.float32)[:, None]


@lru_cache(maxsize=2)
def _spectral_tables(height: int, width: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """The window, the ring of each frequency of a real spectrum, and how many each ring has."""
    window = np.outer(np.hanning(height + 1)[:height], np.hanning(width + 1)[:width]).astype(np.float32)
    down = np.abs(np.fft.fftfreq(height))[:, None]
    along = np.fft.rfftfreq(width)[None, :]
    ring = np.minimum((np.maximum(down, along) * 2 * RINGS).astype(np.intp), RINGS - 1).ravel()
    return window, ring, np.bincount(ring, minlength=RINGS)


def _spectrum(planes: Ints) -> Floats:
    """Log power of the windowed tiles in `RINGS` bands of the larger of both frequencies: (n, h, w) -> (n, RINGS)."""
    n, height, width = planes.shape
    window, ring, share = _spectral_tables(height, width)
    values = planes.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    spectrum = np.fft.rfft2(values * window)
    power = (np.square(spectrum.real) + np.square(spectrum.imag)).reshape(n, -1) / (height * width)
    total = np.stack([np.bincount(ring, each, minlength=RINGS) for each in power])
    return np.log(total / share + 0.01).astype(np.float32)


def _repetition(seconds: Sequence[Ints]) -> Floats:
    """Deviation over mean of the second difference's size at a period's phases: larger and mean of both axes: (n, 2 PERIODS).

    Args:
        seconds: the second differences (n, h, w) of luma along the last axis, and along the one before.
    """
    found = []
    for second, lines in zip(seconds, (1, 2), strict=True):
        profile = np.abs(second).sum(axis=lines, dtype=np.int32) / second.shape[lines]
        axis = []
        for period in PERIODS:
            phases = profile[:, : profile.shape[1] // period * period].reshape(len(profile), -1, period).mean(axis=1)
            axis.append(phases.std(axis=1) / (phases.mean(axis=1) + 0.1))
        found.append(np.stack(axis, axis=1))
    return np.concatenate([np.maximum(*found), (found[0] + found[1]) / 2], axis=1).astype(np.float32)
