"""Parts of a picture that were drawn and never compressed: text, flat colour, line art, whose background is the same to the last bit.

A save at less than about 92 rings about every edge. So where blocks with strong edges still hold one exact colour over much of their
area, no JPEG was there, whatever the periods of text and tables look like. Such tiles are no evidence, and photographs beside them are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

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
"""Every so many rows (of pixels, of blocks) are read for the first look."""
_FAR = 0.5
"""Part of `EXACT` that the first look must stay below to be the last: photographs have 0.05-0.15."""


def is_flat(tile: NDArray[np.uint8]) -> bool:
    """Whether most pixels of a tile (3, h, w) equal their right neighbours."""
    green = np.ascontiguousarray(tile[1, ::_ROWS])
    same = green[:, 1:] == green[:, :-1]
    return bool(np.count_nonzero(same) > FLAT * same.size)


def _by_blocks(function: np.ufunc, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The greatest or smallest value of each block of 8x8, down its columns first: (rows, columns)."""
    down = function.reduce(plane.reshape(len(plane) // 8, 8, -1), axis=1)
    found: NDArray[np.uint8] = function.reduce(down.reshape(len(down), -1, 8), axis=2)
    return found


def _exact_share(green: NDArray[np.uint8]) -> tuple[int, float]:
    """(count, share): busy blocks of whole rows of blocks, and the mean share of them that has one exact value."""
    ranges = _by_blocks(np.maximum, green) - _by_blocks(np.minimum, green)
    places = np.flatnonzero(ranges > BUSY)
    if len(places) < FEWEST:
        return len(places), 0.0
    busy = green.reshape(len(green) // 8, 8, -1, 8).swapaxes(1, 2).reshape(-1, 64)[places]
    counted = np.bincount((busy + 256 * np.arange(len(busy))[:, None]).ravel(), minlength=256 * len(busy))
    return len(places), float(counted.reshape(-1, 256).max(axis=1).mean()) / 64


def is_drawn(tile: NDArray[np.uint8]) -> bool:
    """Whether a tile (3, h, w) was drawn and never saved at less than about 92."""
    green = tile[1]
    rows, columns = green.shape[0] // 8, green.shape[1] // 8
    whole = np.ascontiguousarray(green[: rows * 8, : columns * 8])
    some = whole.reshape(rows, 8, -1)[::_ROWS].reshape(-1, columns * 8)
    count, share = _exact_share(some)
    return (count < FEWEST or share >= _FAR * EXACT) and _exact_share(whole)[1] > EXACT


def telling_origins(
    picture: Image.Image, tiles: Sequence[tuple[int, int]], size: int, count: int
) -> Iterator[tuple[int, int]]:
    """Of the origins (x, y) of tiles, most detailed first, the first `count` that were not drawn; fewer where there are no more.

    Text and flat drawings have the most detail by far, and would hide a photograph beside them: those with many equal
    neighbours come last. Only tiles up to the last that is taken are looked at.
    """
    looked_at = found = 0
    late: list[tuple[int, int]] = []
    for place, (x, y) in enumerate(itertools.chain(tiles, late)):
        tile = np.asarray(picture.crop((x, y, x + size, y + size))).transpose(2, 0, 1)
        if place < len(tiles) > count and is_flat(tile):
            late.append((x, y))
            continue
        looked_at += 1
        if not is_drawn(tile):
            yield x, y
            found += 1
        if found == count or looked_at == MOST_TILES:
            return
