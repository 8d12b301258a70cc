"""The parts of a picture in which a save before a resize is looked for: luma of its middle, of its tiles and about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import reader
from cliqa.signal.colour import LUMA32
from cliqa.signal.jpeg.native_blocks import Window

Floats = NDArray[np.float32]

MARGIN = 24
"""Pixels about a tile: a native block is read from two blocks on each side of it."""
LARGEST_REGION, LARGEST_READ, SEARCHED = 1280, 896, 448
"""Sides of the parts of a large picture in which combs are sought, in which the lattice is read, and in which it is searched for:
larger ones are no clearer, and cost more."""
FEW_TILES, SEARCHED_TILES = 8, 16
"""Tiles of which a first guess is made, and which are searched where only tiles tell."""
_TOGETHER = 32
"""Rows that are made luma at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True)
class Windows:
    """Parts of a picture: a few tiles for first guesses, those that are searched, and all that is read in the end."""

    few: list[Window]
    searched: list[Window]
    all: list[Window]


def cut_regions(
    picture: Image.Image, origins: Sequence[tuple[int, int]], tile: int, whole: bool = True
) -> tuple[Window, Windows]:
    """(region, windows) for `read_resized`.

    Args:
        picture: mode RGB; origins: (x, y) of its tiles with detail, most telling first.
        whole: whether all of the picture tells, so that what lies between its tiles is read too.
    """
    region = cut_window(picture, picture.width // 2, picture.height // 2, LARGEST_REGION)
    around = tile + 2 * MARGIN
    tiles = [
        cut_window(picture, x + tile // 2, y + tile // 2, around, region)
        for x, y in origins[: len(origins) if not whole else FEW_TILES]
    ]
    if not whole:
        return region, Windows(tiles[:FEW_TILES], tiles[:SEARCHED_TILES], tiles)
    x, y = (int(place) + tile // 2 for place in np.median(np.array(origins[:FEW_TILES]), axis=0))
    searched, read = (cut_window(picture, x, y, side, region) for side in (SEARCHED, LARGEST_READ))
    return region, Windows(tiles, [searched], [read])


def thinned_region(picture: Image.Image, lines: int) -> tuple[Window, Window]:
    """The rows that are read of the region of `cut_regions`, and the columns: of at least twice as many every second, third ..."""
    left, top, right, bottom = _square(picture, picture.width // 2, picture.height // 2, LARGEST_REGION)
    pixels = reader(picture)((left, top, right, bottom))
    every_row, every_column = (max(1, length // lines) for length in pixels.shape[:2])
    return Window(luma_of(pixels[::every_row]), left, top), Window(luma_of(pixels[:, ::every_column]), left, top)


def _square(picture: Image.Image, x: int, y: int, side: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the square about (x, y), moved into the picture."""
    left, top = (
        max(0, min(place - side // 2, most - side)) for place, most in ((x, picture.width), (y, picture.height))
    )
    return left, top, min(picture.width, left + side), min(picture.height, top + side)


def cut_window(picture: Image.Image, x: int, y: int, side: int, region: Window | None = None) -> Window:
    """The square about (x, y), moved into the picture; out of the region where it lies in there."""
    left, top, right, bottom = _square(picture, x, y, side)
    if region is not None and left >= region.x and top >= region.y:
        inner = region.luma[top - region.y : bottom - region.y, left - region.x : right - region.x]
        if inner.shape == (bottom - top, right - left):
            return Window(inner, left, top)
    return Window(luma_of(reader(picture)((left, top, right, bottom))), left, top)


def luma_of(rgb: NDArray[np.uint8]) -> Floats:
    """Y minus 128 of uint8 (h, w, 3), not rounded: a resize leaves no whole numbers."""
    height, width = rgb.shape[:2]
    # Rows that lie a multiple of 4 KiB apart share few places of the processor's cache, and reading columns takes nine times as long
    luma = np.empty((height, (width // 32 * 2 + 3) * 16), np.float32)[:, :width]
    library = compiled()
    apart, step, channel = rgb.strides
    if library is not None and rgb.dtype == np.uint8 and step >= 3 and channel == 1:
        library.luma_rows(rgb, height, width, apart, step, LUMA32, 0, luma, luma.strides[0] // luma.itemsize)
        return luma
    for top in range(0, len(rgb), _TOGETHER):
        np.matmul(rgb[top : top + _TOGETHER].astype(np.float32), LUMA32, out=luma[top : top + _TOGETHER])
    luma -= 128
    return luma
