"""Whether two pictures that look alike are one photograph, or two that were taken one after the other.

A copy lies in its original by a scale and a shift per axis, and one of the two shows no more than the other does. Between two frames
the camera turns a little, what is near moves more than what is far, and each shows something beyond the other's border. So the pictures
are aligned by scale and shift as well as they can be, in blocks by Gauss-Newton steps (Lucas and Kanade 1981), and what a turn and a
shear would still explain is compared with what codecs and tones leave. What has gone from one place and appears in another, lighter
here and darker there, is a subject that moved; a watermark is lighter, or darker, everywhere. Pictures are grey squares of SIDE pixels.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.copies.alignment import gaussian_matrix

SIDE = 96  # pixels; 64 see half as much of a small turn, 128 cost twice as much
BLOCKS = 8  # a side
FINE, COARSE = 1.0, 5.0  # pixels between which details lie; light and tone curves change them little
MARGIN = 6  # pixels of each border that don't count: there a blur doesn't see the same in a crop
STEPS = 4  # Gauss-Newton steps; more move nothing
STILL = 0.01  # pixels; who moves less than that has arrived
BATCH = 64  # pairs at a time: more take memory and no less time
THREADS = 2  # batches at a time: NumPy computes without the interpreter's lock

# Chosen on 36 training photographs: simulated frames of them (benchmarks/burst_frames.py) and eight kinds of copies.
TURNED = 0.0007  # of a side that a turn or shear moves the border by; half of that of 0.1 degrees
TURN_SURE = 4.0  # standard errors; 99 % of copies stay below, 95 % of frames 0.1-0.5 % apart are above
BEYOND = 0.0008  # of a side that each shows beyond the other; copies reach 0.0007
BEYOND_SURE = 2.0  # standard errors
LESS_SURE = 40.0  # standard errors more for each share of the details that differs: strong tones bend them
LESS_SURE_CLIPPED = (
    25.0  # standard errors more for each share of the pixels that one has clipped and the other not: it moves edges
)
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
    """What happened between pairs of pictures.

    Args:
        first, second: uint8 (n, SIDE, SIDE).
        boxes: (n, 4), where the second lies in the first, as `alignment.Alignment.box`, to a few pixels.
    """
    starts = range(0, len(first), BATCH)

    def some(start: int) -> tuple[NDArray[np.bool_], ...]:
        part = slice(start, start + BATCH)
        return _motion(first[part], second[part], boxes[part])

    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(some, starts))
    return Motion(*(np.concatenate([np.zeros(0, bool), *(part[place] for part in parts)]) for place in range(3)))


def _motion(
    first: NDArray[np.uint8], second: NDArray[np.uint8], boxes: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    one, two = _details(first), _details(second)
    place = np.stack([boxes[:, 2] - boxes[:, 0], boxes[:, 0], boxes[:, 3] - boxes[:, 1], boxes[:, 1]], 1).astype(
        np.float32
    )
    blocks = _blocks(one, two, place)
    moving = np.arange(len(place))
    for _ in range(STEPS):
        step = np.clip(_solved(blocks[moving], _PLACE)[0], -2, 2)
        away = np.abs(step).max(1) > STILL
        moving = moving[away]
        if not len(moving):
            break
        place[moving] += step[away] / SIDE
        blocks[moving] = _blocks(one[moving], two[moving], place[moving])
    rest = blocks[:, 5].sum(1) / np.maximum(blocks[:, 6].sum(1), 1e-6)
    less_sure = LESS_SURE * rest + LESS_SURE_CLIPPED * np.abs(_clipped(first) - _clipped(second))
    _, spread = _solved(blocks, _PLACE)
    turn, turn_spread = _solved(blocks, _TURN)
    crossed, within = turn[:, 4:], turn_spread[:, 4:, 4:]
    sure = np.sqrt(np.maximum(0, (crossed[:, None] @ np.linalg.solve(within, crossed[..., None]))[:, 0, 0]))
    turned = (np.hypot(*crossed.T) / np.sqrt(2) / SIDE >= TURNED) & (sure >= TURN_SURE + less_sure)
    beyond, error = _beyond(place), _border_error(spread) / SIDE
    moved = np.zeros(len(place), bool)
    for index in np.flatnonzero((rest >= CHANGED) & ~turned & (rest <= LOST)):
        moved[index] = _part_moved(first[index], second[index], place[index])
    return turned, (beyond >= BEYOND) & (beyond >= (BEYOND_SURE + less_sure) * error), moved


def _clipped(pictures: NDArray[np.uint8]) -> Floats:
    """The share of pixels that are black or white."""
    result: Floats = ((pictures < DARK) | (pictures > LIGHT)).mean((1, 2), dtype=np.float32)
    return result


def _beyond(place: Floats) -> Floats:
    """How far each of both shows something beyond the other's border, the lesser of the two, in shares of a side."""
    low, high = place[:, 1::2], place[:, 1::2] + place[:, ::2] - 1
    second = np.maximum(np.maximum(-low, high), 0).max(1)
    first = np.maximum(np.maximum(low, -high), 0).max(1)
    result: Floats = np.minimum(first, second)
    return result


def _border_error(spread: Floats) -> Floats:
    """The largest standard error of a border's place, in pixels."""
    variances = []
    for scale, shift in ((0, 1), (2, 3)):
        variances.append(spread[:, shift, shift])
        variances.append(spread[:, scale, scale] + spread[:, shift, shift] + 2 * spread[:, scale, shift])
    result: Floats = np.sqrt(np.maximum(0, np.max(variances, 0)))
    return result


_CENTRES = ((np.arange(BLOCKS, dtype=np.float32) + 0.5) / BLOCKS).astype(np.float32)
_ACROSS, _DOWN = (axis.ravel() for axis in np.meshgrid(_CENTRES, _CENTRES))
_ONE, _NONE = np.ones_like(_ACROSS), np.zeros_like(_ACROSS)
# How each parameter moves a block: rightwards, and downwards. Scale and shift of x and of y; then what a turn and a shear add.
_PLACE = (np.stack([_ACROSS, _ONE, _NONE, _NONE]), np.stack([_NONE, _NONE, _DOWN, _ONE]))
_TURN = (np.concatenate([_PLACE[0], [_DOWN - 0.5, _NONE]]), np.concatenate([_PLACE[1], [_NONE, _ACROSS - 0.5]]))


def _solved(blocks: Floats, moves: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """The parameters that explain the error best, (n, k) in pixels, and their covariance (n, k, k)."""
    right, down = moves
    xx, xy, yy, x, y, error, _, count = blocks.transpose(1, 0, 2)
    weight = np.where(count > 0, 1 / (error / np.maximum(count, 1) + 0.05), 0)  # a part that moved counts little
    xx, xy, yy = ((weight * each)[:, None] for each in (xx, xy, yy))
    normal = (right * xx + down * xy) @ right.T + (right * xy + down * yy) @ down.T
    wanted = (weight * x) @ right.T + (weight * y) @ down.T
    k = len(right)
    ridge = 1e-3 * np.trace(normal, axis1=1, axis2=2) / k + 1e-6
    spread = np.linalg.inv(normal + ridge[:, None, None] * np.eye(k, dtype=np.float32))
    return (spread @ wanted[..., None])[..., 0].astype(np.float32), spread.astype(np.float32)


def _blocks(one: Floats, two: Floats, place: Floats) -> Floats:
    """Sums over blocks, (n, 8, BLOCKS * BLOCKS): of the slopes' products xx, xy, yy, slopes by error x, y, squares of error and
    details, pixels."""
    value, inside = _sample(one, place)
    down, right = np.gradient(value, axis=(1, 2))
    error = (two - value) * inside
    down, right, detail = down * inside, right * inside, two * inside
    sums = (
        right * right,
        right * down,
        down * down,
        right * error,
        down * error,
        error * error,
        detail * detail,
        inside,
    )
    return np.stack([_summed(each) for each in sums], 1)


def _summed(values: Floats) -> Floats:
    wide = SIDE // BLOCKS
    result: Floats = np.asarray(
        values.reshape(-1, BLOCKS, wide, BLOCKS, wide).sum((2, 4), dtype=np.float32), np.float32
    ).reshape(len(values), -1)
    return result


def _sample(pictures: Floats, place: Floats) -> tuple[Floats, Floats]:
    """Bilinear values of each picture where the other one's pixels lie; 1 for those that lie inside both, without the margins."""
    centre = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    columns = (place[:, :1] * centre + place[:, 1:2]) * SIDE - 0.5
    rows = (place[:, 2:3] * centre + place[:, 3:]) * SIDE - 0.5
    own = (centre * SIDE > MARGIN) & (centre * SIDE < SIDE - MARGIN)
    across, down = (own & (each >= MARGIN - 0.5) & (each <= SIDE - MARGIN - 0.5) for each in (columns, rows))
    value = _weights(rows.astype(np.float32)) @ pictures @ _weights(columns.astype(np.float32)).transpose(0, 2, 1)
    return value, (down[:, :, None] & across[:, None]).astype(np.float32)


def _weights(positions: Floats) -> Floats:
    """(n, m) positions -> (n, m, SIDE) weights of linear interpolation."""
    away = np.abs(np.clip(positions, 0, SIDE - 1)[..., None] - np.arange(SIDE, dtype=np.float32))
    return np.maximum(0.0, 1.0 - away).astype(np.float32)


def _details(pictures: NDArray[np.uint8]) -> Floats:
    """What is between FINE and COARSE pixels wide, local contrast evened out."""
    fine = _FINE @ pictures.astype(np.float32) @ _FINE.T
    detail = fine - _COARSE @ fine @ _COARSE.T
    result: Floats = detail / np.sqrt(_COARSE @ (detail * detail) @ _COARSE.T + np.float32(4.0))
    return result


_FINE, _COARSE = gaussian_matrix(SIDE, FINE), gaussian_matrix(SIDE, COARSE)


def _part_moved(first: NDArray[np.uint8], second: NDArray[np.uint8], place: Floats) -> bool:
    """Whether some of a picture has become lighter and some darker than a tone curve explains, beyond what noise does."""
    value, inside = _sample(first.astype(np.float32)[None], place[None])
    both = inside[0] > 0
    before, after = value[0][both], second[both].astype(np.float32)
    if len(before) < 1000:
        return False
    changed = np.zeros((SIDE, SIDE), np.float32)
    changed[both] = after - _toned(before, after)
    noise = 1.48 * float(np.median(np.abs(changed[both]))) + 1.0
    changed = _FINE @ changed @ _FINE.T
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
