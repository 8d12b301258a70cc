"""Which IJG quality gives the blocks of a grid back when they are quantized and decoded again (`redecoding`), and how sure that is.

All 100 qualities are tried on a few blocks, the most promising ones on more. At the right quality practically every block is exact;
of wrong ones only those are that are much finer, or whose table has the same steps wherever a level is not 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import Blocks, clipped_blocks, cut_blocks
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from cliqa.signal.jpeg.redecoding import EXPECTED, Redecoded, lengths, redecode

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

SCANNED, PROVED = 12, 80
"""Blocks on which all qualities are tried, and on which the shortlist is."""
SCAN_TURNS = 3  # of `redecoding`: fewer than its own, since the shortlist is proved with all; no tuning on record
SHORTLIST, SHORTLIST_CLIPPED = 5, 20
"""How many of the shortest descriptions are proved: more where clipped pixels blur the order."""
JUDGED = EXPECTED > 0.4
"""(100,): qualities whose steps are large enough for blocks to be exact: up to 95."""
EXACT, EXACT_CLIPPED = 0.85, 0.6
"""Share of the expected exact blocks from which a quality counts as proved; levels under clipped pixels are not always found."""
COARSE, CONTRAST = 50, 6
"""From this index (quality - 1) on, one of the so many next coarser qualities must be exact for half as many blocks at most."""
TIE = 0.1
"""Bits per block within which descriptions are equally short."""
MOST_TELLING = 256
"""Blocks that are asked to settle a tie."""
LONGER = 1.15
"""How much longer the description of a coarser, no less exact quality may be."""
SOME = 0.25
"""Share of the expected exact blocks that is more than chance."""
NEAR = 4
"""Qualities about the grid's own estimate among which the shortest description is taken."""
CERTAIN = 100.0
"""Nats from which a grid's own evidence is beyond chance; without any JPEG it reaches about 20."""
_QUALITIES = np.arange(1, 101)


@dataclass(frozen=True)
class Proof:
    """What quantizing again tells.

    Attributes:
        bits: (100,) bits per block at each quality over the least, by a few blocks.
        proved: the quality (1-100) that gives the pixels back, 0 where none does; `exact` the share of blocks where it does.
        likely: the proved quality, or the likeliest one.
        tied: how many qualities the blocks can't tell from it, at least 1.
    """

    bits: Floats
    proved: int
    exact: float
    likely: int
    tied: int


def prove(telling: Blocks, all_blocks: Blocks, coefficients: Floats, quality: Floats, newest: Floats | None) -> Proof:
    """Find the quality that gives the pixels back.

    Args:
        telling: up to `PROVED` blocks, the most telling first, see `telling_blocks`.
        all_blocks: those of the grid; coefficients: (64, n) of them.
        quality: (100,) nats of each quality by the lattice of the coefficients.
        newest: (100,) nats of each by the grid's own histograms (`grid.newest_evidence`), if at hand.
    """
    scan = redecode(telling.take(np.arange(min(SCANNED, len(telling)))), _QUALITIES, turns=SCAN_TURNS)
    hints = [quality] if newest is None else [quality, newest]
    tried = _shortlist(scan, hints, SHORTLIST if telling.clean else SHORTLIST_CLIPPED)
    proof = redecode(telling, tried)
    long = lengths(proof, tried)
    bits = scan.bits - scan.bits.min(initial=0)
    exact = _proved(tried, proof, scan, telling.clean)
    if not exact.any():
        likely = int(quality.argmax()) + 1 if telling.clean else _likeliest(tried, proof, long, scan, newest)
        return Proof(bits, 0, 0.0, likely, 1)
    place, tied = _shortest(tried, np.where(exact, long, np.inf).astype(np.float32), all_blocks, coefficients)
    coarser = np.flatnonzero(exact & (proof.exact >= proof.exact[place]) & (long <= LONGER * long[place]))
    coarser = coarser[(coarser < place) & (long[coarser] > long[place] + TIE)]
    if len(coarser):  # fine steps are exact by chance now and then, coarse ones are not
        place = int(coarser[0])
    found = int(tried[place])
    return Proof(bits, found, float(proof.exact[place]), found, tied)


def telling_blocks(blocks: Blocks, coefficients: Floats, rgb: NDArray[np.uint8], y: Floats, grid: int) -> Blocks:
    """Up to `PROVED` blocks, the most telling first: the busiest; of clipped ones an even choice.

    A block is left out whose pixels were all clipped, but for those of one value: any table gives it back, or nearly.

    Where a picture has few, one constant block of each value is joined to them: they tell the step of frequency 0.

    Args:
        blocks: those of the grid; coefficients: (64, n) of them.
        rgb: tiles uint8 (n, 3, h, w); y: their luma; grid: offset index y * 8 + x.
    """
    if blocks.dark is None or blocks.light is None:
        count, activity = len(blocks), np.abs(coefficients[1:]).sum(axis=0)
        most = np.argpartition(-activity, PROVED)[:PROVED] if count > PROVED else np.arange(count)
        chosen = most[np.argsort(-activity[most], kind="stable")]
    else:
        clipped = blocks.dark | blocks.light
        low, high = (np.where(clipped, end, blocks.pixels) for end in (np.inf, -np.inf))
        bound = np.flatnonzero(low.min(axis=1) < high.max(axis=1))
        apart = max(1, len(bound) // SCANNED)
        chosen = np.concatenate([bound[start::apart] for start in range(apart)])[:PROVED]
    telling = blocks.take(chosen)
    if len(telling) >= PROVED:
        return telling
    flat = cut_blocks(y, grid % 8, grid // 8)
    clean = ~clipped_blocks(rgb, grid % 8, grid // 8)
    flat = flat[clean & (flat.max(axis=1) == flat.min(axis=1))]
    _, first = np.unique(flat[:, 0], return_index=True)
    return telling.joined(flat[first])


def _shortlist(scan: Redecoded, hints: list[Floats], count: int) -> Places:
    """The qualities (1-100) worth proving: the shortest descriptions and the best of the other evidence."""
    best = [np.argsort(scan.bits, kind="stable")[:count]]
    best += [np.argsort(-hint, kind="stable")[:SHORTLIST] for hint in hints]
    return np.unique(np.concatenate(best)) + 1


def _proved(tried: Places, proof: Redecoded, scan: Redecoded, clean: bool) -> NDArray[np.bool_]:
    """Which of the `tried` qualities give the pixels back: bool (m,).

    Smooth blocks are nearly exact at all fine qualities alike. So somewhat coarser ones must not be exact too.
    """
    index = tried - 1
    coarser = np.array([scan.exact[max(0, i - CONTRAST) : i].min() if i >= COARSE else 0 for i in index])
    enough = (EXACT if clean else EXACT_CLIPPED) * EXPECTED[index]
    places: NDArray[np.bool_] = JUDGED[index] & (proof.exact >= enough) & (coarser <= 0.5 * proof.exact)
    return places


def _shortest(tried: Places, long: Floats, blocks: Blocks, coefficients: Floats) -> tuple[int, int]:
    """(place, tied): place in `tried` of the shortest description `long` (bits per block), and how many can't be told from it.

    Where tables are equal on all levels met so far, the blocks decide that have levels where the tables differ.
    """
    tied = np.flatnonzero(long <= long.min() + TIE)
    if len(tied) == 1:
        return int(tied[0]), 1
    tables = LUMA_TABLES[tried[tied] - 1]
    rows = np.flatnonzero((tables != tables[0]).any(axis=0)[1:]) + 1
    half = tables[:, rows].min(axis=0).astype(np.float32)[:, None] / 2
    telling = np.flatnonzero((np.abs(coefficients[rows]) > half).any(axis=0))
    if not len(telling):
        return int(tied[len(tied) // 2]), len(tied)  # the middle is the least wrong
    apart = max(1, len(telling) // MOST_TELLING)
    again = lengths(redecode(blocks.take(telling[::apart]), tried[tied]), tried[tied])
    return int(tied[again.argmin()]), int((again <= again.min() + TIE / 10).sum())


def _likeliest(tried: Places, proof: Redecoded, long: Floats, scan: Redecoded, newest: Floats | None) -> int:
    """The best guess (1-100) where no quality is proved and blocks with clipped pixels had to be used."""
    if newest is not None and float(newest.max()) > CERTAIN:
        rival = int(newest.argmax())
        near = np.arange(max(0, rival - NEAR), min(100, rival + NEAR + 1))
        return int(near[scan.bits[near].argmin()]) + 1
    share = np.where(JUDGED[tried - 1], proof.exact / EXPECTED[tried - 1], 0)
    return int(tried[share.argmax() if share.max() >= SOME else long.argmin()])
