"""Parts of a picture that were drawn and never compressed: text, flat colour, line art, whose background is the same to the last bit.

A save at less than about 92 rings about every edge. So where blocks with strong edges still hold one exact colour over much of their
area, no JPEG was there, whatever the periods of text and tables look like. Such tiles are no evidence, and photographs beside them are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import reader

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
_TOGETHER = 8
"""Tiles that are looked at together."""
_WIDEST = 1024
"""Pixels in the rows of a tile that the compiled routine has room for."""
_FAR = 0.5
"""Part of `EXACT` that the first look must stay below to be the last: photographs have 0.05-0.15."""


def _flat(greens: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether most pixels of each of some planes (n, h, w) equal their right neighbours."""
    some = greens[:, ::_ROWS]
    same = some[:, :, 1:] == some[:, :, :-1]
    flat: NDArray[np.bool_] = np.count_nonzero(same, axis=(1, 2)) > FLAT * same[0].size
    return flat


def _exact_shares(greens: NDArray[np.uint8], every: int = 1) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """(counts, shares): busy blocks of planes (n, h, w), and the mean share of them that has one exact value; 0 for too few.

    `every`: so many rows of blocks apart are those that are looked at.
    """
    count, height, width = greens.shape
    rows, columns = height // 8, width // 8
    blocks = greens[:, : rows * 8, : columns * 8].reshape(count, rows, 8, columns * 8)[:, ::every]
    most, least = (_by_blocks(function, blocks) for function in (np.maximum, np.minimum))
    busy = most - least > BUSY
    counts = busy.sum(axis=(1, 2))
    picked = blocks.reshape(count, -1, 8, columns, 8).swapaxes(2, 3)[busy].reshape(-1, 64)
    counted = np.bincount((picked + 256 * np.arange(len(picked))[:, None]).ravel(), minlength=256 * len(picked))
    largest = counted.reshape(-1, 256).max(axis=1) if len(picked) else np.zeros(0)
    totals = np.bincount(np.repeat(np.arange(count), counts), largest, count)
    return counts, np.where(counts < FEWEST, 0.0, totals / (64 * np.maximum(counts, 1)))


def _by_blocks(function: np.ufunc, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The greatest or smallest value of each block of rows of blocks (n, rows, 8, w), down its columns first: (n, rows, columns)."""
    down = function.reduce(rows, axis=2)
    found: NDArray[np.uint8] = function.reduce(down.reshape(*down.shape[:2], -1, 8), axis=3)
    return found


def _look(
    tiles: Sequence[NDArray[np.uint8]], every: int
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.float64]]:
    """`_flat` and `_exact_shares` of the green of some tiles (3, h, w) of one size."""
    _, height, width = tiles[0].shape
    library = compiled()
    if library is None or width > _WIDEST:
        greens = np.stack([tile[1] for tile in tiles])
        return _flat(greens), *_exact_shares(greens, every)
    found = np.empty((len(tiles), 3), np.int64)
    for tile, numbers in zip(tiles, found, strict=True):
        apart, step = tile.strides[1:]
        library.look_at_tile(tile[1], height, width, step, apart, every, numbers)
    same, counts, largest = found.T
    shares = np.where(counts < FEWEST, 0.0, largest / (64 * np.maximum(counts, 1)))
    return same > FLAT * (-(-height // _ROWS) * (width - 1)), counts, shares


def is_drawn(tile: NDArray[np.uint8]) -> bool:
    """Whether a tile (3, h, w) was drawn and never saved at less than about 92."""
    return bool(_look([tile], 1)[2][0] > EXACT)


def telling_tiles(
    picture: Image.Image,
    tiles: Sequence[tuple[int, int]],
    side: int,
    count: int,
    passed_over: Callable[[tuple[int, int]], bool] = lambda _: False,
) -> Iterator[tuple[tuple[int, int], NDArray[np.uint8]]]:
    """Of the origins (x, y) of tiles, most detailed first, the first `count` that were not drawn; fewer where there are no more.

    Text and flat drawings have the most detail by far, and would hide a photograph beside them: those with many equal
    neighbours come last. Tiles beyond the last that is taken are hardly looked at.
    Each comes with its pixels, uint8 (3, side, side), to be read only.
    Origins that are `passed_over` when their turn comes count as taken, and are not looked at.
    """
    read = reader(picture)
    looked_at = found = 0
    late: list[tuple[int, int]] = []
    for origins, whole in ((tiles, len(tiles) <= count), (late, True)):
        for first in range(0, len(origins), _TOGETHER):
            turn = origins[first : first + _TOGETHER]
            group = [origin for origin in turn if not passed_over(origin)]
            looked_at, found = looked_at + len(turn) - len(group), found + len(turn) - len(group)
            if not group:
                continue
            cut = [read((x, y, x + side, y + side)).transpose(2, 0, 1) for x, y in group]
            flat, counts, shares = _look(cut, _ROWS)
            if whole:
                flat[:] = False
            doubtful = (counts < FEWEST) | (shares >= _FAR * EXACT)
            for origin, tile, put_off, ask in zip(group, cut, flat, doubtful, strict=True):
                if put_off:
                    late.append(origin)
                    continue
                looked_at += 1
                if not (ask and is_drawn(tile)):
                    yield origin, tile
                    found += 1
                if found >= count or looked_at >= MOST_TILES:
                    return
