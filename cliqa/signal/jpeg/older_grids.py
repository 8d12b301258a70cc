"""Saves before the last on other grids, by the phases of the coefficients there: the histograms of all offsets tell where to look.

A later save on another grid is noise to the lattice of an earlier one. `phases` reads lattices through noise, so each offset's
histograms are asked about IJG's tables, and the likeliest offsets are read on more blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import choose_blocks, dct_blocks, luma
from cliqa.signal.jpeg.grid import BINS, PAIRS, PER_UNIT, offset_histograms
from cliqa.signal.jpeg.phases import BIN, CAP, COARSE, Detail, evidence_of, log_densities, step_curves
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

SCAN = Detail(int(BINS / PER_UNIT / BIN), 0.04, (1.0, 1.8, 3.0, 4.5), (0.0,))
"""Enough to tell where to look, at a tenth of the cost."""
LOOKED_AT = 3
"""Offsets that are read on more blocks."""
LOWER = 3
"""How much lower than the last an older save must be."""
FAINT = 5.0
"""Nats of the scan from which an offset is worth a look."""
FIRST, SOME = 4, 4.0
"""Frequencies after which some offset must have so many nats, or none is looked at: of 111 older saves the least had 4.3, the next 4.9,
of 98 pictures without one half have 3.3 at most (validation and training photographs)."""
AGAINST = 4.0
"""Nats that one frequency may count against an offset in the scan."""
CLEAR, CLEAR_SPREAD = 25.0, 30.0
"""Nats from which there is an older save, and the same with no frequency counting more than `CAP`: a later one alone reached 20."""
CLEAR_ALIGNED = 50.0
"""The latter on a row or column of the newest grid, where two saves on that grid reached 42."""
SCANNED_TILES = 3
MOST_BLOCKS = 1000


_ORDER = sorted(range(len(PAIRS)), key=lambda pair: PAIRS[pair][0] != 1)
"""The frequencies of one cycle down, which tell most together, come first."""


@dataclass(frozen=True)
class OlderSave:
    """The likeliest save on a grid that is not the newest.

    Attributes:
        grid: offset index y * 8 + x; quality: IJG quality; nats: its evidence; spread: the same, no frequency counting more than `CAP`.
    """

    grid: int
    quality: int
    nats: float
    spread: float


def _merged(values: Floats) -> Floats:
    """Bins of a unit, the noise of older lattices being as wide: (offsets, BINS) -> (offsets, BINS / 2 + 1).

    The first stays alone, since a lattice's step is no smaller; then come two each.
    """
    merged = np.empty((len(values), BINS // 2 + 1), np.float32)
    merged[:, 0], merged[:, -1] = values[:, 0], values[:, -1]
    np.add(values[:, 1:-1:2], values[:, 2:-1:2], out=merged[:, 1:-1])
    return merged


@lru_cache(maxsize=1)
def _scan_tables() -> tuple[Floats, NDArray[np.intp]]:
    """(densities, places): (sigmas * steps, BINS / 2 + 1); of each quality the step at each pair, or their number: (100, pairs)."""
    logs = np.log(LUMA_TABLES[:, [8 * v + u for v, u in PAIRS]])
    index = np.rint((logs - np.log(SCAN.steps[0])) / SCAN.ratio).astype(np.intp)
    places = np.where((index >= 0) & (index < len(SCAN.steps)), index, len(SCAN.steps))
    densities = _merged(log_densities(SCAN)[:: int(1 / BIN / PER_UNIT)].T)
    densities[:, 1:-1] /= 2
    return np.ascontiguousarray(densities), places


def scan_offsets(counted: Floats, qualities: int, newest: int) -> Floats | None:
    """Nats of each of the lowest `qualities` at each offset, from `grid.offset_histograms`: float32 (64, qualities).

    None where the first few frequencies tell of no other offset than the `newest` grid's.
    """
    densities, places = _scan_tables()
    others = np.arange(64) != newest
    curves = np.zeros((len(SCAN.sigmas), len(SCAN.steps) + 1, 64), np.float32)  # the last is 0, for steps out of range
    total = np.zeros((len(SCAN.sigmas), qualities, 64), np.float32)
    for number, pair in enumerate(_ORDER):  # one pair at a time, so that it stays in the cache
        merged = _merged(counted[:, pair])
        used = int(np.flatnonzero(merged.any(axis=0)).max(initial=0)) + 1
        found = (densities[:, :used] @ merged[:, :used].T).reshape(len(SCAN.sigmas), -1, 64)
        np.maximum(found, -np.float32(AGAINST), out=curves[:, :-1])
        total += np.take(curves, places[:qualities, pair], axis=1)
        if number == FIRST - 1 and float(total.max(axis=(0, 1), where=others, initial=0.0).max()) < SOME:
            return None
    best: Floats = total.max(axis=0).T
    return best


def read_older(rgb: NDArray[np.uint8], y: Floats, counted: Floats, newest: int, last: int) -> OlderSave | None:
    """The clearest save on another grid, None where there is none.

    A save shows at other offsets too, on the rows and columns of its grid, but as one of a higher quality. So only those are looked
    for that are lower than the last.

    Args:
        rgb: tiles uint8 (n, 3, h, w); y: their luma; counted: `grid.offset_histograms` of them.
        newest: offset index of the newest grid; last: quality of the save there.
    """
    scores = scan_offsets(counted, max(0, last - LOWER), newest)
    if scores is None:
        return None
    found: OlderSave | None = None
    read = {newest}
    while last > LOWER:  # beneath an older save there may be one that is older still
        below = last - LOWER
        best = scores[:, :below].max(axis=1)
        best[list(read)] = -np.inf
        places = [int(place) for place in np.argsort(-best, kind="stable")[:LOOKED_AT] if best[place] > FAINT]
        saves = [_read(rgb, y, place, below) for place in places]
        clear = [each for each in saves if each.nats > CLEAR and each.spread > _least_spread(each.grid, newest)]
        if not clear:
            break
        found = min(clear, key=lambda each: each.quality)
        last = found.quality
        read |= {each.grid for each in clear}
    return found


def read_beneath(rgb: NDArray[np.uint8], newest: int, last: int) -> OlderSave | None:
    """`read_older` of tiles whose histograms are not at hand."""
    y = luma(rgb)
    return read_older(rgb, y, offset_histograms(y[:SCANNED_TILES]), newest, last)


def _least_spread(grid: int, newest: int) -> float:
    aligned = grid % 8 == newest % 8 or grid // 8 == newest // 8
    return CLEAR_ALIGNED if aligned else CLEAR_SPREAD


def _read(rgb: NDArray[np.uint8], y: Floats, grid: int, below: int) -> OlderSave:
    coefficients = dct_blocks(choose_blocks(rgb, y, grid % 8, grid // 8, MOST_BLOCKS).pixels).reshape(8, 8, -1)
    curves = step_curves(coefficients, COARSE)
    evidence = evidence_of(curves, 8, 8, detail=COARSE).max(axis=0)
    best = int(evidence[:below].argmax())
    capped = np.clip(curves, -np.float32(CAP), np.float32(CAP))
    spread = float(evidence_of(capped, 8, 8, detail=COARSE, quality=best + 1).max())
    return OlderSave(grid, best + 1, float(evidence[best]), spread)
