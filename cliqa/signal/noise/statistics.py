"""What a few tiles tell of noise: some 700 numbers that a small network reads.

Noise is what remains in the flattest places, and texture is not: so almost every number here is an order statistic over
small blocks. The tiles are turned into one grey and two opponent channels (orthonormal, so that energies add up), and each of
these, at three scales, into DCT coefficients of 8x8 blocks. In this order:

* band energies: percentiles over blocks of the energy in twelve frequency bands, and means over groups of blocks from the
  flattest to the busiest: level and colour of the noise, grain size, texture;
* the power of each single coefficient in flat blocks: patterns;
* tails: mean against root mean square of the coefficients in flat blocks (impulses, what JPEG rounded away);
* noise by brightness, and how the blocks are spread over brightness: signal-dependent noise;
* correlation between channels, by frequency;
* the power spectrum that all tiles share, and its peaks: periodic patterns, coarse grain;
* rows and columns: banding;
* single pixels: impulses, clipping, missing grey levels;
* the 8x8 grid: how many luma coefficients are zero on the grid of the image's corner and off it: JPEG.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.colour import LUMA32
from cliqa.signal.dct import BLOCK
from cliqa.signal.noise.blocks import (
    BANDS,
    FLOOR,
    PAIRS,
    SCALES,
    UNITS,
    WIDE,
    Decomposition,
    Floats,
    block_zero_shares,
    log_energy,
    wide_energies,
    zero_shares,
)

_FLAT_GROUPS = (0.0, 0.05, 0.15, 0.3, 0.5, 1.0)  # of blocks by their energy at low frequencies
_PERCENTILES: dict[tuple[int, bool], tuple[float, ...]] = {  # by scale and whether the channel is grey
    (1, True): (1, 5, 10, 20, 35, 50, 70, 90),
    (1, False): (2, 10, 25, 50, 80),
    (2, True): (2, 10, 25, 50, 80),
    (2, False): (10, 50),
    (4, True): (5, 20, 50),
    (4, False): (10, 50),
}
_FLAT = 0.2  # of the blocks by the same, whose single coefficients are looked at; no tuning on record
_LARGEST = 8 * 3 * 255  # of a Laplacian of R + G + B
_MOST_RANKED = 64  # spectra, of which the routine has room
_TAILS = (5, 10, 25, 50, 75, 90, 97, 99, 99.7, 99.9)  # percentiles of the Laplacian


_LOWEST, _KEYS = float(np.log(FLOOR)), 3400.0
"""Energies are ranked by their logarithm in steps of 1 / `_KEYS`, as 16-bit numbers, which NumPy sorts six times as fast as floats."""


def _log_percentiles(energies: Floats, percents: tuple[float, ...]) -> Floats:
    """Logarithms of percentiles over the last axis, by the nearest rank: (k, n) -> (k, len(percents)); to 1.5e-4."""
    ranks = [round(p / 100 * (energies.shape[1] - 1)) for p in percents]
    chosen = np.sort(_keys(energies), axis=1, kind="stable")[:, ranks]
    logarithms: Floats = np.float32(_LOWEST) + (chosen + np.float32(0.5)) / np.float32(_KEYS)
    return logarithms


def _keys(energies: Floats) -> NDArray[np.uint16]:
    keys: NDArray[np.uint16] = ((log_energy(energies) - np.float32(_LOWEST)) * np.float32(_KEYS)).astype(np.uint16)
    return keys


def _ranking(energies: Floats) -> NDArray[np.intp]:
    """The places of energies (n,) from the least to the largest; of what is alike but for the rounding of its sum, by place."""
    return np.argsort(_keys(energies), kind="stable")


def noise_statistics(parts: Decomposition) -> Floats:
    """The statistics of tiles that were taken apart: float32 vector of fixed length."""
    found: list[Floats] = []
    for scale in SCALES:
        for index, energy in enumerate(parts.energies[scale]):
            found.append(_log_percentiles(energy, _PERCENTILES[scale, index == 0]).ravel())
    found += _by_flatness(parts)
    for scale in SCALES[1:]:
        energy = parts.energies[scale][0]
        order = _ranking(energy[:4].sum(axis=0))
        edges = [0, max(1, len(order) // 8), max(2, len(order) // 2)]
        found += [log_energy(energy[:, order[a:b]].mean(axis=1)) for a, b in zip(edges, edges[1:], strict=False)]
    found += _by_brightness(parts.coefficients[1][0], parts.energies[1][0])
    means = parts.grey.reshape(len(parts.grey), -1).mean(axis=1)
    centred = parts.grey - means[:, None, None]
    variance = float(np.vdot(centred, centred)) / centred.size + float(np.var(means))
    found += _shared_spectrum(centred)
    lines, laplacians, greens = (_single_lines if compiled() is None else _compiled_lines)(parts)
    found += _lines(lines)
    found += _pixels(laplacians, greens, float(means.mean()), variance**0.5)
    found += _grid(parts)
    found.append(np.array([len(parts.tiles) / 8], np.float32))
    return np.concatenate(found).astype(np.float32)


def _by_flatness(parts: Decomposition) -> list[Floats]:
    """Band energies of groups of blocks from flat to busy; tails and correlations in the flat ones."""
    energies, coefficients = parts.energies[1], parts.coefficients[1]
    order = _ranking(energies[0][0] + energies[0][1] + energies[0][2])
    count = len(order)
    shares = np.zeros(
        (count, len(_FLAT_GROUPS)), np.float32
    )  # of each block in the mean of a group, the last: the flat ones
    flat = order[: max(1, round(_FLAT * count))]
    edges = [round(share * count) for share in _FLAT_GROUPS]
    groups = [order[first : max(last, first + 1)] for first, last in zip(edges, edges[1:], strict=False)]
    for column, members in enumerate([*groups, flat]):
        shares[members, column] = 1 / len(members)
    means = energies @ shares
    found = [log_energy(means[0, :, :-1].T).ravel(), *(log_energy(each[:, (0, 2, 4)].T).ravel() for each in means[1:])]
    grey, sizes = coefficients[0][flat], np.abs(coefficients[1][flat]).mean(axis=0) @ WIDE
    wide = np.stack([wide_energies(each) for each in energies])
    found += [log_energy(np.square(grey).mean(axis=0)[1:])]
    found += [np.log((np.abs(grey).mean(axis=0) @ BANDS) + FLOOR) - 0.5 * log_energy(means[0, :, -1])]
    powers = wide @ shares[:, -1], wide.mean(axis=2)
    found += [np.log(sizes + FLOOR) - 0.5 * log_energy(powers[0][1])]
    for power, products in zip(powers, (parts.products @ shares[:, -1], parts.products.mean(axis=2)), strict=True):
        for (one, other), product in zip(PAIRS, products, strict=True):
            found.append(product / np.sqrt(power[one] * power[other] + FLOOR))
    return found


def _by_brightness(coefficients: Floats, energy: Floats, bins: int = 8) -> list[Floats]:
    """For each bin of brightness: share of the blocks, 15th percentile and median of the energy at high frequencies."""
    brightness = coefficients[:, 0] / np.float32(BLOCK * 3**0.5)  # 0-255
    which = np.minimum((brightness * np.float32(bins / 256)).astype(np.uint8), np.uint8(bins - 1))
    high = energy[4:7].mean(axis=0)
    order = np.argsort(high, kind="stable")
    middle = (high[order[(len(high) - 1) // 2]] + high[order[len(high) // 2]]) / 2
    ranked, counts = high[order[np.argsort(which[order], kind="stable")]], np.bincount(which, minlength=bins)
    starts = np.cumsum(counts) - counts
    levels = np.full((2, bins), middle, np.float32)
    for i in range(bins):
        if counts[i] >= 4:
            levels[:, i] = ranked[[starts[i] + int(0.15 * counts[i]), starts[i] + counts[i] // 2]]
    return [(counts / len(which)).astype(np.float32), log_energy(levels).ravel()]


@lru_cache(maxsize=2)
def _spectral_tables(side: int, rings: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.bool_]]:
    """The window (side, side), the ring of each frequency of a real spectrum, and which of them are no low ones."""
    window = np.hanning(side + 1)[:side].astype(np.float32)
    window = window / np.sqrt(np.mean(window**2))
    v = np.minimum(np.arange(side), side - np.arange(side))[:, None]
    u = np.arange(side // 2 + 1)[None, :]
    radius = np.hypot(u, v) / (side / 2)
    ring = np.minimum((radius * rings / 1.2).astype(np.intp), rings - 1).ravel()
    return window[:, None] * window[None, :], ring, (radius > 0.12).ravel()


def _shared_spectrum(centred: Floats, rings: int = 16) -> list[Floats]:
    """Power spectra of the windowed tiles: by radius, the weakest, lower quartile and median tile; and its strongest peaks.

    Args:
        centred: grey tiles (n, size, size) less their means.
    """
    n, side, _ = centred.shape
    taper, ring, outside = _spectral_tables(side, rings)
    spectrum = np.fft.rfft2(centred * taper)
    chosen = _ranked_powers(spectrum.reshape(n, -1), 1 / (side * side), (0, n // 4, n // 2))
    counts = np.bincount(ring, minlength=rings)
    profiles = [np.bincount(ring, weights=p, minlength=rings) / counts for p in chosen]
    found = [log_energy(np.asarray(profile, np.float32)) for profile in profiles]
    shared = chosen[1][outside]
    middle = len(shared) // 2  # of an even number: the size of a tile is even
    ranked = np.partition(shared, (middle - 1, middle, len(shared) - 64))
    top = np.sort(ranked[-64:])[::-1]
    median = ranked[middle - 1 : middle + 1].mean() if len(shared) % 2 == 0 else ranked[middle]
    peaks = np.array([top[0], top[1:4].mean(), top[4:16].mean(), top[16:64].mean(), median], np.float32)
    return [*found, log_energy(peaks)]


def _ranked_powers(spectra: NDArray[np.complexfloating[Any]], scale: float, ranks: tuple[int, ...]) -> list[Floats]:
    """The powers, times a scale, of these ranks among spectra (n, k), as `_least_ones`."""
    library, (n, values) = compiled(), spectra.shape
    if library is None or n > _MOST_RANKED:
        return _least_ones((np.square(spectra.real) + np.square(spectra.imag)) * np.float32(scale), ranks)
    found, wanted = np.empty((len(ranks), values), np.float32), np.array(ranks, np.int64)
    library.ranked_powers(spectra.view(np.float32), n, values, scale, wanted, len(ranks), found)
    return list(found)


def _least_ones(values: Floats, ranks: tuple[int, ...]) -> list[Floats]:
    """The values (n, k) of these ranks along the first axis, in rising order; whole rows at a time, which is ten times `np.sort`."""
    rows = list(values)
    for rank in range(max(ranks) + 1):  # the least of the rest sinks to its place
        for above in range(len(rows) - 1, rank, -1):
            low, high = rows[above - 1], rows[above]
            rows[above - 1], rows[above] = np.minimum(low, high), np.maximum(low, high)
    return [rows[rank] for rank in ranks]


def _single_lines(parts: Decomposition) -> tuple[Floats, NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """Means of rows and of columns of grey, (2, n, size); how often its Laplacian has each size, of every third pixel of a row;
    and green each level, (256,)."""
    total = parts.planes[1][0]
    middle, up, down = (total[:, rows, 1:-1:3] for rows in (slice(1, -1), slice(0, -2), slice(2, None)))
    laplacian = np.abs(4 * middle - up - down - total[:, 1:-1, 0:-2:3] - total[:, 1:-1, 2::3])
    lines = np.stack([parts.grey.mean(axis=axis) for axis in (2, 1)])
    return lines, np.bincount(laplacian.ravel()), np.bincount(parts.tiles[:, 1].ravel(), minlength=256)


def _compiled_lines(parts: Decomposition) -> tuple[Floats, NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """The same."""
    library, (n, _, side, _) = compiled(), parts.tiles.shape
    assert library is not None
    sums, laplacians, greens = (
        np.empty((2, n, side), np.int32),
        np.zeros(_LARGEST + 1, np.int32),
        np.zeros(256, np.int32),
    )
    grey, whole = parts.planes[1][0], np.ascontiguousarray(parts.tiles)
    library.grey_lines(grey, n, side, sums, laplacians)
    library.channel_counts(whole, n, side * side, 1, greens)
    lines: Floats = sums.astype(np.float32) * (UNITS[0] / np.float32(side))
    return lines, laplacians, greens


def _lines(lines: Floats) -> list[Floats]:
    """Rough deviation of the means of rows and of columns, (2, n, size): lower quartile and median over tiles."""
    found = []
    for means in lines:
        rough = np.abs(means[:, 1:-1] - (means[:, :-2] + means[:, 2:]) / 2)
        level = np.sort(np.median(rough, axis=1))
        mean = np.sort(rough.mean(axis=1))
        found.append(np.log(np.array([level[len(level) // 4], level[len(level) // 2], mean[len(mean) // 4]]) + 0.01))
    return found


def _pixels(
    laplacians: NDArray[np.integer[Any]], greens: NDArray[np.integer[Any]], mean: float, deviation: float
) -> list[Floats]:
    """Tails of the Laplacian, shares of clipped pixels, comb of the histogram of green, mean and deviation of grey."""
    below = np.cumsum(laplacians)
    ranks = [round(p / 100 * (int(below[-1]) - 1)) for p in _TAILS]
    tails = np.searchsorted(below, ranks, side="right").astype(np.float32) * UNITS[0]
    histogram = greens.astype(np.float32)
    pixels = histogram.sum()
    cumulated = np.cumsum(histogram) / pixels
    low, high = int(np.searchsorted(cumulated, 0.02)), int(np.searchsorted(cumulated, 0.98))
    inside = histogram[low : high + 1]
    comb = np.abs(np.diff(inside, 2)).sum() / max(inside.sum(), 1.0)
    facts = [
        np.mean(inside == 0),
        np.log(comb + 0.01),
        histogram[0] / pixels,
        histogram[:3].sum() / pixels,
        histogram[255] / pixels,
        histogram[253:].sum() / pixels,
        mean / 441.7,
        np.log(deviation + 1),
    ]
    return [log_energy(tails * tails / 20), np.array(facts, np.float32)]


def _grid(parts: Decomposition) -> list[Floats]:
    """Share of luma coefficients that are zero (but for rounding), by band, on the 8x8 grid and half a block off it."""
    if compiled() is not None:
        return [block_zero_shares(parts.luma, first) @ BANDS for first in (0, BLOCK // 2)]
    on_grid = zero_shares(parts.mixed(LUMA32, 1))
    return [on_grid @ BANDS, block_zero_shares(parts.luma, BLOCK // 2) @ BANDS]
