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

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int16]

LEVELS = 5  # of a residual: -2 ... 2
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
KERNELS = {1: (-1, 1), 2: (1, -2, 1), 3: (-1, 3, -3, 1)}  # of the differences: binomials with alternating signs
RINGS = 16  # of the spectrum; no tuning on record
PERIODS = (2, 3, 4, 8)  # pixels: the factors of upscaling networks
CELL = 8  # pixels a side of the cells whose strengths are compared; no tuning on record
PATCH_GRID = 128  # pixels from tile to tile
PATTERNS = (2, 4, 8, 3)  # periods; tiles lie on a grid that all but 3 divide
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # over the cells; no tuning on record


def _classes(mirrored: bool) -> tuple[NDArray[np.intp], int]:
    """A number for each triple of levels; the same for its negative and, if `mirrored`, for its mirror image."""
    found: dict[tuple[int, ...], int] = {}
    numbers = []
    for triple in itertools.product(range(LEVELS), repeat=3):
        negative = tuple(LEVELS - 1 - level for level in triple)
        alike = min(triple, negative, *((triple[::-1], negative[::-1]) if mirrored else ()))
        numbers.append(found.setdefault(alike, len(found)))
    return np.array(numbers), len(found)


_NEIGHBOURS, NEIGHBOURS = _classes(mirrored=True)
_CHANNELS, CHANNELS = _classes(mirrored=False)
_TABLES = {
    step: (np.clip(np.rint(np.arange(-2048, 2049) / step), -2, 2) + 2).astype(np.uint8)
    for step in {each[2] for each in MAPS} | {step for _, step in COLOURS}
}
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
    every = _luma(red, green, blue), red - green, blue - green
    curved = [_laplacian(plane) for plane in every]
    pattern = _pattern(every, curved)
    curved = [each[:read] for each in curved]
    red, green, blue = (plane[:read] for plane in (red, green, blue))
    luma, *colours = (plane[:read] for plane in every)
    planes = {"luma": [luma], "colour": colours}
    both = {
        name: [turned for plane in own for turned in (plane, np.ascontiguousarray(plane.swapaxes(1, 2)))]
        for name, own in planes.items()
    }
    differences = {
        (name, order): [_difference(plane, order) for plane in both[name]]
        for name, order in {each[:2] for each in MAPS}
    }
    joint = [_co_occurrences(differences[plane, order], step, across) for plane, order, step, across in MAPS]
    channels = [_together(_turned((red, green, blue), order), step) for order, step in COLOURS]
    middle = _laplacian(green)
    levels = luma.reshape(len(luma), -1)
    light = np.stack([levels.mean(1) / 255, levels.std(1) / 64, (levels < 3).mean(1), (levels > 252).mean(1)], axis=1)
    return np.concatenate(
        [
            *joint, _spectrum(luma), _spectrum(colours[0]), _repetition(luma), *(_cells(each) for each in curved),
            _agreement(curved[1] + middle, middle), _agreement(curved[2] + middle, middle),
            np.repeat(pattern[None], len(luma), axis=0), light, *channels,
        ],
        axis=1,
    ).astype(np.float32)  # fmt: skip


def _luma(red: Ints, green: Ints, blue: Ints) -> Ints:
    weighted = 77 * red.astype(np.int32) + 150 * green.astype(np.int32) + 29 * blue.astype(np.int32)
    return (weighted >> 8).astype(np.int16)


def _difference(plane: Ints, order: int) -> Ints:
    """The difference along the last axis."""
    kernel, length = KERNELS[order], plane.shape[-1] - order
    found: Ints = plane[..., :length] * np.int16(kernel[0])
    for place, weight in enumerate(kernel[1:], 1):
        found += plane[..., place : place + length] * np.int16(weight)
    return found


def _co_occurrences(differences: list[Ints], step: int, across: bool) -> Floats:
    """Of three neighbouring residuals, rows and columns together: (n, NEIGHBOURS)."""
    triples = []
    for each in differences:
        levels = _levels(each, step)
        if across:
            triples.append(levels[:, :-2] * 25 + levels[:, 1:-1] * 5 + levels[:, 2:])
        else:
            triples.append(levels[..., :-2] * 25 + levels[..., 1:-1] * 5 + levels[..., 2:])
    return _shares(triples, _NEIGHBOURS, NEIGHBOURS)


def _together(channels: list[list[Ints]], step: int) -> Floats:
    """Of the residuals of red, green and blue at one place, rows and columns together: (n, CHANNELS)."""
    levels = [[_levels(each, step) for each in direction] for direction in channels]
    return _shares([red * 25 + green * 5 + blue for red, green, blue in levels], _CHANNELS, CHANNELS)


def _turned(planes: tuple[Ints, Ints, Ints], order: int) -> list[list[Ints]]:
    """The differences of the planes, along the rows and along the columns."""
    columns = [np.ascontiguousarray(plane.swapaxes(1, 2)) for plane in planes]
    return [[_difference(plane, order) for plane in direction] for direction in (planes, columns)]


def _levels(differences: Ints, step: int) -> NDArray[np.uint8]:
    """0-4, so that the number of a triple fits a byte."""
    levels: NDArray[np.uint8] = np.take(_TABLES[step], differences + 2048, mode="clip")
    return levels


def _shares(triples: list[NDArray[np.uint8]], classes: NDArray[np.intp], count: int) -> Floats:
    """Square roots of the shares of each class among the triples of all directions: (n, count)."""
    total = np.zeros((len(triples[0]), LEVELS**3), np.int64)
    for direction in triples:
        for number, tile in enumerate(direction):
            total[number] += np.bincount(tile.ravel(), minlength=LEVELS**3)
    found = np.zeros((len(total), count))
    np.add.at(found.T, classes, total.T)
    shares: Floats = np.sqrt(found / found.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _laplacian(plane: Ints) -> Floats:
    inner = plane[:, 1:-1, 1:-1]
    found: Floats = (
        4 * inner - plane[:, :-2, 1:-1] - plane[:, 2:, 1:-1] - plane[:, 1:-1, :-2] - plane[:, 1:-1, 2:]
    ).astype(np.float32)
    return found


def _pattern(planes: Sequence[Ints], curved: Sequence[Floats]) -> Floats:
    """How far the phases of each period differ, over all tiles: log(1 + variance of their means over what chance gives).

    Of the Laplacian, its size, and the size of the difference across both axes, each cut where edges begin: (9 PATTERNS,).

    Args:
        planes: luma and both differences of colour.
        curved: their Laplacians.
    """
    found = []
    for plane, bend in zip(planes, curved, strict=True):
        crossed = np.abs(np.diff(np.diff(plane, axis=1), axis=2)).astype(np.float32)
        for values in (np.clip(bend, -6, 6), np.minimum(np.abs(bend), 12), np.minimum(crossed, 6)):
            flat = values.reshape(len(values), -1)
            power = np.einsum("np,np->n", flat, flat) / flat.shape[1] - np.square(flat.mean(axis=1))
            chance = float(power.mean()) + 0.01
            whole = values.mean(axis=0)[None]
            for period in PATTERNS:
                each = values if PATCH_GRID % period else whole
                means, count = _phase_means(each, period)
                count *= len(values) // len(each)
                found.append(np.log1p(means.var(axis=1).mean() * count / chance))
    return np.array(found, np.float32)


def _phase_means(planes: Floats, period: int) -> tuple[Floats, int]:
    """The mean of each phase along both axes: (n, period * period); and of how many places."""
    rows, columns = planes.shape[1] // period, planes.shape[2] // period
    whole = planes[:, : rows * period, : columns * period].reshape(len(planes), rows, period * columns * period)
    total = whole.sum(axis=1).reshape(len(planes), period, columns, period).sum(axis=2)
    return (total / (rows * columns)).reshape(len(planes), -1), rows * columns


def _cells(laplacian: Floats) -> Floats:
    """Log deviation in cells, quantiles: (n, QUANTILES)."""
    rows, columns = laplacian.shape[1] // CELL, laplacian.shape[2] // CELL
    squares = np.square(laplacian[:, : rows * CELL, : columns * CELL])
    energy = squares.reshape(len(squares), rows, CELL, columns, CELL).mean(axis=(2, 4)).reshape(len(squares), -1)
    order = np.sort(energy, axis=1)
    ranks = [round(share * (order.shape[1] - 1)) for share in QUANTILES]
    found: Floats = np.log(np.sqrt(order[:, ranks] / 20) + np.float32(0.05))
    return found


def _agreement(a: Floats, b: Floats) -> Floats:
    """Correlation of two planes: (n, 1)."""
    a, b = (plane.reshape(len(plane), -1) for plane in (a, b))
    product = np.einsum("np,np->n", a, b)
    scale = np.sqrt(np.einsum("np,np->n", a, a) * np.einsum("np,np->n", b, b))
    return np.asarray(product / (scale + 1.0), np.float32)[:, None]


def _spectrum(plane: Ints) -> Floats:
    """Log power of the windowed tile in `RINGS` bands of the larger of both frequencies: (n, RINGS)."""
    n, height, width = plane.shape
    window = np.outer(np.hanning(height + 1)[:height], np.hanning(width + 1)[:width]).astype(np.float32)
    values = plane.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    spectrum = np.fft.rfft2(values * window)
    power = (spectrum.real**2 + spectrum.imag**2).reshape(n, -1) / (height * width)
    down = np.abs(np.fft.fftfreq(height))[:, None]
    along = np.fft.rfftfreq(width)[None, :]
    ring = np.minimum((np.maximum(down, along) * 2 * RINGS).astype(int), RINGS - 1).ravel()
    share = np.bincount(ring, minlength=RINGS)
    total = np.stack([np.bincount(ring, each, minlength=RINGS) for each in power])
    return np.log(total / share + 0.01).astype(np.float32)


def _repetition(luma: Ints) -> Floats:
    """Deviation over mean of the second difference's size at a period's phases: larger and mean of both axes: (n, 2 PERIODS)."""
    found = []
    for turned in (luma, luma.swapaxes(1, 2)):
        profile = np.abs(_difference(turned, 2)).mean(axis=1)
        axis = []
        for period in PERIODS:
            phases = profile[:, : profile.shape[1] // period * period].reshape(len(profile), -1, period).mean(axis=1)
            axis.append(phases.std(axis=1) / (phases.mean(axis=1) + 0.1))
        found.append(np.stack(axis, axis=1))
    return np.concatenate([np.maximum(*found), (found[0] + found[1]) / 2], axis=1).astype(np.float32)
