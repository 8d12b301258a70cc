"""Parts of a picture with a history of their own: photographs in a page, a collage or a frame, each with its own 8x8 grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import planes as channel_planes
from cliqa.signal.jpeg.blocks import DCT_MATRIX, luma
from cliqa.signal.jpeg.grid import grid_scores, horizontal_coefficients, offset_histograms

Origin = tuple[int, int]
Tile = NDArray[np.uint8]
Floats = NDArray[np.float32]

CELLS = 4
"""The picture is looked at in so many columns and rows: a part of a tenth of it covers one at least."""
CORNER = 96
"""Pixels of a tile's side that are read for its grid."""
CLEAR_GRID = 40.0
"""Nats by which a tile's grid must lead the next offset: chance alone gives less than 20."""
FEWEST = 2
"""Tiles with one grid that make a part: a tenth of the cells, rounded up."""
MOST_PARTS = 2
MORE_ZEROS = ((64, 3.0), (CORNER, 4.0))
"""Pixels of a tile's side, and deviations, as of a Poisson number, by which the zeros at one offset there must exceed the usual ones
before more is looked at. The first lets a quarter of 580 pictures through and all 32 that have parts (validation and training)."""


ZERO = 0.45
"""Coefficients smaller than this count as 0: rounding leaves a deviation of 0.3 on those that a save made so."""
ZEROED = {0: (4,), 2: (2,), 4: (0, 4)}
"""For some horizontal frequencies the vertical ones whose zeros are counted: higher ones are 0 in any smooth picture, lower seldom."""


_ZEROED = np.array([(v, u) for u, down in ZEROED.items() for v in down], np.int64)
_LONGEST = 256
"""Pixels a side of the planes that the compiled routine has room for."""


def cell_of(origin: Origin, size: tuple[int, int]) -> Origin:
    """(column, row) of the cell of a picture of that width and height in which a tile begins."""
    return origin[0] * CELLS // size[0], origin[1] * CELLS // size[1]


def spread_tiles(
    first: Mapping[Origin, Tile], others: Iterable[tuple[Origin, Tile]], size: tuple[int, int], taken: set[Origin]
) -> dict[Origin, Tile]:
    """The first telling tile in each of CELLS x CELLS cells of a picture, by its origin.

    Args:
        first: tiles by their origins, most telling first; others: more of them, from `drawn.telling_tiles`.
        size: width and height of the picture.
        taken: what that passes over: the cells that have a tile are put into it.
    """
    found: dict[Origin, Tile] = {}
    for origin, tile in chain(first.items(), others):
        if cell_of(origin, size) not in taken:
            taken.add(cell_of(origin, size))
            found[origin] = tile
    return found


def near_zeros(planes: Floats) -> NDArray[np.intp]:
    """How many coefficients are nearly 0 at each offset of each plane: (n, h, w) -> (n, 64), far cheaper than their histograms."""
    count, height, width = planes.shape
    rows, columns = (height - 7) // 8 * 8, (width - 7) // 8 * 8
    library = compiled()
    if library is not None and max(height, width) <= _LONGEST and planes.dtype == np.float32 and planes.strides[2] == 4:
        zeros = np.empty((count, 64), np.int64)
        apart, stride = (each // planes.itemsize for each in planes.strides[:2])
        shape = count, height, width, apart, stride
        library.near_zeros(planes, *shape, DCT_MATRIX, _ZEROED, len(_ZEROED), ZERO, zeros)
        return zeros
    across = horizontal_coefficients(planes, columns // 8, tuple(ZEROED))
    found = np.zeros((count, 8, columns), np.intp)
    values = np.empty((count, rows // 8, 8, columns), np.float32)
    for filtered, frequencies in zip(across, ZEROED.values(), strict=True):
        tile, down, along = filtered.strides
        stacks = as_strided(filtered, (count, rows, 8, columns), (tile, down, down, along))
        for v in frequencies:
            np.matmul(DCT_MATRIX[v], stacks, out=values.reshape(count, rows, columns))
            np.abs(values, out=values)
            found += (values < np.float32(ZERO)).view(np.uint8).sum(axis=1, dtype=np.uint8)
    by_place: NDArray[np.intp] = found.reshape(count, 8, 8, -1).sum(axis=3).reshape(count, 64)
    return by_place


def tiles_by_grid(tiles: Sequence[Tile] | Tile, known: int) -> list[NDArray[np.intp]]:
    """Which of some tiles have one clear grid together: the largest groups first.

    Args:
        tiles: uint8 (3, h, w) each, whose origins share their phase.
        known: offset index of a grid that was read already; most tiles having that one, they are no part.
    """
    for side, more in MORE_ZEROS:  # the last is `CORNER`
        planes = luma(channel_planes([tile[:, :side, :side].transpose(1, 2, 0) for tile in tiles]))
        crowded = _crowded(near_zeros(planes), more)
        if not _likely(crowded, known):
            return []
    offsets = np.array(
        [_clear_grid(plane) if offset >= 0 else -1 for plane, offset in zip(planes, crowded, strict=True)]
    )
    if not _likely(offsets, known):  # neither have the others one
        return []
    for number in np.flatnonzero(crowded < 0):
        offsets[number] = _clear_grid(planes[number])
    return _groups(offsets, known)


def _clear_grid(plane: Floats) -> int:
    """Offset of the clear grid of a plane (h, w), -1 for none."""
    scores = grid_scores(offset_histograms(plane[None]))
    ranked = np.sort(scores)
    return int(scores.argmax()) if ranked[-1] - ranked[-2] > CLEAR_GRID else -1


def _crowded(zeros: NDArray[np.intp], more: float) -> NDArray[np.intp]:
    """The offset at which the zeros (n, 64) of each tile, from `near_zeros`, crowd; -1 for none."""
    usual = np.median(zeros, axis=1)
    found: NDArray[np.intp] = np.where(
        zeros.max(axis=1) > usual + more * np.sqrt(np.maximum(usual, 4)), zeros.argmax(axis=1), -1
    )
    return found


def _likely(offsets: NDArray[np.intp], known: int) -> bool:
    """Whether the offsets of some tiles, -1 for none, let a group of them have a grid that is not known, or few the known one."""
    alike = int((offsets == known).sum())
    return bool(((offsets >= 0) & (offsets != known)).any()) or FEWEST <= alike <= len(offsets) / 2


def _groups(found: NDArray[np.intp], known: int) -> list[NDArray[np.intp]]:
    """Groups of tiles by the offset of their grid, -1 for none."""
    groups = [np.flatnonzero(found == offset) for offset in np.unique(found[found >= 0])]
    large = [
        group
        for group in groups
        if len(group) >= FEWEST and not (found[group[0]] == known and len(group) > len(found) / 2)
    ]
    return sorted(large, key=lambda group: -len(group))[:MOST_PARTS]
