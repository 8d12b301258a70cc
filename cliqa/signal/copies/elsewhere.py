"""Whether what one picture lacks at a place is found elsewhere in it: a subject that has moved between two shots.

Both pictures are aligned; the first one's tones are brought to the second's by the monotone curve that most pixels follow. Where their
details then don't correlate they have changed. What has changed in one is looked for in what has changed in the other: as a whole by
the peaks of their cross-correlation, and, since people bend, in windows of their own nearby. A watermark is nowhere else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FINE, COARSE = 1.0, 4.0  # pixels between which details lie
WINDOW = 3.0  # pixels; the blur within which details are correlated
FLOOR = 4.0  # squared levels: weaker details are noise
CHANGED = 0.5  # correlation below which a place has changed, where details are TEXTURED
TEXTURED = 16.0  # squared levels
LEAST_AREA = 0.0002  # of the picture
PEAKS = 3  # of the cross-correlation that are looked at
NEAREST, FARTHEST = 5.0, 0.35  # pixels, and share of the longer side, that a subject moves
THE_SAME, OWN = (
    0.8,
    0.5,
)  # correlation with the other picture there at least, and with its own picture at most: stripes repeat

# Chosen with those of `shots`.
FOUND = 0.06  # of what has changed that is found elsewhere; watermarks reach 0.012, opaque logos in 50 of 52 0.05
FOUND_PIXELS = 150
WINDOWS, SIDE, REACH, STEP = (
    48,
    20,
    22,
    10,
)  # windows of each picture, their pixels a side, how far they are looked for, their distance
BENT = 0.5  # share of those found nearby; logos reach 0.47, other copies 0.2
LEAST_WINDOWS = 6

_LEVELS = 32  # of the tone curve

Floats = NDArray[np.float32]


def content_elsewhere(first: Floats, second: Floats) -> bool:
    """Whether something has moved between two aligned pictures: float32 (height, width), 0-255, at least 70 pixels a side."""
    one, two = (blurred(each, FINE) - blurred(each, COARSE) for each in (toned(first, second), second))
    power_1, power_2, both = (blurred(each, WINDOW) for each in (one * one, two * two, one * two))
    alike = both / np.sqrt((power_1 + FLOOR) * (power_2 + FLOOR))
    changed = (alike < CHANGED) & (np.maximum(power_1, power_2) > TEXTURED)
    if changed.mean() < LEAST_AREA:
        return False
    if _as_a_whole(one, two, power_1, power_2, changed):
        return True
    found = [*_nearby(one, two, power_1, changed), *_nearby(two, one, power_2, changed)]
    return len(found) >= LEAST_WINDOWS and float(np.mean(found)) >= BENT


def toned(first: Floats, second: Floats) -> Floats:
    """The first picture through the monotone curve that most pixels follow: medians of the second at levels of the first."""
    before, after = first[::2, ::2].ravel(), second[::2, ::2].ravel()  # a quarter of the pixels tells the curve as well
    edges = np.unique(np.quantile(before, np.linspace(0, 1, _LEVELS + 1)))
    if len(edges) < 3:
        return np.asarray(first - first.mean() + second.mean(), np.float32)
    level = np.clip(np.searchsorted(edges, before, "right") - 1, 0, len(edges) - 2)
    order = np.argsort(level, kind="stable")
    starts = np.searchsorted(level[order], np.arange(1, len(edges) - 1))
    x, y = (
        np.array([np.median(part) for part in np.split(each[order], starts) if len(part)]) for each in (before, after)
    )
    if len(x) < 2:
        return np.asarray(first - first.mean() + second.mean(), np.float32)
    y = np.maximum.accumulate(y)
    low, high = (y[1] - y[0]) / max(x[1] - x[0], 1e-3), (y[-1] - y[-2]) / max(x[-1] - x[-2], 1e-3)
    curve = np.interp(first, x, y) + low * np.minimum(first - x[0], 0) + high * np.maximum(first - x[-1], 0)
    return np.asarray(np.clip(curve, 0, 255), np.float32)


def blurred(values: Floats, sigma: float) -> Floats:
    """Gaussian blur of a picture of any shape, mirrored at its borders."""
    radius = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for _ in range(2):
        padded = np.pad(values, ((radius, radius), (0, 0)), mode="reflect")
        total = np.zeros_like(values)
        for place, weight in enumerate(kernel):
            total += weight * padded[place : place + len(values)]
        values = np.ascontiguousarray(total.T)
    return values


def _as_a_whole(one: Floats, two: Floats, power_1: Floats, power_2: Floats, changed: NDArray[np.bool_]) -> bool:
    """Whether much of what has changed in the first picture lies, all by one way, in what has changed in the second."""
    height, width = one.shape
    soft = blurred(changed.astype(np.float32), 1.5)
    high, wide = (1 << int(np.ceil(np.log2(1.3 * side))) for side in one.shape)
    spectra = [np.fft.rfft2(each * soft, (high, wide)) for each in (one, two)]
    correlation = np.fft.irfft2(spectra[0].conj() * spectra[1], (high, wide))
    down, right = np.rint(np.fft.fftfreq(high) * high).astype(int), np.rint(np.fft.fftfreq(wide) * wide).astype(int)
    way = np.hypot(down[:, None], right[None])
    correlation[(way <= NEAREST) | (way >= FARTHEST * max(height, width))] = 0
    for _ in range(PEAKS):
        y, x = np.unravel_index(int(correlation.argmax()), correlation.shape)
        if correlation[y, x] <= 0:
            return False
        dy, dx = int(down[y]), int(right[x])
        correlation[np.ix_(np.abs(down - dy) <= 3, np.abs(right - dx) <= 3)] = 0
        here = _shifted(-dy, -dx, height, width)
        there = _shifted(dy, dx, height, width)
        if min(one[here].shape) < 2 * SIDE:
            continue
        powers = power_1[here] + FLOOR
        same = blurred(one[here] * two[there], WINDOW) / np.sqrt(powers * (power_2[there] + FLOOR))
        own = blurred(one[here] * one[there], WINDOW) / np.sqrt(powers * (power_1[there] + FLOOR))
        found = (same > THE_SAME) & (own < OWN) & changed[here] & changed[there] & (power_1[here] > TEXTURED)
        if found.sum() >= max(FOUND_PIXELS, FOUND * changed.sum()):
            return True
    return False


def _shifted(dy: int, dx: int, height: int, width: int) -> tuple[slice, slice]:
    """What is left of a picture that is shifted over another one's border."""
    return slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx))


def _nearby(one: Floats, two: Floats, power: Floats, changed: NDArray[np.bool_]) -> list[bool]:
    """Whether windows of the first picture that changed are found near their place in the second, and not as well in the first."""
    height, width = one.shape
    border, half, reach = REACH + SIDE // 2, SIDE // 2, 2 * REACH + 1
    rows, columns = (axis.ravel() for axis in np.mgrid[border : height - border : STEP, border : width - border : STEP])
    wanted = np.flatnonzero(changed[rows, columns] & (power[rows, columns] > 1.5 * TEXTURED))
    if len(wanted) > WINDOWS:
        wanted = wanted[np.linspace(0, len(wanted) - 1, WINDOWS).astype(int)]
    away = np.hypot(*np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1]) >= 3
    found = []
    for y, x in zip(rows[wanted], columns[wanted], strict=True):
        window = one[y - half : y + half, x - half : x + half]
        window = window - window.mean()
        around = slice(y - border, y + border), slice(x - border, x + border)
        there, own = (_correlations(window, each[around], reach) for each in (two, one))
        if there[REACH, REACH] < CHANGED:
            found.append(bool(np.any(away & (there >= THE_SAME) & (there - own > 0.25))))
    return found


def _correlations(window: Floats, around: Floats, reach: int) -> Floats:
    """How a window without its mean correlates with all places of its size: (reach, reach)."""
    spectrum = np.fft.rfft2(around) * np.fft.rfft2(window, around.shape).conj()
    products = np.fft.irfft2(spectrum, around.shape)[:reach, :reach]
    sums = [np.pad(each.cumsum(0).cumsum(1), ((1, 0), (1, 0))) for each in (around, around * around)]
    total, squares = (
        each[SIDE:, SIDE:] - each[:-SIDE, SIDE:] - each[SIDE:, :-SIDE] + each[:-SIDE, :-SIDE] for each in sums
    )
    power = np.maximum(squares - total * total / SIDE**2, 1)[:reach, :reach]
    return np.asarray(products / np.sqrt((window * window).sum() * power + 1), np.float32)
