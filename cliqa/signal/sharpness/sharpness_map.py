"""Where a picture is sharp: the blur of each of its parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.sharpness.features import tile_features
from cliqa.signal.sharpness.reading import SharpnessNetworks
from cliqa.signal.sharpness.tiles import TILE, Bytes, cut, spread, steepness

PARTS = 32  # most cells a side: a thousand tiles take a tenth of a second
WIDE = 3.0  # pixels: from there on the tile at half the size knows better


def sharpness_map(grey: Bytes, half: Bytes, quarter: Bytes, networks: SharpnessNetworks) -> NDArray[np.float32]:
    """The blur of each part of a picture in pixels, nan where nothing tells it.

    Args:
        grey, half, quarter: the picture in grey at its own size, half and a quarter of it, as for `choose_tiles`.
        networks: what reads the tiles.

    Returns:
        float32 (rows, columns), a cell for 64 x 64 pixels; at most 32 cells a side, each told by its steepest tile.
    """
    rows, columns = grey.shape[0] // TILE, grey.shape[1] // TILE
    values = steepness(half[: grey.shape[0] // 2, : grey.shape[1] // 2], TILE // 2, 4)
    fine = spread(values, PARTS)
    wide = np.minimum(fine // 2, (half.shape[0] // TILE - 1, half.shape[1] // TILE - 1))
    coarse, again = np.unique(wide, axis=0, return_inverse=True)
    tiles = np.concatenate([cut(grey, fine), cut(half, coarse)])
    features, _ = tile_features(tiles, np.arange(len(tiles)) >= len(fine))
    blur, tells = networks.tiles(features)
    wide_blur, wide_tells = (part[len(fine) :][again.ravel()] for part in (blur, tells))
    blur, tells = blur[: len(fine)], tells[: len(fine)]
    chosen = (wide_blur > WIDE) & (wide_tells >= 0.5)
    blur, tells = np.where(chosen, wide_blur, blur), np.where(chosen, wide_tells, tells)
    shape = min(rows, PARTS), min(columns, PARTS)
    return np.where(tells >= 0.5, blur, np.nan).astype(np.float32).reshape(shape)
