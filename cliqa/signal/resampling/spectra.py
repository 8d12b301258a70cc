"""What resizing leaves in a picture, per axis: periodic interpolation residuals and an empty upper band.

Interpolated samples lie at phases of the kernel that repeat with the resampling step, so the mean absolute high-pass residual
along an axis is periodic: enlarging by r puts a line at the cyclic frequency 1/r, seen at 1 - 1/r cycles per pixel
(Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images", 2005; Mahdian and Saic, 2008). That maps the
factors 1 to 2 one to one onto 0 to 1/2. JPEG's 8x8 blocks put lines of their own at multiples of 1/8.

The residuals are differences of rising order, some followed by sums of neighbours: (1 - z)^a (1 + z)^b has its pass band at
tan^2(pi f) = a / b. The line is strongest where a filter sees both the picture and its first image, around f = 1 / (2 r), so
low orders with sums serve large factors and high orders small ones.
"""

from __future__ import annotations

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
_DUPLICATE_RATIOS = (0.02, 0.08, 0.2, 0.4)
SCALARS = len(_DUPLICATE_RATIOS) + 3
_TRACE = 0.1  # of luma, keeps the logarithm of the deviation of a flat plane finite

Array = NDArray[np.float32]

FACTORS: NDArray[np.float64] = 1.0 / (1.0 - np.arange(BINS) / LENGTH)
"""The enlargement whose line falls on each bin: 1.0 ... 2.0."""


def luma(pixels: NDArray[np.uint8]) -> Array:
    """uint8 (height, width, 3) -> float32 (height, width), BT.601 luma as JPEG has it, not rounded."""
    plane = np.empty(pixels.shape[:2], np.float32)
    for top in range(0, len(pixels), _BLOCK):
        rows = pixels[top : top + _BLOCK]
        plane[top : top + _BLOCK] = (rows.reshape(-1, 3).astype(np.float32) @ LUMA32).reshape(rows.shape[:2])
    return plane


def axis_evidence(plane: Array) -> tuple[Array, Array, Array, Array]:
    """Evidence of resampling along the rows of a luma plane, that is along x; give the transpose for y.

    Args:
        plane: (height, width), each between 32 and about `LENGTH` samples; 0-255 units.

    Returns:
        lines (6, BINS): natural log of the modulation depth of each residual's mean magnitude at each cyclic frequency;
        coherence (6, BINS): share of that line's power which has one phase in all strips, 1 / STRIPS by chance;
        power (2, BANDS): log of the mean and mean of the log power spectrum of windowed rows;
        scalars (SCALARS,): share of columns that nearly repeat their neighbour, log deviation, log sizes.
    """
    height, width = plane.shape
    strips = residual_strips(plane)
    pairs = [cyclic_lines(each) for each in strips]
    lines, coherence = (np.stack(values) for values in zip(*pairs, strict=True))
    profile = strips[0].mean(axis=0)
    sizes = [np.log(float(plane.std()) + _TRACE), np.log(width / LENGTH), np.log(height / LENGTH)]
    scalars = np.array([*duplicate_shares(profile), *sizes], np.float32)
    return lines, coherence, power_spectra(plane), scalars


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


def cyclic_lines(strips: Array) -> tuple[Array, Array]:
    """Spectrum of a residual's column means, strip by strip.

    Args:
        strips: (STRIPS, width) mean magnitudes.

    Returns:
        log modulation depth of the mean over the strips, and its coherence between them, both (BINS,).
    """
    trend = _moving_mean(strips, 31)
    level = float(strips.mean()) + 1e-3
    taper = np.hanning(strips.shape[1] + 2)[1:-1].astype(np.float32)
    spectra = np.fft.rfft((strips - trend) * (taper * (2 / taper.sum() / level)), LENGTH, axis=1)
    joint = np.abs(spectra.mean(axis=0)) ** 2
    apart = (np.abs(spectra) ** 2).mean(axis=0)
    return (0.5 * np.log(joint + 1e-12)).astype(np.float32), (joint / (apart + 1e-12)).astype(np.float32)


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


def power_spectra(plane: Array) -> Array:
    """Log power along the rows in segments of 128 under a Hann window, every second row.

    Returns:
        (2, BANDS): log of the mean power, and mean of the log power; power 1 is white noise of unit variance.
    """
    rows = plane[::2]
    side = min(SEGMENT, rows.shape[1])
    count = rows.shape[1] // side
    segments = rows[:, : count * side].reshape(-1, side)
    taper = np.hanning(side + 2)[1:-1].astype(np.float32)
    taper /= np.sqrt(np.square(taper).sum())
    segments = (segments - segments.mean(axis=1, keepdims=True)) * taper
    spectra = np.fft.rfft(segments, SEGMENT, axis=1)
    power = np.square(spectra.real) + np.square(spectra.imag) + 1e-3
    return np.stack([np.log(power.mean(axis=0)), np.log(power).mean(axis=0)]).astype(np.float32)
