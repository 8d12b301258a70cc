"""Which tiles of a picture tell how sharp it is, at its own size and at half of it.

Fine tiles are where the picture has its steepest edges: a picture is as sharp as its sharpest part. Coarse tiles show 128 pixels at
half the size, wide enough for strong blur, and are spread over the picture, so that they tell how much of it is sharp.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled

TILE = 64  # pixels a side
FINE = 20  # tiles at full size
SPREAD = 4  # coarse tiles a side of the picture: one for each of 4 x 4 parts
LEAST = 2 * TILE  # pixels a side that a picture must have, or is mirrored out to

Bytes = NDArray[np.uint8]
Places = NDArray[np.intp]


def steepness(half: Bytes, side: int, power: int) -> NDArray[np.float32]:
    """Mean over each whole tile of the gradient to the power of 2 or 4; float32 (rows, columns).

    Args:
        half: grey at half the size of the tiles' own, uint8 (height, width).
        side: of a tile in `half`.
        power: 2 for how much structure there is, 4 for where the steepest edges are.
    """
    rows, columns = half.shape[0] // side, half.shape[1] // side
    whole = half[: rows * side, : columns * side]
    plain = compiled() is None or whole.strides[1] != 1
    sums = _column_sums(whole, side, power) if plain else _compiled_column_sums(whole, side, power)
    return np.asarray(sums.reshape(rows, columns, side).sum(axis=2) / np.float32(side * side), np.float32)


def _column_sums(whole: Bytes, side: int, power: int) -> NDArray[np.float32]:
    """The gradient to that power, summed down the columns of each tile: float32 (rows of tiles, width)."""
    rows = len(whole) // side
    found = np.empty((rows, whole.shape[1]), np.float32)
    for row in range(rows):  # a row of tiles at a time stays in the processor's cache
        top = row * side
        last = row == rows - 1
        strip = whole[top : top + side + (not last)].astype(np.float32)
        grey = strip[:side]
        across, squares = np.zeros_like(grey), np.zeros_like(grey)
        np.subtract(grey[:, 1:], grey[:, :-1], out=across[:, :-1])
        np.subtract(strip[1:], strip[:-1], out=squares[: len(strip) - 1])
        squares *= squares
        across *= across
        squares += across
        if power == 4:
            squares *= squares
        found[row] = squares.sum(axis=0)
    return found


def _compiled_column_sums(whole: Bytes, side: int, power: int) -> NDArray[np.float32]:
    """The same."""
    library, (height, width) = compiled(), whole.shape
    assert library is not None
    found = np.empty((height // side, width), np.float32)
    library.steep_columns(whole, whole.strides[0], height, width, side, power == 4, found)
    return found


def steepest(values: NDArray[np.float32], count: int) -> Places:
    """(n, 2) row and column of the `count` highest, highest first, ties by place."""
    order = np.argsort(-values, axis=None, kind="stable")[:count]
    return np.stack(np.unravel_index(order, values.shape), axis=1)


def spread(values: NDArray[np.float32], parts: int) -> Places:
    """(n, 2) row and column of the highest in each of `parts` x `parts` parts, row by row; fewer where there are fewer tiles."""
    rows, columns = (np.array_split(np.arange(length), min(parts, length)) for length in values.shape)
    found = []
    for some_rows in rows:
        for some_columns in columns:
            part = values[some_rows[0] : some_rows[-1] + 1, some_columns[0] : some_columns[-1] + 1]
            row, column = divmod(int(part.argmax()), part.shape[1])
            found.append((some_rows[0] + row, some_columns[0] + column))
    return np.array(found, dtype=np.intp)


def cut(plane: Bytes, places: Places) -> Bytes:
    """The tiles at (row, column) of the grid of `TILE` pixels: uint8 (n, TILE, TILE)."""
    rows, columns = plane.shape[0] // TILE, plane.shape[1] // TILE
    grid = plane[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    return np.ascontiguousarray(grid[places[:, 0], :, places[:, 1]])


def choose_tiles(grey: Bytes, half: Bytes, quarter: Bytes) -> tuple[Bytes, NDArray[np.bool_]]:
    """The tiles that are looked at.

    Args:
        grey, half, quarter: the picture in grey at its own size (at least `LEAST` pixels a side), half and a quarter of it, uint8.

    Returns:
        Tiles, uint8 (n, TILE, TILE), the fine ones first, and which of them are coarse, bool (n,).
    """
    fine = cut(grey, steepest(steepness(half[: grey.shape[0] // 2, : grey.shape[1] // 2], TILE // 2, 4), FINE))
    # A reduced picture's last row may be a part of one
    whole = tuple(length // TILE * (TILE // 2) for length in half.shape)
    coarse = cut(half, spread(steepness(quarter[: whole[0], : whole[1]], TILE // 2, 2), SPREAD))
    return np.concatenate([fine, coarse]), np.arange(len(fine) + len(coarse)) >= len(fine)
