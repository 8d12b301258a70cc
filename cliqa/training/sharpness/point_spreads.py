"""Point spreads of lenses and hands that shake, as kernels in pixels, and how large each is.

Training draws from here: Gaussians (round and stretched), discs and polygons of an aperture, cores with a halo, straight paths and
smooth curved ones. Apertures with rounded blades, vignetted or obstructed ones and jerky paths are left to the benchmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Generator = np.random.Generator

OVERSAMPLED = 6  # a side of a pixel, where an aperture is drawn
LARGEST = 8.0  # pixels, the largest standard deviation that is told


@dataclass(frozen=True)
class PointSpread:
    """A kernel and what it does.

    Attributes:
        kernel: float32 (odd, odd), sums to 1.
        family: its name.
        sigma: standard deviation in pixels, Gaussian equivalent.
        motion: length of the directional part in pixels, 0 where it has none.
        angle: its direction, degrees in [0, 180), from the columns' axis towards the rows'.
    """

    kernel: Plane
    family: str
    sigma: float
    motion: float = 0.0
    angle: float = 0.0


def moments(kernel: Plane) -> tuple[float, float, float]:
    """(larger, smaller) variance in pixels^2 and the direction of the larger one in degrees."""
    height, width = kernel.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    weight = kernel / kernel.sum()
    x, y = x - (weight * x).sum(), y - (weight * y).sum()
    xx, yy, xy = ((weight * part).sum() for part in (x * x, y * y, x * y))
    middle, apart = (xx + yy) / 2, float(np.hypot((xx - yy) / 2, xy))
    return middle + apart, middle - apart, float(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) % 180)


def moved_spread(kernel: Plane, family: str) -> PointSpread:
    """Of a path: sigma is the mean of both axes, motion the length of the straight path that is as much longer than wide."""
    large, small, angle = moments(kernel)
    return PointSpread(kernel, family, float(np.sqrt((large + small) / 2)), float(np.sqrt(12 * (large - small))), angle)


def round_spread(kernel: Plane, family: str) -> PointSpread:
    """Without a direction: the sigma of the Gaussian with the same sum of squares, which a faint wide halo changes little."""
    kernel = kernel / kernel.sum()
    return PointSpread(kernel, family, float(1 / np.sqrt(4 * np.pi * np.square(kernel).sum())))


def gaussian(sigma: float, stretch: float = 1.0, angle: float = 0.0) -> PointSpread:
    """Deviation `sigma` (mean of both axes' variances); `stretch` is the ratio of the axes."""
    short = sigma * np.sqrt(2 / (1 + stretch**2))
    half = int(np.ceil(3.5 * short * stretch)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = x * cosine + y * sine, y * cosine - x * sine
    kernel = np.exp(-0.5 * ((along / (short * stretch)) ** 2 + (across / short) ** 2)).astype(np.float32)
    if stretch > 1:
        motion = float(np.sqrt(12 * short**2 * (stretch**2 - 1)))
        return PointSpread(kernel / kernel.sum(), "stretched", sigma, motion, angle % 180)
    return PointSpread(kernel / kernel.sum(), "gaussian", sigma)


def aperture(radius: float, blades: int = 0, turn: float = 0.0, soft: float = 0.0) -> PointSpread:
    """An evenly lit disc, or a polygon with `blades` corners at `radius`; `soft`: deviation of what blurs its rim."""
    half = int(np.ceil(radius + 3 * soft)) + 1
    fine = (2 * half + 1) * OVERSAMPLED
    y, x = (np.mgrid[:fine, :fine].astype(np.float32) + 0.5) / OVERSAMPLED - half - 0.5
    distance = np.hypot(x, y)
    if blades:
        sector = 2 * np.pi / blades
        around = (np.arctan2(y, x) + turn) % sector - sector / 2
        distance = distance * np.cos(around) / np.cos(sector / 2)
    kernel = (distance <= radius).astype(np.float32)
    kernel = kernel.reshape(2 * half + 1, OVERSAMPLED, 2 * half + 1, OVERSAMPLED).mean(axis=(1, 3))
    if soft > 0:
        kernel = np.asarray(cv2.GaussianBlur(kernel, (0, 0), soft), np.float32)
    return round_spread(kernel, "polygon" if blades else "disc")


def haloed(sigma: float, share: float, wider: float) -> PointSpread:
    """A soft lens: a Gaussian core, and a share of the light in one `wider` times as wide."""
    half = int(np.ceil(3 * sigma * wider)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    square = -0.5 * (x * x + y * y) / sigma**2
    kernel = (1 - share) * np.exp(square) + share / wider**2 * np.exp(square / wider**2)
    return round_spread(kernel.astype(np.float32), "haloed")


def path_kernel(points: NDArray[np.float64], soft: float) -> Plane:
    """Light along a path in equal times: points (n, 2) as x, y in pixels, each spread over the four pixels around, then blurred."""
    points = points - points.mean(axis=0)
    half = int(np.ceil(np.abs(points).max() + 3.5 * soft)) + 2
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    places = points + half
    corner = np.floor(places).astype(int)
    part = places - corner
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
            np.add.at(kernel, (corner[:, 1] + down, corner[:, 0] + right), weight)
    if soft > 0:
        kernel = np.asarray(cv2.GaussianBlur(kernel, (0, 0), soft), np.float32)
    return np.asarray(kernel / kernel.sum(), np.float32)


def straight(length: float, angle: float, soft: float) -> PointSpread:
    """An even straight movement of `length` pixels."""
    steps = np.linspace(-0.5, 0.5, max(int(8 * length), 9))[:, None] * length
    direction = np.array([[np.cos(np.radians(angle)), np.sin(np.radians(angle))]])
    return moved_spread(path_kernel(steps * direction, soft), "motion")


def shaken(rng: Generator, length: float, soft: float) -> PointSpread:
    """A hand's smooth path: a few slow oscillations of both axes over a drift; its arc is `length` pixels."""
    time = np.linspace(0, 1, 400)
    points = time[:, None] * rng.normal(0, 1, 2) * rng.uniform(0, 1.5)
    for cycles in (0.5, 1, 1.5, 2.5):
        phase, size = rng.uniform(0, 2 * np.pi, 2), rng.normal(0, 0.6 / cycles, 2)
        points = points + size * np.sin(2 * np.pi * cycles * time[:, None] + phase)
    arc = np.hypot(*np.diff(points, axis=0).T).sum()
    return moved_spread(path_kernel(points * (length / arc), soft), "shake")


def draw_size(rng: Generator, least: float = 0.3, most: float = LARGEST) -> float:
    """A standard deviation in pixels: half of them even, half even in their logarithm."""
    if rng.random() < 0.5:
        return float(rng.uniform(least, most))
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def draw_spread(rng: Generator, least: float = 0.3, most: float = 7.5) -> PointSpread:
    """A point spread of any family, of about `least` to `most` pixels' deviation."""
    size = draw_size(rng, least, most)
    soft = float(rng.uniform(0, 0.7))
    family = rng.choice(
        ["gaussian", "stretched", "disc", "polygon", "haloed", "motion", "shake"],
        p=[0.24, 0.05, 0.15, 0.1, 0.1, 0.22, 0.14],
    )
    if family == "gaussian":
        return gaussian(size)
    if family == "stretched":
        return gaussian(size, float(rng.uniform(1.1, 1.8)), float(rng.uniform(0, 180)))
    if family == "disc":
        return aperture(2 * size, soft=soft)
    if family == "polygon":
        return aperture(2.2 * size, int(rng.integers(5, 10)), float(rng.uniform(0, 7)), soft)
    if family == "haloed":
        return haloed(size, float(rng.uniform(0.05, 0.35)), float(rng.uniform(1.5, 3.5)))
    if family == "motion":
        return straight(min(size * np.sqrt(24), 34.0), float(rng.uniform(0, 180)), soft + 0.2)
    return shaken(rng, min(size, 6.0) * float(rng.uniform(4.5, 8)), soft + 0.2)
