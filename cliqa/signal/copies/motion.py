"""Whether two pictures that look alike are one photograph, or two that were taken one after the other.

A copy lies in its original by a scale and a shift per axis, and one of the two shows no more than the other does. Between two frames
the camera turns a little, what is near moves more than what is far, and each shows something beyond the other's border. So the pictures
are aligned by scale and shift as well as they can be, and what a turn and a shear would still explain is compared with what codecs and
tones leave. What has gone from one place and appears in another, lighter
here and darker there, is a subject that moved; a watermark is lighter, or darker, everywhere. Pictures are grey squares of SIDE pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.copies.placement import blurs, placed, sampled

SIDE = 96  # pixels; 64 see half as much of a small turn, 128 cost twice as much
BATCH = 16  # pairs at a time: what is computed of more is no longer in a processor's cache

# Chosen on 36 training photographs: simulated frames of them (benchmarks/burst_frames.py) and eight kinds of copies.
TURNED = 0.0007  # of a side that a turn or shear moves the border by; half of that of 0.1 degrees
TURN_SURE = 4.0  # standard errors; 99 % of copies stay below, 95 % of frames 0.1-0.5 % apart are above
BEYOND = 0.0008  # of a side that each shows beyond the other; copies reach 0.0007
BEYOND_SURE = 2.0  # standard errors
LESS_SURE = 40.0  # standard errors more for each share of the details that differs: strong tones bend them
# Standard errors more for each share of the pixels that one has clipped and the other not: it moves edges
LESS_SURE_CLIPPED = 25.0
DARK, LIGHT = 4, 251  # levels beyond which a pixel counts as clipped
CHANGED = 0.05  # share of the details that differs from which it is asked where
LOST = 0.55  # share of the details that differs beyond which tones have taken most of them
BALANCE = 0.15  # of what became darker to what became lighter, or the other way; 0 for watermarks
CHANGED_AREA = 0.005  # of the picture that has to be lighter or darker

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """For each pair, bool (n,): `turned`, the camera was; `beyond`, each shows what the other doesn't; `moved`, a part did."""

    turned: NDArray[np.bool_]
    beyond: NDArray[np.bool_]
    moved: NDArray[np.bool_]


def motion(first: NDArray[np.uint8], second: NDArray[np.uint8], boxes: Floats) -> Motion:
    """What happened between pairs of pictures, best BATCH of them at a time.

    Args:
        first, second: uint8 (n, SIDE, SIDE).
        boxes: (n, 4), where the second lies in the first, as `alignment.Alignment.box`, to a few pixels.
    """
    start = np.stack([boxes[:, 2] - boxes[:, 0], boxes[:, 0], boxes[:, 3] - boxes[:, 1], boxes[:, 1]], 1)
    found = placed(first, second, start)
    less_sure = LESS_SURE * found.rest + LESS_SURE_CLIPPED * np.abs(_clipped(first) - _clipped(second))
    turned = (found.turn >= TURNED) & (found.turn_sure >= TURN_SURE + less_sure)
    beyond = (found.beyond >= BEYOND) & (found.beyond >= (BEYOND_SURE + less_sure) * found.beyond_error)
    moved = np.zeros(len(boxes), bool)
    for index in np.flatnonzero((found.rest >= CHANGED) & ~turned & (found.rest <= LOST)):
        moved[index] = _part_moved(first[index], second[index], found.place[index])
    return Motion(turned, beyond, moved)


def _clipped(pictures: NDArray[np.uint8]) -> Floats:
    """The share of pixels that are black or white."""
    result: Floats = ((pictures < DARK) | (pictures > LIGHT)).mean((1, 2), dtype=np.float32)
    return result


def _part_moved(first: NDArray[np.uint8], second: NDArray[np.uint8], place: Floats) -> bool:
    """Whether some of a picture has become lighter and some darker than a tone curve explains, beyond what noise does."""
    value, inside = sampled(first.astype(np.float32)[None], place[None])
    both = inside[0] > 0
    before, after = value[0][both], second[both].astype(np.float32)
    if len(before) < 1000:
        return False
    changed = np.zeros((SIDE, SIDE), np.float32)
    changed[both] = after - _toned(before, after)
    noise = 1.48 * float(np.median(np.abs(changed[both]))) + 1.0
    narrow = blurs(SIDE)[0]
    changed = narrow @ changed @ narrow.T
    out = both & (np.abs(changed) > max(4 * noise, 8.0))
    lighter, darker = float(changed[out & (changed > 0)].sum()), -float(changed[out & (changed < 0)].sum())
    return bool(out.sum() >= CHANGED_AREA * both.sum() and min(lighter, darker) >= BALANCE * max(lighter, darker))


def _toned(before: Floats, after: Floats) -> Floats:
    """`before` through the quadratic tone curve that most of the pixels follow: least squares, outliers reweighted.

    A freer curve would follow a watermark that covers most of what has one tone.
    """
    x = (before - 128.0) / 64.0
    terms = np.stack([np.ones_like(x), x, x * x], 1)
    weight = np.ones_like(x)
    curve = before
    for _ in range(6):
        root = np.sqrt(weight)
        curve = terms @ np.linalg.lstsq(terms * root[:, None], after * root, rcond=None)[0]
        rest = after - curve
        scale = 1.48 * float(np.median(np.abs(rest))) + 1.0
        weight = 1 / (1 + (rest / (2 * scale)) ** 2) ** 2
    return np.asarray(curve, np.float32)
