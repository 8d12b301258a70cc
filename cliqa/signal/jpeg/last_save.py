"""The last save of an image and the one before it, from its tiles: what `jpeg_qf` answers and how sure it can be.

The lattice of the coefficients proposes, quantizing and decoding again proves. Where none is proved (steps too fine, a later save,
another decoder's arithmetic) the lattice, the pair of saves and the grid's own histograms decide. Where no IJG table explains the
lattice, the picture was turned by 90 degrees, or coded as RGB or CMYK (each channel has a lattice then, the luma none), or has
other tables: these are tried in turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import choose_blocks, dct_blocks, luma
from cliqa.signal.jpeg.double_compression import earlier_save, last_and_previous
from cliqa.signal.jpeg.grid import GRID_PATCHES, Grid, find_grid, newest_evidence
from cliqa.signal.jpeg.history import (
    EXACT,
    EXACTLY,
    LATTICE_BLOCKS,
    Lattice,
    likeliest_steps,
    read_lattice,
    table_distances,
)
from cliqa.signal.jpeg.other_tables import (
    EXPLAINS,
    LATTICE,
    any_table,
    family_quality,
)
from cliqa.signal.jpeg.proof import CERTAIN
from cliqa.signal.jpeg.quantization import LUMA_TABLES

FINEST_OTHER = 90
"""Up to this quality tables that are not IJG's are told from another codec's steps."""
PROVED_OUTRIGHT = 0.95
"""Share of exact blocks from which a coarse table is proved, whatever the lattice of clipped or few levels looks like."""
FINER = 15
"""How much finer than the grid's own histograms tell such a table may be: smooth blocks are exact at finer ones by chance."""
COARSEST_FINE = 90
"""Qualities from which tables are so fine that another reading's blocks are exact by chance."""
COARSER = 2
"""How much lower a quality must be that gives the pixels back in another reading: fine steps are exact by chance now and then."""
WHOLE = 1.3
"""Nats a block that saves at 100 have at least, whose steps are all 1: 17 photographs 1.5 or more or nothing, dithered gradients 0.4 to
1.2 (validation photographs and 120 drawn gradients)."""
DOUBTFUL_MARGIN = 60.0
"""Nats between the best two grids below which more patches are asked; no tuning on record."""
MORE_PATCHES = 12
"""Six already found the grid of 40 of 40 saves at quality 94-98; twice that is for pictures with little detail."""
OTHER_GRIDS = 4
"""How many of the next likely grids are tried where no quality gives the pixels back on the likeliest; no tuning on record."""
PROVED_ELSEWHERE = 0.9
"""Share of exact blocks that makes another grid the right one; no tuning on record."""
ANSWER = 14
"""Numbers of an answer, see `read_quality`."""


@dataclass(frozen=True)
class _Reading:
    """The newest grid of some tiles and what its lattice tells.

    Attributes:
        newest: (100,) nats of each quality by the grid's own histograms.
        most: nats of the likeliest steps, whatever table they make; `share` how much of them the best IJG table explains.
    """

    found: Grid
    newest: NDArray[np.float32]
    lattice: Lattice
    most: float
    share: float

    @property
    def outright(self) -> bool:
        """Whether a coarse table gives back nearly every pixel, so that no lattice needs to be asked."""
        proof, told = self.lattice.proof, int(self.newest.argmax()) + 1
        return proof.exact >= PROVED_OUTRIGHT and proof.proved < min(COARSEST_FINE, told + FINER)

    @property
    def explained(self) -> bool:
        """Whether an IJG table explains the lattice, or gives back the pixels."""
        if self.outright:
            return True
        if self.most > LATTICE or self.lattice.blocks.clean:
            return self.most > LATTICE and self.share >= EXPLAINS
        return bool(self.lattice.proof.proved)

    def beats(self, other: _Reading) -> bool:
        """Whether this reading explains more: by the lattice, or by a coarser table that gives the pixels back."""
        if self.outright or (self.most > LATTICE and self.share >= EXPLAINS):
            return True
        proved, rival = self.lattice.proof.proved, other.lattice.proof.proved
        return bool(proved) and (proved < rival - COARSER if rival else other.most < LATTICE)


def read_quality(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Evidence of tiles uint8 (n, 3, 128, 128) that share the phase of every 8x8 grid, most varied first.

    Returns:
        float32 (14,): quality factor, grid offset (y * 8 + x), earlier quality and its gain (nats per block), then the inputs of the
        confidence: signed logs of the lattice evidence, of its lead over the next quality and of the grid's margin; how far the
        grid's own evidence is from the quality; whether clipped blocks had to be used; share of blocks that the quality gives
        back exactly; 1 over the number of qualities that do so no worse; log of the number of blocks; whether the quality is only the
        nearest to tables that are not IJG's. At last, apart from these, whether nothing explains the grid, as with other codecs.
    """
    reading = _read(rgb)
    turn = False
    if not reading.explained:
        reading, turn = _read_otherwise(rgb, reading)
    found, lattice = reading.found, reading.lattice
    known = reading.explained or reading.most < LATTICE or lattice.proof.proved
    nearest = 0 if known else _nearest(lattice)
    last, previous, gain = (nearest, 0, 0.0) if nearest else _last_and_previous(lattice, reading.newest)
    grid = lattice.grid % 8 * 8 + lattice.grid // 8 if turn else lattice.grid
    ranked = np.sort(lattice.quality)
    logs = [np.sign(value) * np.log1p(abs(value)) for value in (ranked[-1], ranked[-1] - ranked[-2], found.margin)]
    away = min(abs(int(reading.newest.argmax()) + 1 - last), 10) / 10
    clipped, count = float(not lattice.blocks.clean), float(np.log1p(len(lattice.blocks)))
    inputs = [*logs, away, clipped, lattice.proof.exact, 1 / lattice.proof.tied, count, float(nearest > 0)]
    _, certain = likeliest_steps(lattice.evidence, int(lattice.quality.argmax()))
    unclear = float(lattice.quality.max()) <= 0 and not lattice.proof.proved and float(certain.mean()) < EXACT
    # an ordered dither repeats a few values, which lie on the lattice of 1 by chance
    whole = last == len(LUMA_TABLES) and float(lattice.quality.max()) < WHOLE * len(lattice.blocks)
    # other codecs' fine steps look like those of other tables, and their coarse ones are not met so exactly
    blurred = reading.most < EXACTLY * len(lattice.blocks) and not family_quality(lattice.evidence)
    doubtful = unclear or whole or nearest > FINEST_OTHER or (nearest > 0 and blurred)
    return np.array([last, grid, previous, gain, *inputs, float(doubtful)], np.float32)


def read_stated(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.float32]:
    """`read_quality` where the last save's quality and its grid (0) are known: an earlier save is all that is asked."""
    blocks = choose_blocks(rgb, luma(rgb), 0, 0, LATTICE_BLOCKS)
    previous, gain = earlier_save(dct_blocks(blocks.pixels), quality)
    answer = np.zeros(ANSWER, np.float32)
    answer[[0, 2, 3]] = quality, previous, gain
    return answer


def _read(rgb: NDArray[np.uint8]) -> _Reading:
    y = luma(rgb)
    found = find_grid(rgb, y)
    if found.margin < DOUBTFUL_MARGIN and len(rgb) > GRID_PATCHES:
        found = find_grid(rgb, y, MORE_PATCHES)
    newest = newest_evidence(found.counted, found.offset).max(axis=0)
    lattice = _proved_elsewhere(rgb, y, found, read_lattice(rgb, y, found.offset, newest))
    most = any_table(lattice.evidence)
    return _Reading(found, newest, lattice, most, float(lattice.quality.max()) / max(most, 1.0))


def _read_otherwise(rgb: NDArray[np.uint8], straight: _Reading) -> tuple[_Reading, bool]:
    """(reading, turned): the same of the picture turned or of one of its channels alone, where IJG's tables explain that.

    Where nothing is explained, the reading with the clearest lattice.
    """
    turned_rgb = np.ascontiguousarray(rgb.transpose(0, 1, 3, 2))
    again = _read(turned_rgb)
    if again.beats(straight):
        return again, True
    green = _read(np.repeat(rgb[:, 1:2], 3, axis=1))
    if green.beats(straight):
        return green, False
    if green.most > max(LATTICE, 2 * straight.most) and straight.lattice.proof.exact < PROVED_OUTRIGHT:
        again = _read(np.repeat(turned_rgb[:, 1:2], 3, axis=1))
        return (again, True) if again.beats(straight) else (green, False)
    return straight, False


def _nearest(lattice: Lattice) -> int:
    """The IJG quality nearest to tables that are not IJG's: by a family of encoders, else by the steps that the pixels tell."""
    found = family_quality(lattice.evidence)
    if found:
        return found
    steps, known = likeliest_steps(lattice.evidence, int(lattice.quality.argmax()))
    return int(table_distances(steps, known).argmin()) + 1


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
