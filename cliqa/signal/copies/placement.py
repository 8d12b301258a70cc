"""How one picture lies in another, to hundredths of a pixel, and what a turn of the camera would still explain.

A copy lies in its original by a scale and a shift per axis. Both are found in blocks by Gauss-Newton steps (Lucas and Kanade 1981) on
details that tone curves change little; blocks of which a part moved count little. Pictures are grey squares of any side that BLOCKS
divides, squashed to that shape whatever their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.copies.alignment import gaussian_matrix

BLOCKS = 8  # a side
FINE, COARSE = 1.0, 5.0  # pixels between which details lie; light and tone curves change them little
MARGIN = 6  # pixels of each border that don't count, or 3 %: there a blur doesn't see the same in a crop
STEPS = 4  # Gauss-Newton steps; more move nothing
STILL = 0.01  # pixels; who moves less than that has arrived

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """For each pair of n: where the second lies in the first, and what speaks for another camera position.

    `place` (n, 4): scale and shift of x, then of y, of the unit square. `rest`: share of the details that differs. `turn`: of
    a side, what a turn or shear moves the border by; `turn_sure`, in standard errors. `beyond`: of a side, what each shows beyond the
    other's border, the lesser of the two; `beyond_error`, its standard error. `products` (8, n, side, side): see `products`.
    `bend` (n, 6): `place` and the turn's two, in pixels, that would still explain the error.
    """

    place: Floats
    rest: Floats
    turn: Floats
    turn_sure: Floats
    beyond: Floats
    beyond_error: Floats
    products: tuple[Floats, ...]
    bend: Floats


def placed(first: NDArray[np.uint8], second: NDArray[np.uint8], start: Floats) -> Placement:
    """Place pairs of pictures, (n, side, side), beginning at `start`, as `Placement.place`, to a few pixels."""
    side = first.shape[-1]
    one, two = _details(first), _details(second)
    place = start.astype(np.float32)
    found = products(one, two, place)
    blocks = _blocks(found)
    moving = np.arange(len(place))
    for _ in range(STEPS):
        step = np.clip(_solved(blocks[moving], _PLACE)[0], -2, 2)
        away = np.abs(step).max(1) > STILL
        moving = moving[away]
        if not len(moving):
            break
        place[moving] += step[away] / side
        for whole, part in zip(found, products(one[moving], two[moving], place[moving]), strict=True):
            whole[moving] = part
        blocks[moving] = _blocks([each[moving] for each in found])
    rest = blocks[:, 5].sum(1) / np.maximum(blocks[:, 6].sum(1), 1e-6)
    _, spread = _solved(blocks, _PLACE)
    turn, turn_spread = _solved(blocks, _TURN)
    crossed, within = turn[:, 4:], turn_spread[:, 4:, 4:]
    sure = np.sqrt(np.maximum(0, (crossed[:, None] @ np.linalg.solve(within, crossed[..., None]))[:, 0, 0]))
    moved_by = np.hypot(*crossed.T) / np.float32(np.sqrt(2) * side)
    return Placement(place, rest, moved_by, sure, _beyond(place), _border_error(spread) / side, found, turn)


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


def _blocks(found: Sequence[Floats]) -> Floats:
    """Sums of `products` over blocks, (n, 8, BLOCKS * BLOCKS)."""
    return np.stack([summed(each, BLOCKS).reshape(-1, BLOCKS * BLOCKS) for each in found], 1)


def products(one: Floats, two: Floats, place: Floats) -> tuple[Floats, ...]:
    """Eight pictures (n, side, side): the slopes' products xx, xy, yy, slopes by error x, y, squares of error and details, and 1
    where both show something."""
    value, inside = sampled(one, place)
    down, right = np.gradient(value, axis=(1, 2))
    error = (two - value) * inside
    down, right, detail = down * inside, right * inside, two * inside
    return (
        right * right,
        right * down,
        down * down,
        right * error,
        down * error,
        error * error,
        detail * detail,
        inside,
    )


def summed(values: Floats, count: int) -> Floats:
    """Sums over `count` blocks a side: (n, side, side) -> (n, count, count)."""
    blocks = np.repeat(np.eye(count, dtype=np.float32), values.shape[-1] // count, axis=1)
    result: Floats = blocks @ values @ blocks.T  # a tenth of the time of a sum over two axes
    return result


def sampled(pictures: Floats, place: Floats) -> tuple[Floats, Floats]:
    """Bilinear values of each picture where the other one's pixels lie; 1 for those that lie inside both, without the margins."""
    side = pictures.shape[-1]
    margin = max(MARGIN, round(0.03 * side))
    centre = (np.arange(side, dtype=np.float32) + 0.5) / side
    columns = (place[:, :1] * centre + place[:, 1:2]) * side - 0.5
    rows = (place[:, 2:3] * centre + place[:, 3:]) * side - 0.5
    own = (centre * side > margin) & (centre * side < side - margin)
    across, down = (own & (each >= margin - 0.5) & (each <= side - margin - 0.5) for each in (columns, rows))
    value = _weights(rows, side) @ pictures @ _weights(columns, side).transpose(0, 2, 1)
    return value, (down[:, :, None] & across[:, None]).astype(np.float32)


def _weights(positions: Floats, side: int) -> Floats:
    """(n, m) positions -> (n, m, side) weights of linear interpolation."""
    away = np.abs(np.clip(positions, 0, side - 1)[..., None] - np.arange(side, dtype=np.float32))
    return np.maximum(0.0, 1.0 - away).astype(np.float32)


def _details(pictures: NDArray[np.uint8]) -> Floats:
    """What is between FINE and COARSE pixels wide, local contrast evened out."""
    narrow, wide = blurs(pictures.shape[-1])
    fine = narrow @ pictures.astype(np.float32) @ narrow.T
    detail = fine - wide @ fine @ wide.T
    result: Floats = detail / np.sqrt(wide @ (detail * detail) @ wide.T + np.float32(4.0))
    return result


@lru_cache(8)
def blurs(side: int) -> tuple[Floats, Floats]:
    """The matrices that blur `side` pixels by FINE and by COARSE."""
    return gaussian_matrix(side, FINE), gaussian_matrix(side, COARSE)
