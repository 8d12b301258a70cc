"""The last save of an image and the one before it, from its tiles: what `jpeg_qf` answers and how sure it can be.

The lattice of the coefficients proposes, quantizing and decoding again proves. Where none is proved (steps too fine, a later save,
other tables, another decoder's arithmetic) the lattice, the pair of saves and the grid's own histograms decide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.double_compression import earlier_save, last_and_previous
from cliqa.signal.jpeg.grid import newest_evidence
from cliqa.signal.jpeg.history import GRID_PATCHES, Grid, Lattice, find_grid, read_lattice
from cliqa.signal.jpeg.proof import CERTAIN

DOUBTFUL_MARGIN = 60.0
"""Nats between the best two grids below which more patches are asked."""
MORE_PATCHES = 12
OTHER_GRIDS = 4
"""How many of the next likely grids are tried where no quality gives the pixels back on the likeliest."""
PROVED_ELSEWHERE = 0.9
"""Share of exact blocks that makes another grid the right one."""


def read_quality(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Evidence of tiles uint8 (n, 3, 128, 128) that share the phase of every 8x8 grid, most varied first.

    Returns:
        float32 (12,): quality factor, grid offset (y * 8 + x), earlier quality and its gain (nats per block), then the inputs of the
        confidence: signed logs of the lattice evidence, of its lead over the next quality and of the grid's margin; how far the
        grid's own evidence is from the quality; whether clipped blocks had to be used; share of blocks that the quality gives
        back exactly; 1 over the number of qualities that do so no worse; log of the number of blocks.
    """
    y = luma(rgb)
    found = find_grid(rgb, y)
    if found.margin < DOUBTFUL_MARGIN and len(rgb) > GRID_PATCHES:
        found = find_grid(rgb, y, MORE_PATCHES)
    newest = newest_evidence(found.counted, found.offset).max(axis=0)
    lattice = _proved_elsewhere(rgb, y, found, read_lattice(rgb, y, found.offset, newest))
    last, previous, gain = _last_and_previous(lattice, newest)
    ranked = np.sort(lattice.quality)
    logs = [np.sign(value) * np.log1p(abs(value)) for value in (ranked[-1], ranked[-1] - ranked[-2], found.margin)]
    away = min(abs(int(newest.argmax()) + 1 - last), 10) / 10
    clipped, count = float(not lattice.blocks.clean), float(np.log1p(len(lattice.blocks)))
    inputs = [*logs, away, clipped, lattice.proof.exact, 1 / lattice.proof.tied, count]
    return np.array([last, lattice.grid, previous, gain, *inputs], np.float32)


def _proved_elsewhere(rgb: NDArray[np.uint8], y: NDArray[np.float32], found: Grid, lattice: Lattice) -> Lattice:
    """`lattice`, or that of another likely grid where a quality gives more of the pixels back."""
    if lattice.proof.exact >= 0.95 and lattice.blocks.clean:
        return lattice
    others = [0, *(int(place) for place in np.argsort(-found.scores, kind="stable")[:OTHER_GRIDS])]
    for place in dict.fromkeys(others):
        if place != found.offset:
            other = read_lattice(rgb, y, place)
            if other.proof.exact > max(PROVED_ELSEWHERE, lattice.proof.exact + 0.03):
                lattice = other
    return lattice


def _last_and_previous(lattice: Lattice, newest: NDArray[np.float32]) -> tuple[int, int, float]:
    """Last quality, earlier quality (0 for none) and its gain (nats per block)."""
    quality = lattice.quality
    best, rival = int(quality.argmax()), int(newest.argmax())
    if lattice.proof.proved:
        return lattice.proof.proved, *earlier_save(lattice.coefficients, lattice.proof.proved)
    if not lattice.blocks.clean:
        return lattice.proof.likely, 0, 0.0
    if quality[best] > 0 or abs(best - rival) <= 1:
        pair = last_and_previous(quality, lattice.counts, lattice.coefficients)
        return pair.last, pair.previous, pair.gain
    if newest[rival] > CERTAIN:
        # no IJG table fits to the rounding noise: an earlier save shapes the levels, or the table is another encoder's
        return rival + 1, *earlier_save(lattice.coefficients, rival + 1)
    return best + 1, 0, 0.0
