"""Reductions that no comb tells of: at every step, is there a lattice in the blocks of the corner where the first one starts?

The finer a save is, the fainter are the edges of its blocks, while the lattice of their lowest coefficients stays. From the top left
corner all blocks lie where the step alone says, so that a few hundred steps are all there is to try.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.native_blocks import FEWER_PHASES, STEPS_APART, inverse
from cliqa.signal.jpeg.phases import ROUGH, step_curves_of_groups, table_evidence
from cliqa.signal.resampling.kernels import KERNELS

Floats = NDArray[np.float32]

SIDE, SIDES_APART = 256, 32
"""Pixels of the corner's side: of 89 saves of 25-78 beneath a reduction and a JPEG (validation) the true step was first for 82 %, at
288 pixels for 83 %. In smaller pictures a multiple."""
SHORTEST = 160
"""Side of the smallest corner that is looked at."""
LEAST, MOST = 1.045, 1.86
"""Steps that are tried."""
LOW = 2
"""Frequencies along each axis that are asked for."""
TOGETHER = 4
"""Blocks that are taken out at once: 3 to 8 are as fast, one alone takes more than twice the time."""
COARSEST = 88
"""Qualities above this are not asked for: their steps are as small as the noise."""
_KERNEL = next(iter(KERNELS))
_STEPS: NDArray[np.float64] = np.exp(
    np.arange(np.ceil(np.log(LEAST) / STEPS_APART), np.floor(np.log(MOST) / STEPS_APART) + 1) * STEPS_APART
)


@dataclass(frozen=True)
class Run:
    """Some blocks of one axis: the output pixels `first` to `last` that tell of them, and the weights (blocks * LOW, pixels)."""

    first: int
    last: int
    weights: Floats


@lru_cache(maxsize=8)
def _runs(length: int) -> list[list[Run]]:
    """Of each step the blocks along an axis of so many output pixels."""
    return [_runs_of(length, step) for step in _STEPS.tolist()]


def _runs_of(length: int, step: float) -> list[Run]:
    margin, matrices = inverse(step, _KERNEL, FEWER_PHASES)
    reach = matrices.shape[1]
    parts = np.rint(8 * np.arange(int(length * step) // 8 + 1) / step * FEWER_PHASES).astype(int)
    starts = parts // FEWER_PHASES - margin
    whole = (starts >= 0) & (starts + reach <= length)
    starts, parts = starts[whole], parts[whole] % FEWER_PHASES
    found = []
    for block in range(0, len(starts), TOGETHER):
        some = starts[block : block + TOGETHER] - starts[block]
        weights = np.zeros((len(some), LOW, some[-1] + reach), np.float32)
        for own, start, part in zip(weights, some, parts[block : block + TOGETHER], strict=True):
            own[:, start : start + reach] = matrices[part, :, :LOW].T
        first = int(starts[block])
        found.append(Run(first, first + weights.shape[2], weights.reshape(len(some) * LOW, -1)))
    return found


def _apply(runs: list[Run], lines: Floats) -> Floats:
    """Lowest coefficients of the blocks down lines (length, n): float32 (blocks * LOW, n)."""
    result = np.empty((sum(len(run.weights) for run in runs), lines.shape[1]), np.float32)
    place = 0
    for run in runs:
        np.matmul(run.weights, lines[run.first : run.last], out=result[place : place + len(run.weights)])
        place += len(run.weights)
    return result


def likely_reductions(luma: Floats, most: int, least: float) -> list[float]:
    """The steps of the clearest reductions of luma minus 128 (h, w), a picture or its top left corner, clearest first.

    Args:
        most: so many at most, steps beside a clearer one left out.
        least: nats that each has at least.
    """
    height, width = (min(SIDE, length // SIDES_APART * SIDES_APART) for length in luma.shape)
    if min(height, width) < SHORTEST:
        return []
    lines = np.ascontiguousarray(luma[:height, :width].T)
    parts = []
    for across, down in zip(_runs(width), _runs(height), strict=True):
        low = _apply(down, _apply(across, lines).T)
        parts.append(low.reshape(-1, LOW, low.shape[1] // LOW, LOW).transpose(1, 3, 0, 2).reshape(LOW, LOW, -1))
    group = np.repeat(np.arange(len(parts)), [each.shape[2] for each in parts])
    curves = step_curves_of_groups(np.concatenate(parts, axis=2), group, len(parts), ROUGH)
    nats = np.array([table_evidence(each, LOW, LOW, detail=ROUGH)[:, :COARSEST].max() for each in curves])
    found: list[float] = []
    for index in np.argsort(-nats, kind="stable"):
        step = float(_STEPS[index])
        if len(found) == most or nats[index] < least:
            break
        if all(abs(np.log(step / other)) > 1.5 * STEPS_APART for other in found):
            found.append(step)
    return found
