"""What is measured of a tile: its spectrum by ring and direction, and how steep it is from scale to scale.

Blur takes the high frequencies, motion those of one direction, so the rings of the power spectrum (Hann window) come in eight
directions, counted from the one that is weakest in the picture as a whole. A step blurred by sigma has a slope of 1/sqrt(sigma^2 + s^2)
after another blur by s: the ratio of the steepest slopes from scale to scale tells sigma wherever there is an edge, whatever its height
(Zhuo and Sim 2011).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.sharpness.tiles import TILE

Floats = NDArray[np.float32]

DIRECTIONS = 8  # of a half turn; no tuning on record
FINER = 2  # directions that are looked at for each of these, to find the weakest
RINGS = np.array([0.7, 1.5, 2.5, 3.6, 5, 7, 10, 14, 19, 25, 32, 46], np.float32)  # edges, cycles a tile
SECTOR = 7.0  # degrees: deviation of a direction's weight, about half the step between the finer directions
DIRECTION_RINGS = slice(3, 10)  # where blur shows: neither the coarse structure nor the corners
LEVELS = 4  # scales of the slopes: 1, 2, 4 and 8 pixels
FLOOR = 1 / 12  # variance of rounding to whole grey values
FACTS = 9
WIDTH = (len(RINGS) - 1) * DIRECTIONS + 6 * LEVELS + FACTS


@lru_cache(maxsize=1)
def _window() -> Floats:
    one = np.hanning(TILE + 1)[:-1]
    return np.outer(one, one).astype(np.float32)


@lru_cache(maxsize=1)
def _polar() -> Floats:
    """float32 (frequencies of rfft2, rings * finer directions): the weights of a mean."""
    down = np.fft.fftfreq(TILE, 1 / TILE)[:, None]
    across = np.fft.rfftfreq(TILE, 1 / TILE)[None]
    radius, angle = np.hypot(down, across), np.degrees(np.arctan2(down, across))
    step = 180 / (FINER * DIRECTIONS)
    columns = []
    for low, high in zip(RINGS, RINGS[1:], strict=False):
        ring = (radius >= low) & (radius < high)
        for direction in range(FINER * DIRECTIONS):
            apart = (angle - direction * step + 90) % 180 - 90
            weight = ring * np.exp(-0.5 * (apart / SECTOR) ** 2)
            columns.append((weight / weight.sum()).ravel())
    return np.stack(columns, axis=1).astype(np.float32)


def polar_power(tiles: Floats) -> Floats:
    """Mean power, float32 (n, rings, finer directions); direction d runs along d * 180/16 degrees.

    Args:
        tiles: float32 (n, TILE, TILE), their mean taken off.
    """
    window = _window()
    spectrum = np.fft.rfft2(tiles * window)
    power = spectrum.real**2 + spectrum.imag**2
    power *= np.float32(1 / np.square(window).sum())
    found = power.reshape(len(tiles), -1).astype(np.float32, copy=False) @ _polar()
    return np.asarray(found + np.float32(FLOOR / 4), np.float32).reshape(len(tiles), -1, FINER * DIRECTIONS)


def weakest_direction(logarithms: Floats) -> float:
    """The direction in which a picture has lost most, degrees in [0, 180): across the axis along which the logarithms are largest.

    The least of the directions would be a worse guide: after strong motion several are as low as the rounding.

    Args:
        logarithms: of the tiles' power, (n, rings, finer directions).
    """
    profile = logarithms[:, DIRECTION_RINGS].mean(axis=(0, 1), dtype=np.float64)
    twice = 2j * np.pi * np.arange(len(profile)) / len(profile)
    return float((np.degrees(np.angle((profile * np.exp(twice)).sum())) / 2 + 90) % 180)


def turned(power: Floats, angle: float) -> Floats:
    """Power by ring and direction, (n, rings, DIRECTIONS), counted from `angle`: each the mean of three finer directions."""
    count = FINER * DIRECTIONS
    power = np.roll(power, -(round(angle / (180 / count)) % count), axis=2)
    beside = np.roll(power, 1, axis=2)[..., ::FINER] + power[..., 1::FINER]
    return np.asarray(0.5 * power[..., ::FINER] + 0.25 * beside, np.float32)


def slopes(tiles: Floats, angle: float) -> Floats:
    """Logarithms of mean square, fourth moment and maximum of the slope along `angle` and across it, at each scale: (n, 6 * LEVELS)."""
    cosine, sine = np.float32(np.cos(np.radians(angle))), np.float32(np.sin(np.radians(angle)))
    found = []
    plane = tiles
    for level in range(LEVELS):
        if level:
            rows = plane[:, ::2] + plane[:, 1::2]
            plane = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
        corner = plane[:, :-1, :-1]
        right, down = plane[:, :-1, 1:] - corner, plane[:, 1:, :-1] - corner
        for slope in (cosine * right + sine * down, cosine * down - sine * right):
            squares = slope.reshape(len(tiles), -1)
            squares *= squares
            count = squares.shape[1]
            found += [squares.sum(axis=1) / count, np.sqrt(np.einsum("ij,ij->i", squares, squares) / count)]
            found.append(squares.max(axis=1))
    return np.asarray(np.log(np.stack(found, axis=1) + np.float32(FLOOR)), np.float32)


def _facts(raw: NDArray[np.uint8], tiles: Floats, mean: Floats, coarse: NDArray[np.bool_]) -> Floats:
    """Contrast, brightness, clipping, noise (the finest diagonal detail) and the steps at the borders of JPEG blocks: (n, FACTS)."""
    flat = tiles.reshape(len(tiles), -1)
    right = tiles[:, :, 1:] - tiles[:, :, :-1]
    diagonal = np.abs(right[:, 1:] - right[:, :-1]).reshape(len(tiles), -1)
    steps = np.abs(right).mean(axis=1)
    period = np.where(coarse, 4, 8)
    border = (np.arange(TILE - 1)[None] + 1) % period[:, None] == 0
    at_borders = (steps * border).sum(axis=1) / border.sum(axis=1)
    inside = (steps * ~border).sum(axis=1) / (~border).sum(axis=1)
    quiet = np.sort(diagonal.reshape(len(tiles), TILE - 1, TILE - 1)[:, ::4, ::4].reshape(len(tiles), -1), axis=1)
    facts = [
        np.log(np.einsum("ij,ij->i", flat, flat) / flat.shape[1] + np.float32(FLOOR)),
        np.log(flat.max(axis=1) - flat.min(axis=1) + 1),
        mean / 255,
        np.count_nonzero(raw <= 2, axis=(1, 2)) / raw[0].size,
        np.count_nonzero(raw >= 253, axis=(1, 2)) / raw[0].size,
        np.log(diagonal.mean(axis=1) + np.float32(0.1)),
        np.log(quiet[:, quiet.shape[1] // 4] + np.float32(0.5)),
        np.log((at_borders + np.float32(0.2)) / (inside + np.float32(0.2))),
        coarse,
    ]
    return np.stack(facts, axis=1).astype(np.float32)


def tile_features(raw: NDArray[np.uint8], coarse: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Features of the tiles of one picture and its weakest direction.

    Args:
        raw: grey tiles, uint8 (n, TILE, TILE).
        coarse: which of them are at half the size, bool (n,).

    Returns:
        float32 (n, WIDTH), the directions counted from the weakest, and that direction in degrees.
    """
    tiles = raw.astype(np.float32)
    mean = tiles.mean(axis=(1, 2))
    tiles -= mean[:, None, None]
    power = polar_power(tiles)
    angle = weakest_direction(np.log(power))
    spectra = np.log(turned(power, angle)).reshape(len(raw), -1)
    parts = [spectra, slopes(tiles, angle), _facts(raw, tiles, mean, coarse)]
    return np.concatenate(parts, axis=1), angle


def gains() -> Floats:
    """How much each feature rises when the contrast rises by a factor e, float32 (WIDTH,): powers and squares 2, ranges 1, others 0."""
    squares = (len(RINGS) - 1) * DIRECTIONS + 6 * LEVELS
    return np.concatenate([np.full(squares, 2.0), [2, 1, 0, 0, 0, 1, 1, 0, 0]]).astype(np.float32)
