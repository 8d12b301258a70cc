"""What a change of tone leaves in an 8-bit histogram: gaps where the curve is steeper than 1, doubled bins where it is flatter.

An 8-bit value that goes through a tone curve lands on a rounded 8-bit value. A curve of slope s > 1 leaves 1 - 1/s of the values
unused; a slope s < 1 sends two neighbours to one value, at a rate of 1/s - 1. Either way the histogram, divided by its smoothed
self, carries a pattern of frequency 1/s (modulo 1) per value. Saving as JPEG, scaling, or editing at 16 bits wipes the pattern
out, so its absence proves nothing.

The principle is that of Stamm and Liu, "Forensic detection of image manipulation using statistical intrinsic fingerprints"
(IEEE TIFS 2010).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 9  # values; wider than one period of the slopes of interest, narrower than a natural histogram's features
EV_STEP = 0.01  # half a step moves value 255 by 0.3 values: the finest grid that still matters
EV_RANGE = 4.0  # to either side; chosen by hand
EV_POOL = 25  # templates per reported window: 0.25 EV
WINDOWS = tuple(range(0, 193, 32))  # first values of the local windows, each 64 values wide
SPECTRUM = 16  # frequency bins reported per local window
EV_WINDOWS = round(2 * EV_RANGE / EV_STEP) // EV_POOL
COUNT = EV_WINDOWS + 4 + len(WINDOWS) * SPECTRUM + 64 + 2 + 16


def srgb_to_linear(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB-encoded 0-1 -> linear light 0-1 (IEC 61966-2-1)."""
    return np.where(u <= 0.04045, u / 12.92, np.power((np.maximum(u, 0.04045) + 0.055) / 1.055, 2.4))


def linear_to_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light 0-1 -> sRGB-encoded 0-1 (IEC 61966-2-1)."""
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.power(np.maximum(linear, 0.0031308), 1 / 2.4) - 0.055
    )


def _smooth(histogram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean of `SMOOTHING` values along the last axis, the ends averaged over what is there."""
    half = SMOOTHING // 2
    padded = np.pad(histogram, [(0, 0)] * (histogram.ndim - 1) + [(half + 1, half)])
    total = np.cumsum(padded, axis=-1)
    inside = np.pad(np.ones(256), (half + 1, half)).cumsum()
    result: NDArray[np.float64] = (total[..., SMOOTHING:] - total[..., :-SMOOTHING]) / (
        inside[SMOOTHING:] - inside[:-SMOOTHING]
    )
    return result


def relative_histogram(counts: NDArray[np.float64], least: float = 30.0) -> NDArray[np.float64]:
    """counts (..., 256) over their running mean, minus 1, clipped to [-1, 2]; 0 where there is too little to tell.

    Too little: fewer than `least` pixels a value, or one of the two outermost values at each end, where clipping piles up.
    """
    mean = _smooth(counts)
    ratio = np.where(mean >= least, counts / np.maximum(mean, 1e-9) - 1.0, 0.0)
    ratio[..., :2] = 0.0
    ratio[..., 254:] = 0.0
    return np.clip(ratio, -1.0, 2.0)


@lru_cache(maxsize=1)
def _exposure_templates() -> NDArray[np.float32]:
    """Relative multiplicity of every output value under each exposure change: (changes, 256), unit-length rows."""
    linear = srgb_to_linear(np.arange(256) / 255.0)
    changes = -EV_RANGE + EV_STEP * np.arange(EV_WINDOWS * EV_POOL)
    counts = np.zeros((len(changes), 256))
    for row, change in zip(counts, changes, strict=True):
        moved = linear_to_srgb(np.minimum(linear * 2.0**change, 1.0))
        row += np.bincount(np.rint(moved * 255.0).astype(np.int64), minlength=256)
    templates = relative_histogram(counts, least=0.12)
    templates[np.abs(changes) < EV_STEP / 2] = 0.0  # no change, no pattern
    norm = np.sqrt(np.square(templates).sum(axis=1, keepdims=True))
    unit: NDArray[np.float32] = (templates / np.maximum(norm, 1.0)).astype(np.float32)
    return unit


def histogram_traces(counts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Traces of tone changes in the histograms of R, G and B.

    Args:
        counts: (3, 256).

    Returns:
        float32 (COUNT,): best match with an exposure change in linear light per 0.25 EV window, the best of all and its EV;
        spectra of the relative histogram, local and global; shares of gaps and of doubled values by brightness.
    """
    ratio = relative_histogram(counts)
    pooled = relative_histogram(counts.sum(axis=0))
    length = float(np.sqrt(np.square(pooled).sum()))
    match = (_exposure_templates() @ pooled.astype(np.float32)) / max(length, 1.0)
    by_window = match.reshape(EV_WINDOWS, EV_POOL).max(axis=1)
    best = int(np.argmax(match))
    change = -EV_RANGE + EV_STEP * best
    summary = [match[best], change * match[best], change, np.log1p(length)]

    used = np.maximum((ratio != 0.0).sum(axis=1, keepdims=True), 16)
    whole = np.abs(np.fft.rfft(ratio, axis=1))[:, 1:] / used  # 1 = a comb of full depth
    whole_mean = whole.mean(axis=0)
    peak = int(np.argmax(whole_mean))
    local = np.stack([ratio[:, first : first + 64] for first in WINDOWS], axis=1) * np.hanning(64)
    spectra = np.abs(np.fft.rfft(local, axis=2))[:, :, 1:].mean(axis=0) / 32.0  # (windows, 32)
    gaps = ((ratio <= -0.9).reshape(3, 8, 32).mean(axis=(0, 2)), (ratio >= 0.6).reshape(3, 8, 32).mean(axis=(0, 2)))
    parts = [
        by_window,
        summary,
        spectra.reshape(len(WINDOWS), SPECTRUM, -1).max(axis=2).ravel(),
        whole_mean.reshape(64, 2).max(axis=1),
        [whole_mean[peak], (peak + 1) / 128.0 * min(1.0, 4.0 * whole_mean[peak])],
        *gaps,
    ]
    return np.concatenate([np.asarray(part, dtype=np.float32).ravel() for part in parts])
