"""Fine textures without noise: what a noise meter must not take for noise. Each is made from its number alone."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Generator = np.random.Generator

TEXTURES = 90
SIDE = 512  # pixels
_EIGHTHS = 3  # fractional bits of the coordinates that are drawn


@lru_cache(maxsize=TEXTURES)
def texture(number: int) -> Pixels:
    """Texture `number`: uint8 (512, 512, 3)."""
    rng = np.random.default_rng([7, number])
    return (dead_leaves, strokes, weave)[number % 3](rng)


def dead_leaves(rng: Generator) -> Pixels:
    """Gravel and foliage: ellipses over ellipses whose sizes follow a power law (the dead leaves model)."""
    count = int(rng.integers(3000, 9000))
    canvas = np.full((SIDE, SIDE, 3), 128, np.uint8)
    exponent = -1 / rng.uniform(1.2, 2.2)
    sizes = np.sort(np.minimum(rng.uniform(1.0, 3.0) * rng.random(count) ** exponent, 120))[::-1]
    axes = np.maximum(np.stack([sizes, sizes * rng.uniform(0.1, 1)], axis=1) * 8, 4).astype(int)
    places, angles = rng.integers(0, SIDE * 8, (count, 2)), rng.uniform(0, 180, count)
    colours = _colours(rng, count)
    for place, axis, angle, colour in zip(
        places.tolist(), axes.tolist(), angles.tolist(), colours.tolist(), strict=True
    ):
        cv2.ellipse(canvas, place, axis, angle, 0, 360, colour, -1, cv2.LINE_AA, _EIGHTHS)
    return canvas


def strokes(rng: Generator) -> Pixels:
    """Grass, hair and fur: thin strokes over one another, in about one direction or in several."""
    count = int(rng.integers(4000, 12000))
    canvas = np.full((SIDE, SIDE, 3), rng.integers(20, 200), np.uint8)
    start = rng.uniform(-40, SIDE + 40, (count, 2))
    angle = rng.uniform(0, np.pi) + rng.normal(0, rng.uniform(0.05, 1.0), count)
    bend = rng.normal(0, rng.uniform(0, 0.6), count)
    length = rng.uniform(8, rng.uniform(20, 120), count)
    colours, thickness = _colours(rng, count), rng.choice([1, 1, 1, 2, 3], count)
    steps = np.linspace(0, 1, 6)
    directions = angle[:, None] + bend[:, None] * steps
    paths = np.cumsum(np.stack([np.cos(directions), np.sin(directions)], axis=2) * (length / 6)[:, None, None], axis=1)
    points = np.rint((paths + start[:, None]) * 8).astype(np.int32)
    for path, colour, thick in zip(points, colours.tolist(), thickness.tolist(), strict=True):
        cv2.polylines(canvas, [path], False, colour, thick, cv2.LINE_AA, _EIGHTHS)
    return canvas


def weave(rng: Generator) -> Pixels:
    """Fabric: threads over and under, of a few pixels each, on a slightly bent grid, with some threads darker."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.5, 12)
    bend = np.float32(rng.uniform(0, 6)) * np.sin(
        x / np.float32(rng.uniform(40, 150)) + y / np.float32(rng.uniform(40, 150))
    )
    u = (x * np.cos(angle) + y * np.sin(angle) + bend) / period
    v = (y * np.cos(angle) - x * np.sin(angle) + bend) / (period * rng.uniform(0.7, 1.4))
    over = (np.floor(u) + np.floor(v) * int(rng.integers(1, 4))) % int(rng.integers(2, 5)) < 1
    across, along = np.abs(np.sin(np.pi * u)), np.abs(np.sin(np.pi * v))
    thread_u, thread_v = (rng.normal(0, rng.uniform(0, 0.15), 1024) for _ in range(2))
    shade = np.where(
        over, across + thread_u[np.floor(u).astype(int) % 1024], along + thread_v[np.floor(v).astype(int) % 1024]
    )
    fade = 0.6 + 0.4 * cv2.GaussianBlur(rng.random((SIDE, SIDE)).astype(np.float32), (0, 0), 60) * 2
    colour = rng.uniform(40, 240, 3)
    result = (0.25 + 0.75 * shade * fade)[..., None] * colour
    return np.asarray(np.clip(np.rint(result), 0, 255), np.uint8)


def _colours(rng: Generator, count: int) -> NDArray[np.float64]:
    """Colours around one: their brightness spread wide, their hue little or a lot."""
    middle, spread = rng.uniform(60, 190), rng.uniform(10, 110)
    tint = rng.normal(0, 25, 3)
    grey = rng.uniform(middle - spread, middle + spread, (count, 1))
    return np.clip(grey + tint + rng.normal(0, rng.uniform(0, 50), (count, 3)), 0, 255)
