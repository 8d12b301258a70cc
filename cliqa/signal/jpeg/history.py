"""All evidence of JPEG saves in a few tiles of an image, gathered: grids, steps, qualities, earlier saves, chroma.

The order of events: find the grid whose coefficients lie on a lattice (the stronger one, if there are two); read its
steps and the IJG qualities that they fit; look for an earlier save on the same grid; look for the faint lattice of an older
grid; describe the chroma planes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import Blocks, choose_blocks, luma
from cliqa.signal.jpeg.chroma import chroma_features
from cliqa.signal.jpeg.double_compression import count_levels, previous_evidence
from cliqa.signal.jpeg.grid import find_grid, grid_evidence, second_grid_scores
from cliqa.signal.jpeg.lattice import (
    Histograms,
    quality_evidence,
    read_steps,
)
from cliqa.signal.jpeg.older_grids import OlderSave, read_older
from cliqa.signal.jpeg.other_tables import any_table, family_quality
from cliqa.signal.jpeg.proof import CERTAIN, Proof, prove, telling_blocks
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

OLDER_CANDIDATES = 3
"""Of 31 older grids 24 were the likeliest, 26 among three, 27 among five."""
MOST_BLOCKS = 700
"""Of more blocks than twice this only a part is read: of eight tiles every second one, which tells nearly as much."""
KNOWN = 12.0
"""Nats by which a step must be likelier than no quantization to count as known; no tuning on record."""
LATTICE_BLOCKS = 2048
"""As `MOST_BLOCKS`, where one grid is asked for all that it tells: the proof of a quality wants many blocks."""
STRONG = 60.0
"""Nats from which an IJG table on the newest grid is beyond doubt."""
FINEST = 97
"""From this quality on there are steps of 1 and 2 alone, which explain any whole numbers."""
EXACT = 0.55
"""Mean certainty of the steps from which they are a JPEG's: other codecs' have 0.05-0.54, being blurred by loop filters and colour
spaces, JPEGs with any tables 0.53-0.98."""
EXACTLY = 15.0
"""Nats a block of the likeliest steps that only whole numbers of YCbCr reach, as a JPEG decodes to: of 26 photographs saved with other
tables than IJG's nine in ten have more; JPEG XL reached 14.5, other codecs 4 (validation)."""
_LOG_TABLES = np.log(LUMA_TABLES).astype(np.float32)
_ALL = np.arange(64)


@dataclass(frozen=True)
class Lattice:
    """What the blocks of one grid tell.

    Attributes:
        grid: offset index y * 8 + x.
        blocks: those used; coefficients: float32 (64, n) of them; counts: their histograms.
        evidence: (64, 255) nats of each step of each frequency, against no quantization.
        quality: (100,) nats of each IJG quality, against no JPEG.
        proof: which quality gives the pixels back.
    """

    grid: int
    blocks: Blocks
    coefficients: Floats
    counts: Histograms
    evidence: Floats
    quality: Floats
    proof: Proof


def read_lattice(
    rgb: NDArray[np.uint8], y: Floats, grid: int, newest: Floats | None = None, most: int = LATTICE_BLOCKS
) -> Lattice:
    """The evidence of one grid.

    Args:
        rgb: tiles uint8 (n, 3, h, w); y: their luma; grid: offset index.
        newest: (100,) evidence of each quality by `grid.newest_evidence`, if at hand: another hint.
        most: of more blocks than twice this only a part is read.
    """
    blocks = choose_blocks(rgb, y, grid % 8, grid // 8, most)
    coefficients, counts, evidence = read_steps(blocks)
    quality = quality_evidence(evidence)
    telling = telling_blocks(blocks, coefficients, rgb, y, grid)
    proof = prove(telling, blocks, coefficients, quality, newest)
    return Lattice(grid, blocks, coefficients, counts, evidence, quality, proof)


@dataclass(frozen=True)
class History:
    """What the tiles tell.

    Attributes:
        grid: offset index y * 8 + x of the strongest grid; `grid_margin` its score over the next (nats, > 0).
        quality: (100,) evidence of each IJG quality on that grid, nats, against no JPEG.
        steps: (64,) the likeliest step of each frequency; `known` (64,) how sure, 0-1.
        nearest: IJG quality nearest to `steps`, unknown frequencies aside.
        fit: (100,) mean |log ratio| of the known steps to each IJG table.
        previous: (100,) evidence of each earlier quality on the same grid, nats.
        older_grids: the likeliest offsets of a second grid; `older_scores` their scores over the next one's.
        older: (candidates, sigmas, 100) evidence of each quality on those, with more or less noise since.
        newest: (sigmas, 100) the same on the strongest grid, against the mean of all other offsets.
        proof: which quality gives the pixels back when they are quantized again; asked only where clipped blocks had to be used.
        exactness: nats a block of the likeliest steps, whatever table they make.
        foreign: where none of IJG's tables explains the grid, the quality nearest to its own: a known encoder's, then `family`, or
            that of the steps; else 0.
        older_save: the lowest save on another grid, read through the later ones, where a table explains the newest grid.
        chroma: see `chroma.chroma_features`.
        sample: blocks used; coefficients: float32 (64, n) of them; `spread` log of their mean |coefficient|.
        last: the IJG quality whose table explains the newest grid beyond doubt, 0 for none.
    """

    grid: int
    grid_margin: float
    quality: Floats
    steps: Floats
    known: Floats
    nearest: int
    fit: Floats
    previous: Floats
    older_grids: tuple[int, ...]
    older_scores: Floats
    older: Floats
    newest: Floats
    proof: Proof
    exactness: float
    foreign: int
    family: bool
    older_save: OlderSave | None
    chroma: Floats
    sample: Blocks
    coefficients: Floats
    spread: float
    last: int


def read_history(rgb: NDArray[np.uint8]) -> History:
    """Evidence from tiles uint8 (n, 3, h, w) that share the phase of every 8x8 grid (origins at multiples of 8)."""
    y = luma(rgb)
    found = find_grid(rgb, y)
    grid, counted = found.offset, found.counted
    second = second_grid_scores(counted, grid)
    candidates = np.argsort(-second, kind="stable")[:OLDER_CANDIDATES]
    x0, y0 = grid % 8, grid // 8
    newest, *older = grid_evidence(counted, grid, candidates)
    blocks = choose_blocks(rgb, y, x0, y0, MOST_BLOCKS)
    coefficients, _, evidence = read_steps(blocks)
    quality = quality_evidence(evidence)
    best, standard = _likeliest_table(evidence, quality, newest.max(axis=0))
    proof = Proof(np.zeros(100, np.float32), 0, 0.0, best + 1, 1)
    if not blocks.clean:
        telling = telling_blocks(blocks, coefficients, rgb, y, grid)
        proof = prove(telling, blocks, coefficients, quality, newest.max(axis=0))
    if proof.proved:
        best, standard = proof.proved - 1, True
    steps, known = likeliest_steps(evidence, best)
    fit = table_distances(steps, known)
    table = LUMA_TABLES[best] if standard else steps.astype(np.int64)
    previous = previous_evidence(count_levels(coefficients, table), table)
    ranked_second = np.sort(second)
    likely = int(quality.argmax()) + 1
    last = proof.proved or (likely if float(quality.max()) > STRONG and likely <= FINEST else 0)
    nearest = int(fit.argmin()) + 1
    family = 0 if last else family_quality(evidence)
    family = family if family < FINEST else 0  # steps of 1 and 2 are in every family
    newest_save = last or (family or nearest if family or known.mean() >= EXACT else 0)
    return History(
        grid=grid,
        grid_margin=found.margin,
        quality=quality,
        steps=steps,
        known=known,
        nearest=nearest,
        fit=fit,
        previous=previous,
        older_grids=tuple(int(place) for place in candidates),
        older_scores=(second[candidates] - ranked_second[-1 - OLDER_CANDIDATES]).astype(np.float32),
        older=np.stack(older),
        newest=newest,
        proof=proof,
        exactness=any_table(evidence) / max(1, len(blocks)),
        foreign=0 if last else family or nearest,
        family=family > 0,
        older_save=read_older(rgb, y, counted, grid, newest_save) if newest_save else None,
        chroma=chroma_features(rgb, y, x0, y0),
        sample=blocks,
        coefficients=coefficients,
        spread=float(np.log(np.abs(coefficients[1:]).mean() + 0.05)) if len(blocks) else -3.0,
        last=last,
    )


def _likeliest_table(evidence: Floats, quality: Floats, newest: Floats) -> tuple[int, bool]:
    """Index (quality - 1) of the IJG table to go on with, and whether it is likely the very one."""
    best, rival = int(quality.argmax()), int(newest.argmax())
    if float(quality[best]) > 0.5 * float(evidence.max(axis=1)[1:].sum()) or abs(best - rival) <= 1:
        return best, True
    if float(newest[rival]) > CERTAIN and float(quality[best]) < 0:
        return rival, float(quality[rival]) > 0
    return best, False


def likeliest_steps(evidence: Floats, best: int) -> tuple[Floats, Floats]:
    """(steps, known), each (64,): the likeliest step of each frequency, drawn towards the best IJG table where little is known.

    Args:
        evidence: (64, 255) nats; best: index (quality - 1) of the likeliest IJG table.
    """
    candidates = np.arange(1, 256, dtype=np.float32)
    distance = np.abs(np.log(candidates)[None, :] - _LOG_TABLES[best][:, None])
    pulled = evidence - 4.0 * distance
    index = pulled.argmax(axis=1)
    gain = evidence[_ALL, index]
    # zeros alone fit every large step: what is known is how much better the step is than twice and half of it
    rival = np.maximum(evidence[_ALL, np.minimum(2 * index + 1, 254)], evidence[_ALL, np.minimum(index + 3, 254)])
    known = np.clip(np.minimum(gain, gain - rival) / KNOWN, 0, 1)
    known[0] = 0
    return (index + 1).astype(np.float32), known.astype(np.float32)


def table_distances(steps: Floats, known: Floats) -> Floats:
    """Mean |log ratio| of the steps to each IJG luma table, weighted by `known`: float32 (100,)."""
    weights = known + np.float32(0.02)
    distances: Floats = (np.abs(_LOG_TABLES - np.log(steps)) @ weights) / weights.sum()
    return distances
