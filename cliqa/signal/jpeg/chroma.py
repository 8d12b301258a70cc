"""What chroma subsampling leaves in decoded pixels: differences of the colour planes by their phase in the 16-pixel unit.

Chroma that was stored at half resolution comes back interpolated: with plain repetition the first difference vanishes at
every second position, with the usual triangle filter the third difference does; and block edges lie 16 pixels apart, not 8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.colour import LUMA32

Floats = NDArray[np.float32]
PHASES = 16  # positions in a macroblock of 4:2:0
TILES, INTEGER_TILES = 4, 2
"""How many tiles are read for the profiles, and for integer colours."""
_WIDEST = 256
"""Pixels in the rows of a plane that the compiled routine has room for."""
_FLOOR = 0.02  # in pixel values, added before logarithms; no tuning on record


def chroma_planes(rgb: NDArray[np.uint8], luma: Floats) -> Floats:
    """uint8 (n, 3, h, w) and its `blocks.luma` (n, h, w) -> float32 (2n, h, w): Cb's planes then Cr's, around 0."""
    planes = np.empty((2, *luma.shape), np.float32)
    white = luma + np.float32(128)
    np.subtract(rgb[:, 2], white, out=planes[0])
    np.subtract(rgb[:, 0], white, out=planes[1])
    planes *= np.array([1 / 1.772, 1 / 1.402], np.float32)[:, None, None, None]
    return planes.reshape(-1, *luma.shape[1:])


def phase_profiles(planes: Floats, x: int, y: int) -> Floats:
    """Mean |first| and |third| difference across and down, by phase in a 16-pixel unit: float32 (4, 16).

    Phases are counted from the 8x8 grid at offset (x, y); of the two possible 16-pixel grids per axis the one with the larger
    steps at its edges is taken. Rows: first across, third across, first down, third down; phase 15 is the step across an edge.
    """
    rows = []
    for offset, sums, lines in zip((x, y), _difference_sums(planes), planes.shape[:0:-1], strict=True):
        lines = planes.size // lines
        means = []
        for line, lead in zip(sums, (0, 1), strict=True):  # a third difference is centred one step further on
            phase = (np.arange(len(line)) + lead - offset) % PHASES
            counts = np.maximum(np.bincount(phase, minlength=PHASES), 1)
            means.append(np.bincount(phase, line, PHASES) / (counts * lines))
        if means[0][7] > means[0][15]:
            means = [np.roll(mean, 8) for mean in means]
        rows += means
    return np.stack(rows).astype(np.float32)


def _difference_sums(planes: Floats) -> list[list[NDArray[np.floating]]]:
    """Sums of |first| and of |third| differences of planes (n, h, w) over all lines, across and then down."""
    count, height, width = planes.shape
    library = compiled()
    if library is not None and min(height, width) >= 4 and width <= _WIDEST:
        planes = np.ascontiguousarray(planes)
        made = [np.zeros(length) for length in (width, width, height, height)]
        library.difference_sums(planes, count, height, width, *made)
        return [[first[:-1], third[:-3]] for first, third in (made[:2], made[2:])]
    return [_sums_along(planes, axis) for axis in (2, 1)]


def _sums_along(planes: Floats, axis: int) -> list[NDArray[np.floating]]:
    """The same along one axis (1 or 2)."""
    _, height, width = planes.shape
    length, lines = (width, height) if axis == 2 else (height, width)
    sums: list[NDArray[np.floating]] = [np.zeros(length - 1, np.float32), np.zeros(length - 3, np.float32)]
    ones = np.ones(lines, np.float32)
    for plane in planes:  # one at a time, so that it stays in the processor's cache
        turned = plane if axis == 2 else plane.T
        first = turned[:, 1:] - turned[:, :-1]
        second = first[:, 1:] - first[:, :-1]
        third = second[:, 1:] - second[:, :-1]
        sums[0] += ones @ np.abs(first, out=first)
        sums[1] += ones @ np.abs(third, out=third)
    return sums


def integer_colour(rgb: NDArray[np.uint8]) -> tuple[float, float]:
    """(share, weight): share of coloured pixels that are exactly the RGB of some integer Y, Cb, Cr, and how many are coloured.

    About a quarter of all RGB colours are; of a decoder's output nearly all.
    """
    library = compiled()
    if library is not None and rgb.flags.c_contiguous:
        found = np.zeros(2, np.int64)
        for tile in rgb.reshape(len(rgb), 3, -1):
            library.integer_colours(*tile, tile.shape[1], LUMA32, found)
        same_count, count = (int(each) for each in found)
        return (same_count / count if count else 0.0), count * 3 / rgb.size
    wide = rgb.reshape(rgb.shape[0], 3, -1).astype(np.float32)
    r, g, b = wide[:, 0], wide[:, 1], wide[:, 2]
    y = LUMA32[0] * r + LUMA32[1] * g + LUMA32[2] * b
    cb, cr = np.rint((b - y) * np.float32(1 / 1.772)), np.rint((r - y) * np.float32(1 / 1.402))
    y = np.rint(y)
    same = (
        (np.rint(y + np.float32(1.402) * cr) == r)
        & (np.rint(y + np.float32(1.772) * cb) == b)
        & (np.rint(y - np.float32(0.344136) * cb - np.float32(0.714136) * cr) == g)
    )
    coloured = (np.abs(r - g) + np.abs(b - g)) > 4
    count = int(coloured.sum())
    return (float((same & coloured).sum()) / count if count else 0.0), count / coloured.size


def chroma_features(rgb: NDArray[np.uint8], luma: Floats, x: int, y: int) -> Floats:
    """What the first few tiles uint8 (n, 3, h, w) with their `blocks.luma` (n, h, w) tell of chroma, on the grid at offset (x, y).

    Returns:
        float32 (86,): log phase profiles (64), contrasts (16), log mean differences of luma (2) and deviations of Cb, Cr,
        share of integer colours, share of coloured pixels.
    """
    rgb, luma = rgb[:TILES], luma[:TILES]
    chroma = chroma_planes(rgb, luma)
    profiles = phase_profiles(chroma, x, y)
    down, across = (
        luma[:, 1::2] - luma[:, :-1:2],
        luma[:, :, 1::2] - luma[:, :, :-1:2],
    )  # every second one tells as much
    share, coloured = integer_colour(rgb[:INTEGER_TILES])
    energy = np.sqrt(np.einsum("cp,cp->c", *[chroma.reshape(2, -1)] * 2) / luma.size)
    extra = np.array(
        [*np.log(np.array([np.abs(down).mean(), np.abs(across).mean(), *energy]) + _FLOOR), share, coloured]
    )
    logs = np.log(profiles + _FLOOR)
    return np.concatenate([logs.ravel(), _contrasts(logs), extra]).astype(np.float32)


def _contrasts(logs: Floats) -> Floats:
    """What tells most: even against odd phases inside the unit, and the middle edge against the outer one; (16,)."""
    inner = [phase for phase in range(PHASES) if phase % 8 not in (6, 7, 0)]
    even, odd = [phase for phase in inner if phase % 2 == 0], [phase for phase in inner if phase % 2]
    found = [logs[:, even].mean(axis=1) - logs[:, odd].mean(axis=1), logs[:, 7] - logs[:, 15]]
    found += [logs[:, 15] - logs[:, inner].mean(axis=1), logs[:, 7] - logs[:, inner].mean(axis=1)]
    contrasts: Floats = np.concatenate(found).astype(np.float32)
    return contrasts


FEATURES = 4 * PHASES + 16 + 6
