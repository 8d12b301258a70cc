"""A white ground: the paper of a page or of a drawing, what a product was cut out on. It is no highlight that was lost.

Light that overflows fades towards the clip, through all values below it. A ground has one value, lies around its subject, and ends in
a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.exposure.tones import SIDE

WHITE = 253  # of the darkest channel: what JPEG leaves of 255 away from edges
NEAR_WHITE = (232, 251)  # luma that a fade goes through; a step's ringing touches it
LEAST_OF_A_SIDE = 0.1  # share of each of the four sides: a blown sky has no lower one, a subject may reach over a side
MOST = 0.97  # share of the picture: an empty page may as well be a frame of nothing but light
# Share of the cells around it that are fades. Of 85 photographs that are white along all sides, nearly all of them over-exposed, the
# least has 0.128; of 40 cut-outs made for this four in five have less, saved as JPEG 75, and nine in ten at 92
MOST_FADES = 0.12
# What is left is over-exposed itself where more of it than this share has lost a channel, not all, and its median of luma is this high.
# Of 35 over-exposed validation photographs (1-4 EV) that pass for a ground without it 28 are told so, of 551 well exposed cut-outs none
LEAST_CLIPPED, LEAST_BRIGHT = 0.09, 140

Mask = NDArray[np.bool_]


def white_ground(pixels: NDArray[np.uint8]) -> tuple[Mask, Mask] | None:
    """Where the ground of a picture is, or None where it has none.

    Args:
        pixels: uint8 (height, width, 3).

    Returns:
        The ground's pixels, bool (height, width), and the cells that are nothing else, bool (SIDE, SIDE).
    """
    height, width = pixels.shape[:2]
    if min(height, width) < SIDE:
        return None
    darkest = np.minimum(
        np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]
    )  # a reduction takes five times as long
    least = _by_cell(np.minimum, darkest)
    cells = _connected(least >= WHITE, _border(least.shape))
    sides = [side.mean() for side in (cells[0], cells[-1], cells[:, 0], cells[:, -1])]
    if min(sides) < LEAST_OF_A_SIDE or cells.mean() > MOST or _fades(pixels, cells) > MOST_FADES:
        return None
    # From its cells it goes on between lines of text, through cells that hold some of it
    reached = _connected(_by_cell(np.maximum, darkest) >= WHITE, cells)
    rows, columns = (np.arange(extent) * SIDE // extent for extent in (height, width))
    ground = (darkest >= WHITE) & reached[rows[:, None], columns]
    return None if _overexposed(pixels[~ground]) else (ground, cells)


def _overexposed(subject: NDArray[np.uint8]) -> bool:
    """Whether too much light fell on what is no ground, uint8 (pixels, 3): it takes one channel before the others."""
    if not len(subject):
        return True
    red, green, blue = (subject[:, channel] >= WHITE for channel in range(3))
    clipped = (red | green | blue) & ~(red & green & blue)
    return bool(clipped.mean() > LEAST_CLIPPED and np.median(_luma(subject)) > LEAST_BRIGHT)


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """BT.601 luma, 0-255, of pixels (..., 3)."""
    luma: NDArray[np.uint32] = (pixels @ np.array([19595, 38470, 7471], np.uint32)) >> np.uint32(16)
    return luma


def _fades(pixels: NDArray[np.uint8], cells: Mask) -> float:
    """Share of the cells around a ground that hold little but values near white, 0-1."""
    luma = _luma(pixels)
    low, high = NEAR_WHITE
    other, near = (_by_cell(np.add, ((luma >= least) & (luma <= high)).astype(np.int32)) for least in (0, low))
    fade = (near > 0.5 * other) & (other > 0.25 * luma.size / SIDE**2)
    around = _grown(cells) & ~cells
    return float(fade[around].mean()) if around.any() else 0.0


def _by_cell(function: np.ufunc, plane: NDArray[Any]) -> NDArray[np.int64]:
    """(height, width) -> (SIDE, SIDE), reduced."""
    rows, columns = (-(-np.arange(SIDE) * extent // SIDE) for extent in plane.shape)
    reduced: NDArray[np.int64] = function.reduceat(function.reduceat(plane, rows, axis=0), columns, axis=1)
    return reduced


def _border(shape: tuple[int, ...]) -> Mask:
    mask = np.ones(shape, np.bool_)
    mask[1:-1, 1:-1] = False
    return mask


def _grown(mask: Mask) -> Mask:
    """With the eight neighbours of each cell."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]


def _connected(mask: Mask, seed: Mask) -> Mask:
    """The part of a mask that hangs together with a seed."""
    found = mask & seed
    while True:
        more = _grown(found) & mask
        if (more == found).all():
            return found
        found = more
