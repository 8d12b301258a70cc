"""Reductions that no comb tells of: at every step, is there a lattice in the blocks of the corner where the first one starts?

The finer a save is, the fainter are the edges of its blocks, while the lattice of their lowest coefficients stays. From the top left
corner all blocks lie where the step alone says, so that a few hundred steps are all there is to try: all in a small corner
first, then those about the clearest in larger ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.jpeg.native_blocks import FEWER_PHASES, STEPS_APART, inverse
from cliqa.signal.jpeg.phases import ROUGH, ROUGHEST, Detail, curves_of_chosen, group_evidence
from cliqa.signal.resampling.kernels import KERNELS

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

SIDE, SIDES_APART = 256, 32
"""Pixels of the corner's side: of 89 saves of 25-78 beneath a reduction and a JPEG (validation) the true step was first for 82 %, at
288 pixels for 83 %. In smaller pictures a multiple."""
FIRST_SIDE, NEXT_SIDE = 96, 160
"""Sides of the corners that are asked before: 96 pixels tell as much as 128 do of where to look, at half the cost."""
SHORTEST = 160
"""Side of the smallest corner that is looked at."""
LEAST, MOST = 1.045, 1.86
"""Steps that are tried."""
KEPT, LEAST_KEPT = (24, 10), (2.0, 6.0)
"""Of those so many at most are asked again in the next corner, with the steps between, and of these in all of it, with the nats that
each has at least there. Of 52 small saves below 90 beneath a reduction that are read where all steps are asked in all of the corner,
51 still are, the other one of 12 nats (62 validation photographs)."""
LOW = 2
"""Frequencies along each axis that are asked for."""
FREQUENCIES = ((0, 1), (1, 0), (1, 1))
"""(down, across) of the coefficients that tell, in the order of `chosen_frequencies`."""
COARSEST = 88
"""Qualities above this are not asked for: their steps are as small as the noise."""
_WIDE = 32
"""Columns that the compiled routine sums at once."""
_KERNEL = next(iter(KERNELS))
_NUMBERS = range(int(np.ceil(np.log(LEAST) / STEPS_APART)), int(np.floor(np.log(MOST) / STEPS_APART)) + 1)
"""Logarithms of the steps, in `STEPS_APART`."""


@dataclass(frozen=True)
class Blocks:
    """Where the whole blocks at one step lie: across and down, the first pixel and the phase of each; weights (phases, LOW, pixels)."""

    across: tuple[Places, Places]
    down: tuple[Places, Places]
    weights: Floats

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return len(self.across[0]) * len(self.down[0])


@lru_cache(maxsize=2048)
def _blocks(number: int, width: int, height: int) -> Blocks:
    """Of a step the blocks in so many pixels."""
    step = float(np.exp(number * STEPS_APART))
    margin, matrices = inverse(step, _KERNEL, FEWER_PHASES)
    reach = matrices.shape[1]
    found = []
    for length in (width, height):
        edges = 8 * np.arange(int(length * step) // 8 + 1) / step
        parts = np.rint(edges * FEWER_PHASES).astype(np.int64)
        starts = parts // FEWER_PHASES - margin
        whole = (starts >= 0) & (starts + reach <= length)
        found.append((starts[whole], parts[whole] % FEWER_PHASES))
    return Blocks(found[0], found[1], np.ascontiguousarray(matrices[:, :, :LOW].transpose(0, 2, 1)))


@dataclass(frozen=True)
class Plan:
    """The blocks at several steps, as the compiled routine reads them.

    Attributes:
        group: of each block the index of its step.
        table: for each step the blocks across, those down, the output pixels of a block, and where its weights begin.
        starts, parts: of each step those of its blocks across, then of those down; weights: those of all steps.
        room: numbers of the largest table of lowest coefficients.
    """

    blocks: tuple[Blocks, ...]
    group: NDArray[np.intp]
    table: Places
    starts: Places
    parts: Places
    weights: Floats
    room: int


def _planned(numbers: tuple[int, ...], width: int, height: int) -> Plan:
    blocks = tuple(_blocks(number, width, height) for number in numbers)
    counts = [each.count for each in blocks]
    begins = np.cumsum([0, *(each.weights.size for each in blocks)])
    table = [
        [len(each.across[0]), len(each.down[0]), each.weights.shape[2], begin]
        for each, begin in zip(blocks, begins.tolist(), strict=False)
    ]
    columns = max((row[0] for row in table), default=0) * LOW + _WIDE
    rows = max((row[1] for row in table), default=0) * LOW
    return Plan(
        blocks,
        np.repeat(np.arange(len(blocks)), counts),
        np.array(table, np.int64),
        np.concatenate([side[0] for each in blocks for side in (each.across, each.down)]),
        np.concatenate([side[1] for each in blocks for side in (each.across, each.down)]),
        np.concatenate([each.weights.ravel() for each in blocks]),
        columns * max(height + _WIDE, rows),
    )


@lru_cache(maxsize=1)
def _first_plan() -> Plan:
    return _planned(tuple(_NUMBERS), FIRST_SIDE, FIRST_SIDE)


def _lowest(lines: Floats, plan: Plan) -> Floats:
    """Coefficients `FREQUENCIES` of all blocks of a plan in lines (width, height): float32 (3, blocks)."""
    made = np.empty((len(FREQUENCIES), len(plan.group)), np.float32)
    library = compiled()
    if library is not None:
        scratch = np.empty(2 * plan.room, np.float32)
        lines = np.ascontiguousarray(np.pad(lines, ((0, 0), (0, -lines.shape[1] % _WIDE))))
        table, blocks = plan.table, made.shape[1]
        library.lowest_coefficients(
            lines,
            *lines.shape,
            table,
            len(table),
            plan.starts,
            plan.parts,
            plan.weights,
            scratch,
            plan.room,
            made,
            blocks,
        )
        return made
    place = 0
    for each in plan.blocks:
        across = _along(lines, *each.across, each.weights)  # (blocks, LOW, height)
        low = _along(across.reshape(-1, across.shape[2]).T, *each.down, each.weights)
        low = low.reshape(len(low), LOW, -1, LOW)  # (rows, down, columns, across)
        for row, (v, u) in zip(made, FREQUENCIES, strict=True):
            row[place : place + each.count] = low[:, v, :, u].ravel()
        place += each.count
    return made


def _along(lines: Floats, starts: Places, parts: Places, weights: Floats) -> Floats:
    """Lowest coefficients of the blocks down lines (length, n): float32 (blocks, LOW, n)."""
    made = np.empty((len(starts), LOW, lines.shape[1]), np.float32)
    for block, start, part in zip(made, starts.tolist(), parts.tolist(), strict=True):
        np.matmul(weights[part], lines[start : start + weights.shape[2]], out=block)
    return made


def _nats(luma: Floats, plan: Plan, detail: Detail) -> Floats:
    """Nats of the best table at each step of a plan in luma (h, w): (steps,)."""
    lines = np.ascontiguousarray(luma.T)
    curves = curves_of_chosen(_lowest(lines, plan), plan.group, len(plan.blocks), detail)
    return group_evidence(curves, LOW, LOW, detail, COARSEST)


def _kept(numbers: Sequence[int], nats: Floats, corner: int) -> list[int]:
    """Those that are asked again after one of the smaller corners, clearest first."""
    order = np.argsort(-nats, kind="stable")[: KEPT[corner]]
    return [numbers[index] for index in order.tolist() if nats[index] >= LEAST_KEPT[corner]]


def likely_reductions(luma: Floats, most: int, least: float) -> list[float]:
    """The steps of the clearest reductions of luma minus 128 (h, w), a picture or its top left corner, clearest first.

    Args:
        most: so many at most, steps beside a clearer one left out.
        least: nats that each has at least.
    """
    height, width = (min(SIDE, length // SIDES_APART * SIDES_APART) for length in luma.shape)
    if min(height, width) < SHORTEST:
        return []
    kept = _kept(_NUMBERS, _nats(luma[:FIRST_SIDE, :FIRST_SIDE], _first_plan(), ROUGHEST), 0)
    numbers = sorted({number + away for number in kept for away in (-1, 0, 1)}.intersection(_NUMBERS))
    if numbers:
        nats = _nats(luma[:NEXT_SIDE, :NEXT_SIDE], _planned(tuple(numbers), NEXT_SIDE, NEXT_SIDE), ROUGH)
        numbers = _kept(numbers, nats, 1)
    if not numbers:
        return []
    nats = _nats(luma[:height, :width], _planned(tuple(numbers), width, height), ROUGH)
    found: list[int] = []
    for index in np.argsort(-nats, kind="stable").tolist():
        if len(found) == most or nats[index] < least:
            break
        if all(abs(numbers[index] - other) > 1 for other in found):
            found.append(numbers[index])
    return [float(np.exp(number * STEPS_APART)) for number in found]
