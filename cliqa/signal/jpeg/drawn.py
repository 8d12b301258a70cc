"""Parts of a picture that were drawn and never compressed: text, flat colour, line art, whose background is the same to the last bit.

A save at less than about 92 rings about every edge. So where blocks with strong edges still hold one exact colour over much of their
area, no JPEG was there, whatever the periods of text and tables look like. Such tiles are no evidence, and photographs beside them are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BUSY = 48
"""Range of the values in a block that has a strong edge."""
EXACT = 0.45
"""Mean share of such a block that has one exact value: drawn 0.45-0.9, saved drawings 0.1-0.3, saved text on white 0.3-0.4."""
FLAT = 0.5
"""Share of pixels equal to their right neighbour: pristine photographs have 0.05-0.4, screens of text 0.5-0.9."""
MOST_TILES = 48
"""Tiles that are looked at."""
FEWEST = 6
"""Busy blocks that are needed to tell."""
_ROWS = 4
"""Every so many rows are read for the first look."""


def flat_shares(picture: Image.Image, size: int) -> NDArray[np.float64]:
    """Share of pixels that equal their right neighbour, of each whole tile of an RGB picture: (rows, columns)."""
    columns, rows = picture.width // size, picture.height // size
    if not columns or not rows:
        return np.zeros((rows, columns))
    green = np.asarray(picture.getchannel(1))[: rows * size : _ROWS, : columns * size]
    same = np.zeros(green.shape, bool)
    np.equal(green[:, 1:], green[:, :-1], out=same[:, 1:])
    shares: NDArray[np.float64] = same.reshape(rows, size // _ROWS, columns, size).mean(axis=(1, 3))
    return shares


def _by_blocks(function: np.ufunc, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The greatest or smallest value of each block of 8x8, by strides: ten times as fast as over axes of eight: (rows, columns)."""
    for _ in range(2):
        found = plane[:, ::8].copy()
        for place in range(1, 8):
            function(found, plane[:, place::8], out=found)
        plane = np.ascontiguousarray(found.T)
    return plane


def is_drawn(tile: NDArray[np.uint8]) -> bool:
    """Whether a tile (3, h, w) was drawn and never saved at less than about 92."""
    green = tile[1]
    rows, columns = green.shape[0] // 8, green.shape[1] // 8
    whole = green[: rows * 8, : columns * 8]
    ranges = _by_blocks(np.maximum, whole) - _by_blocks(np.minimum, whole)
    places = np.flatnonzero(ranges > BUSY)
    if len(places) < FEWEST:
        return False
    busy = whole.reshape(rows, 8, columns, 8).swapaxes(1, 2).reshape(-1, 64)[places]
    counted = np.bincount((busy + 256 * np.arange(len(busy))[:, None]).ravel(), minlength=256 * len(busy))
    return bool(counted.reshape(-1, 256).max(axis=1).mean() / 64 > EXACT)


def telling_origins(
    picture: Image.Image, tiles: Sequence[tuple[int, int]], size: int, count: int
) -> list[tuple[int, int]]:
    """Of the origins (x, y) of tiles, most detailed first, the first `count` that were not drawn; fewer where there are no more.

    Text and flat drawings have the most detail by far, and would hide a photograph beside them: those with many equal
    neighbours come last.
    """
    if len(tiles) > count:
        shares = flat_shares(picture, size)
        tiles = sorted(tiles, key=lambda origin: shares[origin[1] // size, origin[0] // size] > FLAT)
    found: list[tuple[int, int]] = []
    for x, y in tiles[:MOST_TILES]:
        if not is_drawn(np.asarray(picture.crop((x, y, x + size, y + size))).transpose(2, 0, 1)):
            found.append((x, y))
        if len(found) == count:
            break
    return found
