"""Tone statistics of a picture: how its light is distributed, over the whole and by region, in linear light and as encoded.

The input is small: histograms at full precision, which keep clipping, pile-ups and gaps exactly, and a thumbnail of 64x64, which keeps
what lies where. Everything is a plain number; a network makes judgements of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA
from cliqa.signal.exposure.histogram_traces import COUNT as TRACES
from cliqa.signal.exposure.histogram_traces import histogram_traces, srgb_to_linear

CHANNELS = ("red", "green", "blue", "luma", "brightest", "darkest")
SIDE = 64  # of the small picture whose regions are compared; no tuning on record
# Finer at the ends, where faults show; by hand
PERCENTILES = np.array([0.1, 0.5, 1, 2, 5, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.9])
_VALUES = np.arange(256) / 255.0
_LOG_LIGHT = np.log2(srgb_to_linear(_VALUES) + 2.0**-12) / 12.0  # EV below white, in twelfths
_CR = np.array([0.5, -0.418688, -0.081312])  # JFIF, BT.601
_CB = np.array([-0.168736, -0.331264, 0.5])
BANDS = 8  # of brightness; no tuning on record


def _quantiles(cumulative: NDArray[np.float64]) -> NDArray[np.int64]:
    """(channels, 256) -> (channels, percentiles), values 0-255."""
    return np.stack([np.searchsorted(row, PERCENTILES / 100.0 - 1e-12) for row in cumulative]).clip(0, 255)


def histogram_statistics(counts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Whole-picture statistics of histograms (6, 256) in the order of `CHANNELS`."""
    share = counts / counts.sum(axis=1, keepdims=True)
    cumulative = np.cumsum(share, axis=1)
    quantiles = _quantiles(cumulative)
    tone = _VALUES[quantiles[3:]]  # luma, brightest, darkest channel
    light = _LOG_LIGHT[quantiles[3:]]
    ends = np.stack(
        [share[:, 254:].sum(1), share[:, 250:].sum(1), share[:, 240:].sum(1), share[:, :2].sum(1), share[:, :6].sum(1),
         share[:, :16].sum(1)], axis=1,
    )  # fmt: skip
    luma = share[3]
    mean, mean_light = float(luma @ _VALUES), float(luma @ _LOG_LIGHT)
    deviation = float(np.sqrt(luma @ np.square(_VALUES - mean)))
    moments = [
        mean, deviation, float(luma @ ((_VALUES - mean) / max(deviation, 0.01)) ** 3),
        float(luma @ ((_VALUES - mean) / max(deviation, 0.01)) ** 4) ** 0.5,
        mean_light, float(np.sqrt(luma @ np.square(_LOG_LIGHT - mean_light))),
        float(np.log2(luma @ srgb_to_linear(_VALUES) + 1e-4)), -float(luma @ np.log2(luma + 1e-9)),
    ]  # fmt: skip
    channel_mean = share @ _VALUES
    channel_deviation = np.sqrt(np.maximum(share @ np.square(_VALUES) - np.square(channel_mean), 0))
    fine = np.log10(luma.reshape(32, 8).sum(axis=1) + 1e-4)
    coarse = np.log10(share[4:].reshape(2, 16, 16).sum(axis=2) + 1e-4)
    parts = [tone, light, np.log10(ends + 1e-5), np.sqrt(ends), moments, channel_mean, channel_deviation, fine, coarse,
             _edges(share)]  # fmt: skip
    return np.concatenate([np.asarray(part, dtype=np.float32).ravel() for part in parts])


def _edges(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each histogram begins and ends, and how much is piled up there: a lowered white or a lifted black, clipped before.

    Returns (6, 2 ends * 6): position; share in the outermost value, in 3 and in 8; outermost value and the three before it
    relative to the next ones inwards.
    """
    rows = []
    for row in share:
        found = []
        for line in (row, row[::-1]):
            first = int(np.argmax(np.cumsum(line) > 2e-4))
            near = np.concatenate([line[first : first + 12], np.zeros(12)])[:12]
            inner = near[3:12].mean() + 1e-5
            found += [
                first / 255.0,
                np.log10(near[0] + 1e-5),
                np.log10(near[:3].sum() + 1e-5),
                np.log10(near[:8].sum() + 1e-5),
                np.log10((near[0] + 1e-5) / inner),
                np.log10((near[:3].max() + 1e-5) / inner),
            ]
        rows.append(found)
    return np.array(rows)


def regional_statistics(thumbnail: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Statistics by region and by brightness of a 64x64 RGB thumbnail, uint8 (64, 64, 3)."""
    rgb = thumbnail.astype(np.float64) / 255.0
    luma = rgb @ LUMA
    cb, cr = rgb @ _CB, rgb @ _CR
    blocks = luma.reshape(8, 8, 8, 8)
    grid = blocks.mean(axis=(1, 3))
    spread = luma.reshape(4, 16, 4, 16).std(axis=(1, 3))
    colour = [plane.reshape(4, 16, 4, 16).mean(axis=(1, 3)) for plane in (cb, cr)]
    chroma = np.hypot(cb, cr)
    saturation = 1.0 - rgb.min(axis=2) / np.maximum(rgb.max(axis=2), 1 / 255.0)
    gradient = np.zeros_like(luma)
    gradient[:, :-1] = np.abs(np.diff(luma, axis=1))
    gradient[:-1] += np.abs(np.diff(luma, axis=0))
    band = np.minimum((luma * BANDS).astype(np.int64), BANDS - 1).ravel()
    weight = np.bincount(band, minlength=BANDS)
    by_band = [
        np.bincount(band, weights=plane.ravel(), minlength=BANDS) / np.maximum(weight, 1)
        for plane in (gradient, chroma, saturation)
    ]
    scales, level = [], luma
    for _ in range(5):  # deviation left after halving: contrast by scale
        halved = level.reshape(level.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
        scales.append(np.log10(np.sqrt(max(float(level.var() - halved.var()), 0.0)) + 1e-3))
        level = halved
    edge = np.concatenate([grid[0], grid[-1], grid[1:-1, 0], grid[1:-1, -1]])
    layout = [
        grid[2:6, 2:6].mean(), edge.mean(), grid[:3].mean() - grid[5:].mean(), edge.std(), grid.std(), grid.min(), grid.max(),
        *np.sort(grid.ravel())[[3, 8, 16, 32, 48, 55, 60]], chroma.mean(), chroma.std(), saturation.mean(), saturation.std(),
        cb.mean(), cr.mean(), cb.std(), cr.std(), *np.percentile(gradient, [50, 75, 90, 98]),
    ]  # fmt: skip
    parts = [grid, spread, np.sort(spread.ravel()), *colour, *by_band, np.sqrt(weight / luma.size), scales, layout]
    return np.concatenate([np.asarray(part, dtype=np.float32).ravel() for part in parts])


def tone_statistics(counts: NDArray[np.float64], thumbnail: NDArray[np.uint8]) -> NDArray[np.float32]:
    """All statistics of one picture.

    Args:
        counts: (6, 256), histograms in the order of `CHANNELS`, at full precision.
        thumbnail: uint8 (64, 64, 3), the upright picture averaged down, aspect ratio not kept.

    Returns:
        float32 (WIDTH,).
    """
    # Histograms count for as many pixels as the rules of `relative_histogram` were made for, whatever the picture's size.
    scaled = counts[:3] * (200_000.0 / counts[0].sum())
    return np.concatenate([histogram_statistics(counts), regional_statistics(thumbnail), histogram_traces(scaled)])


MEDIAN_LUMA = int(np.flatnonzero(PERCENTILES == 50)[0])
"""Where `tone_statistics` has the median of luma, 0-1."""
HIGHLIGHTS = 3 * len(PERCENTILES) + int(np.flatnonzero(PERCENTILES == 99.5)[0])
"""Where `tone_statistics` has the light of the 99.5th percentile of luma, in twelfths of an EV relative to white."""
HISTOGRAM_WIDTH = 2 * 3 * len(PERCENTILES) + 2 * 36 + 8 + 12 + 32 + 32 + 72
REGIONAL_WIDTH = 64 + 16 + 16 + 32 + 3 * BANDS + BANDS + 5 + 26
WIDTH = HISTOGRAM_WIDTH + REGIONAL_WIDTH + TRACES
