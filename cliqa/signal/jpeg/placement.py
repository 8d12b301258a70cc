"""Where the native blocks of a cropped picture lie: one axis after the other, by the frequencies along that axis alone.

A comb tells the step and the first edge to about a native pixel, while a lattice shows only within a quarter of one on both axes. The
means of the blocks across still show the lattice down them where they are a little off. The two halves of the picture are moved apart
from each other, which corrects the step too.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.native_blocks import FEWER_PHASES, STEPS_APART, Axis, Window, block_edges, block_means, inverse
from cliqa.signal.jpeg.phases import ROUGH, step_curves_of_groups, table_evidence

Floats = NDArray[np.float32]

FARTHEST, APART = 1.2, 0.2
"""Native pixels by which each half is moved at most, and by about so many at a time: combs were off by up to 0.9 in the middle of 18
reduced crops."""
MOST_APART = 0.85
"""Native pixels by which the halves may be moved apart."""
LOW = 4
"""Frequencies along the axis that are asked for."""


def placed(windows: list[Window], across: Axis, down: Axis, kernel: str) -> tuple[Axis, Axis]:
    """(across, down) moved by up to a native pixel to where the lattices along both are clearest."""
    turned = [Window(window.luma.T, window.y, window.x) for window in windows]
    down = _along(windows, across, down, kernel, turned=False)
    return _along(turned, down, across, kernel, turned=True), down


def _along(windows: list[Window], other: Axis, sought: Axis, kernel: str, *, turned: bool) -> Axis:
    """The axis down the windows where it is clearest; `turned` says that it is the picture's axis across."""
    moves, _, _ = _matrices(sought.step, kernel)
    found = [_moved(block_means(each, other, kernel, FEWER_PHASES), each.y, sought, kernel) for each in windows]
    edges = np.concatenate([edges for edges, _ in found])
    if len(np.unique(edges)) < 2:  # no two rows of blocks
        return sought
    middle = (edges.min() + edges.max()) / 2
    halves = [edges[edges <= middle], edges[edges > middle]]
    parts = [blocks[each] for edges, blocks in found for each in (edges <= middle, edges > middle)]
    group = np.concatenate(
        [
            np.repeat(np.arange(len(moves)) + number % 2 * len(moves), part[:, 0, 0].size)
            for number, part in enumerate(parts)
        ]
    )
    low = parts[0].shape[2]
    coefficients = np.concatenate([part.transpose(2, 1, 0, 3).reshape(low, -1) for part in parts], axis=1)
    curves = step_curves_of_groups(coefficients[:, None], group, 2 * len(moves), ROUGH)
    evidence = np.stack([table_evidence(each, low, 1, turned=turned, detail=ROUGH) for each in curves])
    nats = np.full((len(moves), len(moves)), -np.inf)
    for one, other_half in zip(*np.nonzero(np.abs(moves[:, None] - moves) < MOST_APART), strict=True):
        nats[one, other_half] = (evidence[one] + evidence[len(moves) + other_half]).max()
    upper, lower = (moves[index] for index in np.unravel_index(int(nats.argmax()), nats.shape))
    places = [float(half.mean()) for half in halves]
    stretch = float(lower - upper) / (places[1] - places[0])
    return Axis(sought.step + stretch, (sought.offset + float(upper) - stretch * places[0]) % 8)


def _moved(lines: Floats, place: int, axis: Axis, kernel: str) -> tuple[NDArray[np.float64], Floats]:
    """(edges, coefficients) of the blocks down lines (h, n): places in the picture (blocks,), float32 (blocks, moves, LOW, n)."""
    moves, margin, stacked = _matrices(axis.step, kernel)
    edges = block_edges(axis, place, len(lines))
    parts = np.rint(edges * FEWER_PHASES).astype(int)
    starts = parts // FEWER_PHASES - margin
    whole = (starts >= 0) & (starts + stacked.shape[2] <= len(lines))
    result = np.empty((int(whole.sum()), stacked.shape[1], lines.shape[1]), np.float32)
    for block, start, part in zip(result, starts[whole].tolist(), (parts[whole] % FEWER_PHASES).tolist(), strict=True):
        np.matmul(stacked[part], lines[start : start + stacked.shape[2]], out=block)
    return edges[whole] + place, result.reshape(len(result), len(moves), stacked.shape[1] // len(moves), lines.shape[1])


def _matrices(step: float, kernel: str) -> tuple[NDArray[np.float64], int, Floats]:
    return _moved_matrices(round(np.log(step) / STEPS_APART), kernel)


@lru_cache(maxsize=32)
def _moved_matrices(number: int, kernel: str) -> tuple[NDArray[np.float64], int, Floats]:
    """(moves, margin, matrices): native pixels by which the offset grows; matrices as `inverse` has them of a block at all moves.

    Matrices are float32 (phases, moves * frequencies, m).
    """
    step = float(np.exp(number * STEPS_APART))
    margin, matrices = inverse(step, kernel, FEWER_PHASES)
    low, reach = min(LOW, matrices.shape[2]), matrices.shape[1]
    apart = max(1, round(APART / step * FEWER_PHASES))
    count = round(FARTHEST / step * FEWER_PHASES / apart)
    shifts = apart * np.arange(-count, count + 1)
    beyond = -(-int(shifts[-1]) // FEWER_PHASES)
    found = np.zeros((FEWER_PHASES, len(shifts), low, reach + 2 * beyond + 1), np.float32)
    for part in range(FEWER_PHASES):
        for own, shift in zip(found[part], shifts.tolist(), strict=True):
            over, phase = divmod(part + shift, FEWER_PHASES)
            own[:, beyond + over : beyond + over + reach] = matrices[phase, :, :low].T
    return -shifts * step / FEWER_PHASES, margin + beyond, found.reshape(FEWER_PHASES, len(shifts) * low, -1)
