"""Parts of a picture with a history of their own: photographs in a page, a collage or a frame, each with its own 8x8 grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.grid import grid_scores, offset_histograms

CELLS = 4
"""The picture is looked at in so many columns and rows: a part of a tenth of it covers one at least."""
CORNER = 96
"""Pixels of a tile's side that are read for its grid."""
CLEAR_GRID = 40.0
"""Nats by which a tile's grid must lead the next offset: chance alone gives less than 20."""
FEWEST = 2
"""Tiles with one grid that make a part: a tenth of the cells, rounded up."""
MOST_PARTS = 2


def spread_origins(origins: Sequence[tuple[int, int]], width: int, height: int) -> list[tuple[int, int]]:
    """The first of the origins (x, y), most telling first, in each of CELLS x CELLS cells of the picture."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for x, y in origins:
        found.setdefault((x * CELLS // width, y * CELLS // height), (x, y))
    return list(found.values())


def tiles_by_grid(rgb: NDArray[np.uint8], known: int) -> list[NDArray[np.intp]]:
    """Which of some tiles have one clear grid together: the largest groups first.

    Args:
        rgb: tiles uint8 (n, 3, h, w) whose origins share their phase.
        known: offset index of a grid that was read already; most tiles having that one, they are no part.
    """
    offsets = []
    for tile in rgb:
        scores = grid_scores(offset_histograms(luma(tile[None, :, :CORNER, :CORNER])))
        ranked = np.sort(scores)
        offsets.append(int(scores.argmax()) if ranked[-1] - ranked[-2] > CLEAR_GRID else -1)
    found = np.array(offsets)
    groups = [np.flatnonzero(found == offset) for offset in np.unique(found[found >= 0])]
    large = [
        group
        for group in groups
        if len(group) >= FEWEST and not (found[group[0]] == known and len(group) > len(found) / 2)
    ]
    return sorted(large, key=lambda group: -len(group))[:MOST_PARTS]
