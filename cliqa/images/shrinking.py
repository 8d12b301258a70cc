"""A picture made smaller or grey by compiled routines, to the bytes that Pillow gives: its cubic `resize` with `reducing_gap`, `reduce`
and `convert`.

Pillow keeps four bytes a pixel and weighs one pixel after the other; the routines read the three bytes of up to 32 rows at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.library import compiled

Size = tuple[int, int]  # width, height

GAP = 2.0  # of Pillow's `reducing_gap`: whole pixels are averaged first as long as twice the size is left
_ROWS = 32  # that the routine reads at once
_MOST_AVERAGED = 256  # pixels whose sum it can hold
_UPRIGHT = 1.9
"""Times the lost width that the lost height may be: from 2 on Pillow 13 takes the columns first, which rounds differently."""


def can_shrink(have: Size, want: Size) -> bool:
    """Whether a routine is there that shrinks such a picture as Pillow does."""
    across, down = _first_averaged(have, want)
    width, height = have[0] // across, have[1] // down
    upright = height - want[1] > _UPRIGHT * (width - want[0])
    return compiled() is not None and height >= _ROWS and across * down <= _MOST_AVERAGED and not upright


def shrink(pixels: NDArray[np.uint8], want: Size) -> NDArray[np.uint8]:
    """uint8 (h, w, 3), of which the rows may lie apart -> uint8 (height, width, 3).

    Raises MemoryError, and ValueError where `can_shrink` says no or pixels are not packed.
    """
    have = pixels.shape[1], pixels.shape[0]
    library = compiled()
    if library is None or not can_shrink(have, want):
        raise ValueError(f"no routine for {have} to {want}")
    across, down = _first_averaged(have, want)
    if across * down > 1:
        reduced = np.empty((-(-have[1] // down), -(-have[0] // across), 3), np.uint8)
        _call(library.shrink_whole, pixels, 3, down, across, reduced)
        pixels = reduced
    shrunk = np.empty((want[1], want[0], 3), np.uint8)
    _call(library.shrink_cubic, pixels, have[1] / down, have[0] / across, shrunk, want[1], want[0])
    return shrunk


def grey_levels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of uint8 (h, w, 3), of which the rows may lie apart: uint8 (h, w), the same as mode L of Pillow."""
    library = compiled()
    if library is None:
        return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))
    grey = np.empty(pixels.shape[:2], np.uint8)
    _call(library.grey_levels, pixels, grey)
    return grey


def averaged(plane: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """uint8 (h, w) -> means of `factor` x `factor` pixels, 2-16, fewer at the right and lower edge."""
    library = compiled()
    if library is None:
        return np.asarray(Image.fromarray(plane).reduce(factor))
    means = np.empty([-(-side // factor) for side in plane.shape], np.uint8)
    _call(library.shrink_whole, plane, 1, factor, factor, means)
    return means


def _first_averaged(have: Size, want: Size) -> Size:
    """How many pixels across and down become one first."""
    return int(have[0] / want[0] / GAP) or 1, int(have[1] / want[1] / GAP) or 1


def _call(routine: Any, pixels: NDArray[np.uint8], *others: object) -> None:
    """Call a routine for pixels whose rows may lie apart."""
    if pixels.dtype != np.uint8 or pixels.strides[1:] not in ((3, 1), (1,)):
        raise ValueError(f"a routine reads rows of packed bytes, not {pixels.dtype} {pixels.strides}")
    if routine(pixels, pixels.strides[0], *pixels.shape[:2], *others):
        raise MemoryError("not enough memory to shrink a picture")
