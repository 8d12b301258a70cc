"""Parts of a picture with a history of their own: photographs in a page, a collage or a frame, each with its own 8x8 grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.grid import grid_scores, near_zeros, offset_histograms

Origin = tuple[int, int]
Tile = NDArray[np.uint8]

CELLS = 4
"""The picture is looked at in so many columns and rows: a part of a tenth of it covers one at least."""
CORNER = 96
"""Pixels of a tile's side that are read for its grid."""
CLEAR_GRID = 40.0
"""Nats by which a tile's grid must lead the next offset: chance alone gives less than 20."""
FEWEST = 2
"""Tiles with one grid that make a part: a tenth of the cells, rounded up."""
MOST_PARTS = 2
MORE_ZEROS = 4.0
"""Deviations, as of a Poisson number, by which the zeros at one offset must exceed the usual ones before histograms are made."""


def cell_of(origin: Origin, size: tuple[int, int]) -> Origin:
    """(column, row) of the cell of a picture of that width and height in which a tile begins."""
    return origin[0] * CELLS // size[0], origin[1] * CELLS // size[1]


def spread_tiles(
    first: Mapping[Origin, Tile], others: Iterable[tuple[Origin, Tile]], size: tuple[int, int], taken: set[Origin]
) -> list[Tile]:
    """The first telling tile in each of CELLS x CELLS cells of a picture.

    Args:
        first: tiles by their origins, most telling first; others: more of them, from `drawn.telling_tiles`.
        size: width and height of the picture.
        taken: what that passes over: the cells that have a tile are put into it.
    """
    found: dict[Origin, Tile] = {}
    for origin, tile in chain(first.items(), others):
        cell = cell_of(origin, size)
        found.setdefault(cell, tile)
        taken.add(cell)
    return list(found.values())


def tiles_by_grid(rgb: NDArray[np.uint8], known: int) -> list[NDArray[np.intp]]:
    """Which of some tiles have one clear grid together: the largest groups first.

    Args:
        rgb: tiles uint8 (n, 3, h, w) whose origins share their phase.
        known: offset index of a grid that was read already; most tiles having that one, they are no part.
    """
    planes = luma(rgb[:, :, :CORNER, :CORNER])
    if not _likely(near_zeros(planes), known):
        return []
    offsets = []
    for plane in planes:
        scores = grid_scores(offset_histograms(plane[None]))
        ranked = np.sort(scores)
        offsets.append(int(scores.argmax()) if ranked[-1] - ranked[-2] > CLEAR_GRID else -1)
    return _groups(np.array(offsets), known)


def _likely(zeros: NDArray[np.intp], known: int) -> bool:
    """Whether zeros (n, 64) of some tiles by offset, from `near_zeros`, let a group of them have a clear grid that is not known."""
    usual = np.median(zeros, axis=1, keepdims=True)
    most = zeros.argmax(axis=1)
    clear = zeros.max(axis=1) > (usual + MORE_ZEROS * np.sqrt(np.maximum(usual, 4)))[:, 0]
    alike = int((clear & (most == known)).sum())
    return bool((clear & (most != known)).any()) or FEWEST <= alike <= len(zeros) / 2


def _groups(found: NDArray[np.intp], known: int) -> list[NDArray[np.intp]]:
    """Groups of tiles by the offset of their grid, -1 for none."""
    groups = [np.flatnonzero(found == offset) for offset in np.unique(found[found >= 0])]
    large = [
        group
        for group in groups
        if len(group) >= FEWEST and not (found[group[0]] == known and len(group) > len(found) / 2)
    ]
    return sorted(large, key=lambda group: -len(group))[:MOST_PARTS]
