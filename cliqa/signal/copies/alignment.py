"""Whether two small pictures show the same one, and which part of it each shows.

Each pair is aligned by a scale and a shift per axis (all that cropping and squashing to a square can do), by Gauss-Newton steps on
the correlation of their details; what correlates well after that is the same photograph. Pictures are grey squares of SIDE pixels,
squashed to that shape whatever their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 32  # pixels; 16 lets other shots of a place pass, 64 costs four times as much and finds no more crops
STEPS = (6, 8)  # Gauss-Newton steps on blurred, then on sharper pictures; more move nothing
BLURS = (1.6, 0.7)  # pixels; the first bridges a crop of 8 % a side (2.5 pixels)
IN_PLACE = 0.96  # correlation at the start above which no step is made: resized and compressed copies, nine in ten
COARSE = 8  # pixels a side, for a first look
LIKELY = 0.3  # of their correlation below which no closer look is taken: 1 of 800 pairs of copies, and three in four strangers
LOCAL = 4.0  # pixels; what is smoother is light, not detail: skies over land correlate without being the same
BATCH = 1024  # pairs at a time: 80 MiB

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Alignment:
    """For each pair: how well the details correlate where both overlap, and where `second` lies in `first`.

    `correlation` -1 to 1. `box` (n, 4): left, top, right, bottom of `second` in fractions of `first`'s sides; beyond 0 and 1 where
    `second` shows more than `first`.
    """

    correlation: Floats
    box: Floats


def align(first: NDArray[np.uint8], second: NDArray[np.uint8], boxes: Floats) -> Alignment:
    """Align pairs of pictures.

    Args:
        first, second: uint8 (n, SIDE, SIDE).
        boxes: (n, 4), where to begin to look, as `Alignment.box`.
    """
    parts = [
        _align(first[start : start + BATCH], second[start : start + BATCH], boxes[start : start + BATCH])
        for start in range(0, len(first), BATCH)
    ]
    if not parts:
        return Alignment(np.zeros(0, np.float32), np.zeros((0, 4), np.float32))
    return Alignment(np.concatenate([part.correlation for part in parts]), np.concatenate([part.box for part in parts]))


def _align(first: NDArray[np.uint8], second: NDArray[np.uint8], boxes: Floats) -> Alignment:
    x = np.stack([boxes[:, 2] - boxes[:, 0], boxes[:, 0]], 1).astype(np.float32)  # scale and shift, of the unit square
    y = np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 1]], 1).astype(np.float32)
    correlation = np.zeros(len(x), np.float32)
    likely = np.flatnonzero(_coarsely(first, second) >= LIKELY)
    if len(likely):
        correlation[likely] = _correlation(first[likely], second[likely], x[likely], y[likely])
    away = likely[correlation[likely] < IN_PLACE]
    if len(away):
        x[away], y[away] = _moved(first[away], second[away], x[away], y[away])
        correlation[away] = np.maximum(correlation[away], _correlation(first[away], second[away], x[away], y[away]))
    box = np.stack([x[:, 1], y[:, 1], x[:, 1] + x[:, 0], y[:, 1] + y[:, 0]], 1)
    return Alignment(correlation, box)


def _coarsely(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Floats:
    """Correlation of both pictures as they lie, COARSE pixels a side."""
    wide = SIDE // COARSE
    one, two = (
        _standard(each.reshape(-1, COARSE, wide, COARSE, wide).mean((2, 4), dtype=np.float32), np.float32(COARSE**-2))
        for each in (first, second)
    )
    result: Floats = (one * two).mean((1, 2))
    return result


def _moved(first: NDArray[np.uint8], second: NDArray[np.uint8], x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Scale and shift of each axis after Gauss-Newton steps from those given."""
    centre = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    for steps, blur in zip(STEPS, BLURS, strict=True):
        one, two = _details(first, blur), _details(second, blur)
        slopes: list[Floats] = [np.asarray(slope, np.float32) for slope in np.gradient(one, axis=(1, 2))]
        for _ in range(steps):
            value, weight = _sample(one, x, y)
            slope_x, slope_y = _sample(slopes[1], x, y)[0] * SIDE, _sample(slopes[0], x, y)[0] * SIDE
            spread = np.maximum(_deviation(value, weight), 1e-3)[..., None]
            columns = np.stack([slope_x * centre, slope_x, slope_y * centre[:, None], slope_y], -1) / spread
            columns -= (columns * weight[..., None]).sum((1, 2), keepdims=True)
            weighted = (columns * weight[..., None]).reshape(len(x), -1, 4).transpose(0, 2, 1)
            normal = weighted @ columns.reshape(len(x), -1, 4)
            # A picture of stripes has no position along them
            ridge = 2.5e-3 * np.trace(normal, axis1=1, axis2=2) + 1e-6
            normal = normal + ridge[:, None, None] * np.eye(4, dtype=np.float32)
            error = (_standard(two, weight) - _standard(value, weight)).reshape(len(x), -1, 1)
            step = np.clip(np.linalg.solve(normal, weighted @ error)[..., 0], -0.04, 0.04)
            x, y = x + step[:, :2], y + step[:, 2:]
            x[:, 0], y[:, 0] = np.clip(x[:, 0], 0.6, 1.6), np.clip(y[:, 0], 0.6, 1.6)
    return x, y


def _correlation(first: NDArray[np.uint8], second: NDArray[np.uint8], x: Floats, y: Floats) -> Floats:
    """Of the details where both overlap; 0 where less than half does."""
    value, weight = _sample(_details(first, BLURS[-1]), x, y)
    both = _standard(value, weight) * _standard(_details(second, BLURS[-1]), weight) * weight
    enough = (weight > 0).mean((1, 2)) >= 0.5
    return np.where(enough, both.sum((1, 2)), 0.0).astype(np.float32)


def _details(pictures: NDArray[np.uint8], blur: float) -> Floats:
    """What is between `blur` and LOCAL pixels wide, local contrast evened out: tone curves change it little."""
    values = _unlit(pictures.astype(np.float32))
    fine, coarse = _blurred(values, blur), _blurred(values, LOCAL)
    detail = fine - coarse
    spread: Floats = np.sqrt(_blurred(detail * detail, LOCAL) + 4.0)
    result: Floats = detail / spread
    return result


def _unlit(values: Floats) -> Floats:
    """Without the quadratic surface that fits best: at the borders a blur can't tell the light on a bare wall from detail."""
    across = np.linspace(-1, 1, SIDE)
    x, y = np.broadcast_to(across, (SIDE, SIDE)), np.broadcast_to(across[:, None], (SIDE, SIDE))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1).reshape(-1, 6)
    basis = np.linalg.qr(terms)[0].astype(np.float32)
    flat = values.reshape(len(values), -1)
    result: Floats = (flat - (flat @ basis) @ basis.T).reshape(values.shape)
    return result


def _blurred(values: Floats, sigma: float) -> Floats:
    """Gaussian blur of each picture, mirrored at its borders."""
    kernel = gaussian_matrix(SIDE, sigma)
    result: Floats = kernel @ values @ kernel.T
    return result


def gaussian_matrix(side: int, sigma: float) -> Floats:
    """The matrix that blurs `side` pixels, mirrored at the ends: float32 (side, side)."""
    offsets = np.arange(side)
    kernel = np.zeros((side, side), np.float32)
    radius = int(np.ceil(3 * sigma))
    for shift in range(-radius, radius + 1):
        reflected = np.abs(offsets + shift)
        reflected = np.where(reflected >= side, 2 * side - 2 - reflected, reflected)
        kernel[offsets, reflected] += np.exp(-0.5 * (shift / sigma) ** 2)
    kernel /= kernel.sum(1, keepdims=True)
    return kernel


def _sample(pictures: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Bilinear values at `scale * centre + shift` of each axis, and weights that sum to 1 over those that lie inside."""
    centre = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    columns: Floats = ((x[:, :1] * centre + x[:, 1:]) * SIDE - 0.5).astype(np.float32)
    rows: Floats = ((y[:, :1] * centre + y[:, 1:]) * SIDE - 0.5).astype(np.float32)
    result = _weights(rows) @ pictures @ _weights(columns).transpose(0, 2, 1)
    inside = ((rows >= -0.5) & (rows <= SIDE - 0.5))[:, :, None] & ((columns >= -0.5) & (columns <= SIDE - 0.5))[
        :, None
    ]
    weight = inside / np.maximum(inside.sum((1, 2), keepdims=True), 1)
    return result, weight.astype(np.float32)


def _weights(positions: Floats) -> Floats:
    """(n, m) positions -> (n, m, SIDE) weights of linear interpolation."""
    away = np.abs(np.clip(positions, 0, SIDE - 1)[..., None] - np.arange(SIDE, dtype=np.float32))
    return np.maximum(0.0, 1.0 - away).astype(np.float32)


def _deviation(values: Floats, weight: Floats | np.float32) -> Floats:
    mean = (values * weight).sum((1, 2), keepdims=True)
    result: Floats = np.sqrt((((values - mean) ** 2) * weight).sum((1, 2), keepdims=True))
    return result


def _standard(values: Floats, weight: Floats | np.float32) -> Floats:
    mean = (values * weight).sum((1, 2), keepdims=True)
    result: Floats = (values - mean) / np.maximum(_deviation(values, weight), 1e-3)
    return result
