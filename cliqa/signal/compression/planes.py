"""Luma and chroma of decoded tiles, in 8-bit units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import luma

Floats = NDArray[np.float32]


def luma_chroma(tiles: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """uint8 (n, 3, h, w) -> luma (n, h, w) in integers minus 128, and B - G and R - G of every second tile (n + n % 2, h, w).

    The colour differences need no rounding, and codecs' own Cb and Cr are nearly multiples of them where luma is smooth.
    """
    some = tiles[::2]
    green = some[:, 1].astype(np.int16)
    differences = np.concatenate([some[:, 2] - green, some[:, 0] - green]).astype(np.float32)
    return luma(tiles), differences


def tones(plane: Floats, differences: Floats) -> Floats:
    """What a loss is seen against: histogram of the luma in 8 bins, mean colour differences and their size: float32 (12,)."""
    levels = (plane[:, ::4, ::4].ravel() + np.float32(128)).astype(np.uint8) >> 5
    counts = np.bincount(levels, minlength=8)
    half = len(differences) // 2
    parts = [differences[:half, ::4, ::4], differences[half:, ::4, ::4]]
    colours = [part.mean() / 64 for part in parts] + [np.log1p(np.abs(part).mean()) for part in parts]
    return np.array([*(counts / counts.sum()), *colours], np.float32)


def webp_colours(tiles: NDArray[np.uint8]) -> tuple[float, float]:
    """(share, weight): share of coloured pixels that are exactly what libwebp makes of some integer YUV, and how many are coloured.

    Its arithmetic (BT.601 of limited range, 14 bits, cut down) is turned round and tried. A fifth of all colours are such.
    """
    red, green, blue = (tiles[:, plane].astype(np.int32) for plane in range(3))
    coloured = (np.abs(red - green) + np.abs(blue - green)) > 4
    red, green, blue = (plane[coloured] for plane in (red, green, blue))
    if not len(red):
        return 0.0, 0.0
    r, g, b = (plane.astype(np.float32) + np.float32(0.5) for plane in (red, green, blue))
    y = np.rint(16 + 0.25679 * r + 0.50413 * g + 0.09791 * b).astype(np.int32)
    u = np.rint(128 - 0.14822 * r - 0.29099 * g + 0.43922 * b).astype(np.int32)
    v = np.rint(128 + 0.43922 * r - 0.36779 * g - 0.07143 * b).astype(np.int32)
    light = y * 19077 >> 8
    same = (light + (v * 26149 >> 8) - 14234 >> 6 == red) & (light + (u * 33050 >> 8) - 17685 >> 6 == blue)
    same &= light - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708 >> 6 == green
    return float(same.mean()), float(coloured.mean())
