"""What resizing leaves in a picture, per axis: periodic interpolation residuals and an empty upper band.

Interpolated samples lie at phases of the kernel that repeat with the resampling step, so the mean absolute high-pass residual
along an axis is periodic: enlarging by r puts a line at the cyclic frequency 1/r, seen at 1 - 1/r cycles per pixel
(Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images", 2005; Mahdian and Saic, 2008). That maps the
factors 1 to 2 one to one onto 0 to 1/2; the lines of larger ones lie at multiples of 1/r.

Codecs put lines of their own: at multiples of 1/8 (JPEG) or 1/4 (WebP, AVIF), and reduced by f at multiples of 1/(8 f), which may be
where an enlargement has its lines. The sign of their harmonics differs: the edges of blocks are peaks of the residual, so that all
harmonics of their line have one phase; pixels that were repeated or interpolated are dips.

The residuals are differences of rising order, some followed by sums of neighbours: (1 - z)^a (1 + z)^b has its pass band at
tan^2(pi f) = a / b. The line is strongest where a filter sees both the picture and its first image, around f = 1 / (2 r), so
low orders with sums serve large factors and high orders small ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA32

LENGTH = 512  # samples of a transform along an axis, zero-padded
BINS = LENGTH // 2 + 1
STRIPS = 4  # an interpolation line has the same phase in all of them, the picture's own lines have not
_BLOCK = 32  # rows worked on at once, so that the residuals stay in the cache
SEGMENT = 128  # samples of a segment of the power spectrum
BANDS = SEGMENT // 2 + 1
RESIDUALS = ("d1 root", "d4 root", "d4", "d6", "d6 sum2", "d4 sum2")
# Of a difference to its neighbours', below which two lines count as equal; no tuning on record
_DUPLICATE_RATIOS = (0.02, 0.08, 0.2, 0.4)
SCALARS = len(_DUPLICATE_RATIOS) + 9
QUARTER = 4  # pixels a side that become one for the spectrum of the lowest eighth, which large enlargements fill alone
_TRACE = 0.1  # of luma, keeps the logarithm of the deviation of a flat plane finite

Array = NDArray[np.float32]

_DOUBLED = 2 * np.arange(BINS)
_FOLDED = np.minimum(_DOUBLED, LENGTH - _DOUBLED)  # where the second harmonic of each bin is seen

FACTORS: NDArray[np.float64] = 1.0 / (1.0 - np.arange(BINS) / LENGTH)
"""The enlargement whose line falls on each bin: 1.0 ... 2.0."""


def luma(pixels: NDArray[np.uint8]) -> Array:
    """uint8 (height, width, 3) -> float32 (height, width), BT.601 luma as JPEG has it, not rounded."""
    plane = np.empty(pixels.shape[:2], np.float32)
    for top in range(0, len(pixels), _BLOCK):
        rows = pixels[top : top + _BLOCK]
        plane[top : top + _BLOCK] = (rows.reshape(-1, 3).astype(np.float32) @ LUMA32).reshape(rows.shape[:2])
    return plane


@dataclass(frozen=True)
class Evidence:
    """What one axis tells, or, stacked, what the axes (x, y) of a picture do.

    Attributes:
        lines: (6, BINS) natural log of the modulation depth of each residual's mean magnitude at each cyclic frequency.
        coherence: (6, BINS) share of that line's power which has one phase in all strips, 1 / STRIPS by chance.
        peaks: (6, BINS) sign of a line's second harmonic, from -1 (dips) over 0 (none, or chance) to 1 (peaks).
        power: (4, BANDS) log of the mean and mean of the log power spectrum of windowed rows, then those of the lowest eighth.
        scalars: (SCALARS,) share of columns that nearly repeat their neighbour, share of pixels that do exactly, logs of residuals and
            of how unevenly they lie, log deviation, log sizes.
    """

    lines: Array
    coherence: Array
    peaks: Array
    power: Array
    scalars: Array


def axis_evidence(plane: Array) -> Evidence:
    """Evidence of resampling along the rows of a luma plane, that is along x; give the transpose for y.

    Args:
        plane: (height, width), each between 32 and about `LENGTH` samples; 0-255 units.
    """
    height, width = plane.shape
    strips = residual_strips(plane)
    found = [cyclic_lines(each) for each in strips]
    lines, coherence, peaks = (np.stack(values) for values in zip(*found, strict=True))
    sizes = [np.log(float(plane.std()) + _TRACE), np.log(width / LENGTH), np.log(height / LENGTH)]
    repeated = float(np.mean(plane[:, 1:] == plane[:, :-1]))
    levels = [np.log(strips[kind].mean(axis=1) + _TRACE) for kind in (0, 1)]
    uneven = [each for level in levels for each in (level.mean(), np.ptp(level))]
    spiky = np.log(float(np.sqrt(np.square(strips[1]).mean()) / (strips[1].mean() + _TRACE)) + _TRACE)
    scalars = np.array([*duplicate_shares(strips[0].mean(axis=0)), repeated, *uneven, spiky, *sizes], np.float32)
    power = np.concatenate([power_spectra(plane[::2]), power_spectra(quartered(plane))])
    return Evidence(lines, coherence, peaks, power, scalars)


def deviation(scalars: Array) -> float:
    """Standard deviation of the luma plane, 0-127.5, out of the scalars (..., SCALARS) of `axis_evidence`."""
    return float(np.exp(scalars.reshape(-1, SCALARS)[0, -3]) - _TRACE)


def residual_strips(plane: Array) -> list[Array]:
    """Column means of the residuals' magnitudes over each of `STRIPS` bands of rows: (STRIPS, about width) for each."""
    edges = np.linspace(0, plane.shape[0], STRIPS + 1).astype(int)
    found: list[list[Array]] = [[] for _ in RESIDUALS]
    for first, last in zip(edges, edges[1:], strict=False):
        sums: list[Array] = []
        for top in range(first, last, _BLOCK):
            parts = [each.sum(axis=0) for each in _magnitudes(plane[top : min(top + _BLOCK, last)])]
            sums = [a + b for a, b in zip(sums, parts, strict=True)] if sums else parts
        for values, total in zip(found, sums, strict=True):
            values.append(total / np.float32(last - first))
    return [np.stack(values) for values in found]


def _magnitudes(plane: Array) -> list[Array]:
    """Magnitudes of the residuals of `RESIDUALS` along the rows; roots tame strong edges, which loud pictures need."""
    d1 = plane[:, 1:] - plane[:, :-1]
    d2 = d1[:, 1:] - d1[:, :-1]
    d3 = d2[:, 1:] - d2[:, :-1]
    d4 = d3[:, 1:] - d3[:, :-1]
    d5 = d4[:, 1:] - d4[:, :-1]
    d6 = d5[:, 1:] - d5[:, :-1]
    d4_sum2 = d4[:, 1:] + d4[:, :-1]
    d4_sum2 = d4_sum2[:, 1:] + d4_sum2[:, :-1]
    d6_sum2 = d6[:, 1:] + d6[:, :-1]
    d6_sum2 = d6_sum2[:, 1:] + d6_sum2[:, :-1]
    size4 = np.abs(d4)
    return [np.sqrt(np.abs(d1)), np.sqrt(size4), size4, np.abs(d6), np.abs(d6_sum2), np.abs(d4_sum2)]


def cyclic_lines(strips: Array) -> tuple[Array, Array, Array]:
    """Spectrum of a residual's column means, strip by strip.

    Args:
        strips: (STRIPS, width) mean magnitudes.

    Returns:
        log modulation depth of the mean over the strips, its coherence between them, and the sign of its second harmonic (the
        bicoherence: that of a train of peaks is 1, of dips -1), all (BINS,).
    """
    trend = _moving_mean(strips, 31)
    level = float(strips.mean()) + 1e-3
    taper = np.hanning(strips.shape[1] + 2)[1:-1].astype(np.float32)
    spectra = np.fft.rfft((strips - trend) * (taper * (2 / taper.sum() / level)), LENGTH, axis=1)
    joint = np.abs(spectra.mean(axis=0)) ** 2
    apart = (np.abs(spectra) ** 2).mean(axis=0)
    second = np.where(_DOUBLED <= LENGTH // 2, spectra[:, _FOLDED], spectra[:, _FOLDED].conj())
    pairs = spectra * spectra * second.conj()
    sign = pairs.real.sum(axis=0) / (np.abs(pairs).sum(axis=0) + 1e-12)
    return (
        (0.5 * np.log(joint + 1e-12)).astype(np.float32),
        (joint / (apart + 1e-12)).astype(np.float32),
        sign.astype(np.float32),
    )


def _moving_mean(values: Array, length: int) -> Array:
    """Centred moving mean along the last axis, mirrored at the ends."""
    half = min(length, values.shape[-1] - 1) // 2
    padded = np.pad(values, ((0, 0), (half + 1, half)), mode="reflect")
    total = np.cumsum(padded, axis=1, dtype=np.float64)
    means: Array = ((total[:, 2 * half + 1 :] - total[:, : -(2 * half + 1)]) / (2 * half + 1)).astype(np.float32)
    return means


def duplicate_shares(profile: Array) -> list[float]:
    """Share of columns whose step from their neighbour is under a few ratios of the local mean step: repeated columns."""
    around = _moving_mean(profile[None], 15)[0] + 1e-6
    ratio = np.square(profile / around)
    return [float(np.mean(ratio < bound)) for bound in _DUPLICATE_RATIOS]


def quartered(plane: Array) -> Array:
    """Means of `QUARTER` x `QUARTER` pixels."""
    high, wide = (side // QUARTER for side in plane.shape)
    parts = plane[: high * QUARTER, : wide * QUARTER].reshape(high, QUARTER, wide, QUARTER)
    means: Array = parts.sum(axis=1).sum(axis=2) / np.float32(QUARTER**2)
    return means


@lru_cache(maxsize=8)
def _tapered_transform(side: int) -> Array:
    """(side, 2 * BANDS): from samples to real and imaginary parts of their spectrum, less their mean, under a Hann window."""
    taper = np.hanning(side + 2)[1:-1]
    centred = np.eye(side) - 1.0 / side
    spectra = np.fft.rfft(centred * (taper / np.sqrt(np.square(taper).sum())), SEGMENT, axis=1)
    return np.concatenate([spectra.real, spectra.imag], axis=1).astype(np.float32)


def power_spectra(rows: Array) -> Array:
    """Log power along rows (n, width) in segments of 128 under a Hann window.

    Returns:
        (2, BANDS): log of the mean power, and mean of the log power; power 1 is white noise of unit variance.
    """
    side = min(SEGMENT, rows.shape[1])
    count = rows.shape[1] // side
    segments = rows[:, : count * side].reshape(-1, side)
    spectra = segments @ _tapered_transform(side)
    power = np.square(spectra[:, :BANDS]) + np.square(spectra[:, BANDS:]) + np.float32(1e-3)
    return np.stack([np.log(power.mean(axis=0)), np.log(power).mean(axis=0)]).astype(np.float32)
