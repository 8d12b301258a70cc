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

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA32
from cliqa.signal.dct import BLOCK
from cliqa.signal.noise.blocks import BANDS, FLOOR, SCALES, WIDE, Decomposition, Floats, block_coefficients, log_energy

_FLAT_GROUPS = (0.0, 0.05, 0.15, 0.3, 0.5, 1.0)  # of blocks by their energy at low frequencies
_PERCENTILES: dict[tuple[int, bool], tuple[float, ...]] = {  # by scale and whether the channel is grey
    (1, True): (1, 5, 10, 20, 35, 50, 70, 90),
    (1, False): (2, 10, 25, 50, 80),
    (2, True): (2, 10, 25, 50, 80),
    (2, False): (10, 50),
    (4, True): (5, 20, 50),
    (4, False): (10, 50),
}


def _percentiles(values: Floats, percents: tuple[float, ...]) -> Floats:
    """Percentiles over the last axis, by the nearest rank: (k, len(percents))."""
    count = values.shape[1]
    ranks = [round(p / 100 * (count - 1)) for p in percents]
    return np.sort(values, axis=1)[:, ranks]


def noise_statistics(parts: Decomposition) -> Floats:
    """The statistics of tiles that were taken apart: float32 vector of fixed length."""
    found: list[Floats] = []
    for scale in SCALES:
        for index, energy in enumerate(parts.energies[scale]):
            found.append(log_energy(_percentiles(energy, _PERCENTILES[scale, index == 0])).ravel())
    found += _by_flatness(parts.coefficients[1], parts.energies[1])
    for scale in SCALES[1:]:
        energy = parts.energies[scale][0]
        order = np.argsort(energy[:4].sum(axis=0), kind="stable")
        edges = [0, max(1, len(order) // 8), max(2, len(order) // 2)]
        found += [log_energy(energy[:, order[a:b]].mean(axis=1)) for a, b in zip(edges, edges[1:], strict=False)]
    found += _by_brightness(parts.coefficients[1][0], parts.energies[1][0])
    found += _shared_spectrum(parts.grey)
    found += _lines(parts.grey)
    found += _pixels(parts.tiles, parts.grey)
    found += _grid(np.tensordot(parts.tiles.astype(np.float32), LUMA32, axes=(1, 0)))
    found.append(np.array([len(parts.tiles) / 8], np.float32))
    return np.concatenate(found).astype(np.float32)


def _by_flatness(coefficients: list[Floats], energies: list[Floats]) -> list[Floats]:
    """Band energies of groups of blocks from flat to busy; tails and correlations in the flat ones."""
    order = np.argsort(energies[0][0] + energies[0][1] + energies[0][2], kind="stable")
    count = len(order)
    edges = [round(share * count) for share in _FLAT_GROUPS]
    found = []
    for index, energy in enumerate(energies):
        ranked = energy[:, order]
        groups = np.stack([ranked[:, a : max(b, a + 1)].mean(axis=1) for a, b in zip(edges, edges[1:], strict=False)])
        found.append(log_energy(groups if index == 0 else groups[[0, 2, 4]]).ravel())
    for share in (0.2, 1.0):
        chosen = order[: max(1, round(share * count))]
        parts = [c[chosen] for c in coefficients]
        power = [np.square(part).mean(axis=0) for part in parts]
        if share < 1:
            found += [log_energy(power[0][1:])]
            found += [np.log((np.abs(parts[0]).mean(axis=0) @ BANDS) + FLOOR) - 0.5 * log_energy(power[0] @ BANDS)]
            found += [np.log((np.abs(parts[1]).mean(axis=0) @ WIDE) + FLOOR) - 0.5 * log_energy(power[1] @ WIDE)]
        for a, b in ((0, 1), (0, 2), (1, 2)):
            product = np.mean(parts[a] * parts[b], axis=0) @ WIDE
            found.append(product / np.sqrt((power[a] @ WIDE) * (power[b] @ WIDE) + FLOOR))
    return found


def _by_brightness(coefficients: Floats, energy: Floats, bins: int = 8) -> list[Floats]:
    """For each bin of brightness: share of the blocks, 15th percentile and median of the energy at high frequencies."""
    brightness = coefficients[:, 0] / np.float32(BLOCK * 3**0.5)  # 0-255
    which = np.minimum((brightness * np.float32(bins / 256)).astype(int), bins - 1)
    high = energy[4:7].mean(axis=0)
    order = np.lexsort((high, which))
    ranked, counts = high[order], np.bincount(which, minlength=bins)
    starts = np.cumsum(counts) - counts
    middle = np.median(high)
    levels = np.full((2, bins), middle, np.float32)
    for i in range(bins):
        if counts[i] >= 4:
            levels[:, i] = ranked[[starts[i] + int(0.15 * counts[i]), starts[i] + counts[i] // 2]]
    return [(counts / len(which)).astype(np.float32), log_energy(levels).ravel()]


def _shared_spectrum(grey: Floats, rings: int = 16) -> list[Floats]:
    """Power spectra of the windowed tiles: by radius, the weakest, lower quartile and median tile; and its strongest peaks."""
    n, size, _ = grey.shape
    window = np.hanning(size + 1)[:size].astype(np.float32)
    window = window / np.sqrt(np.mean(window**2))
    taper = window[:, None] * window[None, :]
    centred = (grey - grey.mean(axis=(1, 2), keepdims=True)) * taper
    spectrum = np.fft.rfft2(centred)
    power = np.sort((spectrum.real**2 + spectrum.imag**2).astype(np.float32) / np.float32(size * size), axis=0)
    chosen = power[[0, n // 4, n // 2]]
    v = np.minimum(np.arange(size), size - np.arange(size))[:, None]
    u = np.arange(size // 2 + 1)[None, :]
    radius = np.hypot(u, v) / (size / 2)
    ring = np.minimum((radius * rings / 1.2).astype(int), rings - 1).ravel()
    counts = np.bincount(ring, minlength=rings)
    profiles = [np.bincount(ring, weights=p.ravel(), minlength=rings) / counts for p in chosen]
    found = [log_energy(np.asarray(profile, np.float32)) for profile in profiles]
    outside = (radius > 0.12).ravel()
    shared = chosen[1].ravel()[outside]
    top = np.sort(np.partition(shared, -64)[-64:])[::-1]
    peaks = np.array([top[0], top[1:4].mean(), top[4:16].mean(), top[16:64].mean(), np.median(shared)], np.float32)
    return [*found, log_energy(peaks)]


def _lines(grey: Floats) -> list[Floats]:
    """Rough deviation of the means of rows and of columns: lower quartile and median over tiles."""
    found = []
    for axis in (2, 1):
        means = grey.mean(axis=axis)
        rough = np.abs(means[:, 1:-1] - (means[:, :-2] + means[:, 2:]) / 2)
        level = np.sort(np.median(rough, axis=1))
        mean = np.sort(rough.mean(axis=1))
        found.append(np.log(np.array([level[len(level) // 4], level[len(level) // 2], mean[len(mean) // 4]]) + 0.01))
    return found


def _pixels(tiles: NDArray[np.uint8], grey: Floats) -> list[Floats]:
    """Tails of the Laplacian, shares of clipped pixels, comb of the histogram of green, mean and deviation of grey."""
    inner = grey[:, 1:-1, 1:-1]
    laplacian = np.abs(inner * 4 - grey[:, :-2, 1:-1] - grey[:, 2:, 1:-1] - grey[:, 1:-1, :-2] - grey[:, 1:-1, 2:])
    tails = _percentiles(laplacian.reshape(1, -1)[:, ::3], (5, 10, 25, 50, 75, 90, 97, 99, 99.7, 99.9))[0]
    histogram = np.bincount(tiles[:, 1].ravel(), minlength=256).astype(np.float32)
    total = histogram.sum()
    cumulated = np.cumsum(histogram) / total
    low, high = int(np.searchsorted(cumulated, 0.02)), int(np.searchsorted(cumulated, 0.98))
    inside = histogram[low : high + 1]
    comb = np.abs(np.diff(inside, 2)).sum() / max(inside.sum(), 1.0)
    facts = [
        np.mean(inside == 0),
        np.log(comb + 0.01),
        histogram[0] / total,
        histogram[:3].sum() / total,
        histogram[255] / total,
        histogram[253:].sum() / total,
        grey.mean() / 441.7,
        np.log(grey.std() + 1),
    ]
    return [log_energy(tails * tails / 20), np.array(facts, np.float32)]


def _grid(luma: Floats) -> list[Floats]:
    """Share of luma coefficients that are zero (but for rounding), by band, on the 8x8 grid and half a block off it."""
    found = []
    for shift in (0, BLOCK // 2):
        coefficients = block_coefficients(luma[:, shift:, shift:])
        zero = (np.abs(coefficients) < np.float32(0.7)).astype(np.float32).mean(axis=0)
        found.append(zero @ BANDS)
    return found
