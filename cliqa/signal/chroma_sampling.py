"""What chroma subsampling leaves in decoded pixels: differences of the colour planes by their phase in the 16-pixel unit.

Chroma that was stored at half resolution comes back interpolated: with plain repetition the first difference vanishes at
every second position, with the usual triangle filter the third difference does; and block edges lie 16 pixels apart, not 8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
PHASES = 16
_FLOOR = 0.02  # in pixel values, added before logarithms


def chroma_planes(rgb: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """uint8 (n, 3, h, w) -> (Y, chroma): float32 (n, h, w) and (2n, h, w), Cb's planes then Cr's, around 0."""
    wide = rgb.astype(np.float32)
    y = np.float32(0.299) * wide[:, 0] + np.float32(0.587) * wide[:, 1] + np.float32(0.114) * wide[:, 2]
    return y, np.concatenate([(wide[:, 2] - y) * np.float32(1 / 1.772), (wide[:, 0] - y) * np.float32(1 / 1.402)])


def phase_profiles(planes: Floats, x: int, y: int) -> Floats:
    """Mean |first| and |third| difference across and down, by phase in a 16-pixel unit: float32 (4, 16).

    Phases are counted from the 8x8 grid at offset (x, y); of the two possible 16-pixel grids per axis the one with the larger
    steps at its edges is taken. Rows: first across, third across, first down, third down; phase 15 is the step across an edge.
    """
    rows = []
    for axis, offset in ((2, x), (1, y)):
        count, height, width = planes.shape
        length = (width if axis == 2 else height) - 1
        sums = np.zeros((2, length), np.float32)
        for plane in planes:  # one at a time, so that it stays in the processor's cache
            turned = plane if axis == 2 else plane.T
            first = turned[:, 1:] - turned[:, :-1]
            third = first[:, 2:] - 2 * first[:, 1:-1] + first[:, :-2]
            sums[0] += np.abs(first, out=first).sum(axis=0)
            sums[1, : length - 2] += np.abs(third, out=third).sum(axis=0)
        sums /= count * (height if axis == 2 else width)
        means = []
        for line, lead in (
            (sums[0], 0),
            (sums[1, : length - 2], 1),
        ):  # a third difference is centred one step further on
            phase = (np.arange(len(line)) + lead - offset) % PHASES
            means.append(np.bincount(phase, line, PHASES) / np.maximum(np.bincount(phase, minlength=PHASES), 1))
        if means[0][7] > means[0][15]:
            means = [np.roll(mean, 8) for mean in means]
        rows += means
    return np.stack(rows).astype(np.float32)


def integer_colour(rgb: NDArray[np.uint8]) -> tuple[float, float]:
    """(share, weight): share of coloured pixels that are exactly the RGB of some integer Y, Cb, Cr, and how many are coloured.

    About a quarter of all RGB colours are; of a decoder's output nearly all.
    """
    wide = rgb.reshape(rgb.shape[0], 3, -1).astype(np.float32)
    r, g, b = wide[:, 0], wide[:, 1], wide[:, 2]
    y = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b
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


def chroma_features(rgb: NDArray[np.uint8], x: int, y: int) -> Floats:
    """float32 (86,): log phase profiles (64), contrasts (16), log mean differences of luma (2) and deviations of Cb, Cr,
    share of integer colours, share of coloured pixels.
    """
    luma, chroma = chroma_planes(rgb)
    profiles = phase_profiles(chroma, x, y)
    levels = [np.abs(np.diff(luma, axis=axis)).mean() for axis in (1, 2)]
    share, coloured = integer_colour(rgb[:2])
    energy = [np.sqrt((plane**2).mean()) for plane in (chroma[: len(rgb)], chroma[len(rgb) :])]
    extra = np.array([*np.log(np.array([*levels, *energy]) + _FLOOR), share, coloured])
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
