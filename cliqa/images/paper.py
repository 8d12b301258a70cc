"""Paper: the even ground that text, drawings and borders lie on, so that tiles of a photograph in a page can be told from the rest.

Paper is a colour that a good part of the picture has to within a level or two. Sky and walls are not so even: they have gradients,
and noise. What is clipped to black or white is as even as paper, and says as little.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import planes, raster

COLOURS = 3  # grounds that one page may have
SHARE = 0.08  # of the picture that one ground covers at least
NEAR = 4  # levels from its colour: what JPEG and WebP leave of an even ground between letters
EVEN, EVEN_SHARE = 1, 0.7
"""Levels within which so many of the near pixels lie: of a gradient 3 of 9 do, of a wall with noise of 48 dB two thirds."""
FINE_ABOVE = 500_000  # pixels: above, every fourth row and column is looked at
COARSE_ABOVE = 4_000_000  # pixels: above, every eighth


def paper_shares(image: Image.Image, tile: int) -> NDArray[np.float64]:
    """How much of each whole tile of an RGB image is paper: float64 (rows, columns), 0-1. Tiles lie from the top left corner."""
    columns, rows = image.width // tile, image.height // tile
    pixels = image.width * image.height
    step = 8 if pixels > COARSE_ABOVE else 4 if pixels > FINE_ABOVE else 2
    side = tile // step
    channels = _sampled(image, (columns * side, rows * side), step)
    paper = np.zeros(channels.shape[1], bool)
    for _ in range(COLOURS):
        near = _ground(channels, paper)
        if near is None:
            break
        paper |= near
    shares: NDArray[np.float64] = paper.reshape(rows, side, columns, side).mean(axis=(1, 3))
    return shares


def _sampled(image: Image.Image, wanted: tuple[int, int], step: int) -> NDArray[np.uint8]:
    """The middle pixel of every `step` x `step`, (width, height) of them from the top left corner: uint8 (3, n)."""
    width, height = (side * step for side in wanted)
    pixels = raster(image) if compiled() is not None else None
    if pixels is not None:
        return planes([pixels[step // 2 : height : step, step // 2 : width : step, :3]]).reshape(3, -1)
    sampled = np.asarray(image.resize(wanted, Image.Resampling.NEAREST, box=(0, 0, width, height)))
    return np.ascontiguousarray(sampled.reshape(-1, 3).T)


def _ground(channels: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Which of the pixels (3, n) are of the most common colour that is not known; None where that is no paper."""
    counts = _cells(channels, known)
    most = int(counts.argmax())
    if 3 * counts[most] < SHARE * len(known):  # an even colour may lie in two cells or more
        return None
    corner = [8 * (most >> 5 * place & 31) for place in (2, 1, 0)]
    inside = ~known
    for channel, level in zip(channels, corner, strict=True):
        inside &= channel & np.uint8(248) == level
    within = int(np.bincount(_packed(channels[:, inside] & np.uint8(7), 3)).argmax())
    colour = [level + (within >> 3 * place & 7) for level, place in zip(corner, (2, 1, 0), strict=True)]
    near, even = (_within(channels, colour, levels) for levels in (NEAR, EVEN))
    if near.mean() < SHARE or np.count_nonzero(even) < EVEN_SHARE * np.count_nonzero(near):
        return None
    return near


def _cells(channels: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.integer[Any]]:
    """How many of the pixels (3, n) that are not known have each colour, but for the lowest three bits: (32768,)."""
    library = compiled()
    if library is None:
        return np.bincount(_packed(channels[:, ~known] >> np.uint8(3), 5), minlength=1 << 15)
    counts = np.zeros(1 << 15, np.int32)
    library.colour_cells(channels, known.view(np.uint8), len(known), counts)
    return counts


def _within(channels: NDArray[np.uint8], colour: list[int], levels: int) -> NDArray[np.bool_]:
    """Which of the pixels (3, n) differ from the colour by no more than `levels` in any channel."""
    inside = np.ones(channels.shape[1], bool)
    for channel, level in zip(channels, colour, strict=True):
        inside &= (channel >= max(0, level - levels)) & (channel <= min(255, level + levels))
    return inside


def _packed(levels: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """Three small numbers (3, n) as one (n,)."""
    first, second, third = levels.astype(np.uint16)
    packed: NDArray[np.uint16] = (first << np.uint16(2 * bits)) | (second << np.uint16(bits)) | third
    return packed
