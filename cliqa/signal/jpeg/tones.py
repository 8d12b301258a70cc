"""A JPEG save before a tone curve: the curve scales the lattice by its slope, which is another one in dark blocks than in bright ones.

A table scaled is nearly that of another quality, so from one slope alone nothing tells the two apart. But over the whole range the
slopes of a curve average to about 1. So blocks are asked by their brightness, and the scales that they tell are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.phases import CAP, COARSE, chosen_frequencies, evidence_of, table_places

Floats = NDArray[np.float32]

APART = 6
"""How much lower than the last save an earlier one must be to be seen."""
RANGES = 4
"""Ranges of brightness: more have too few blocks each, fewer hide where a curve bends."""
FEWEST = 60
"""Blocks that a range must have to be asked."""
CLEAR, CLEAR_SPREAD = 15.0, 15.0
"""Nats from which a range tells a quality, and the same with no frequency counting more than `CAP`."""
LATTICE, LATTICE_ALONE = 75.0, 95.0
"""The latter from which there is a save, where a later save is known and where none is: a later one's own lattice reached 57,
sharpening, in ranges of its own, 88."""


@dataclass(frozen=True)
class Toned:
    """A save seen through a tone curve: its quality (100 for none), its nats, and the clearest range's with frequencies capped."""

    quality: int = 100
    nats: float = 0.0
    spread: float = 0.0


def ranges_of(brightness: Floats) -> NDArray[np.intp]:
    """The range of each of some blocks by their means, 0-255."""
    found: NDArray[np.intp] = np.clip(brightness * (RANGES / 256), 0, RANGES - 1).astype(np.intp)
    return found


def read_tones(curves_of_ranges: Floats, blocks: NDArray[np.intp], last: int = 0) -> Toned:
    """The likeliest save.

    Args:
        curves_of_ranges: `phases.step_curves_of_groups` of blocks on the grid of the save, by `ranges_of` them, `COARSE`.
        blocks: (RANGES,) how many each range has.
        last: quality of a later save, 0 for none; only lower ones are asked then.
    """
    below, least = (last - APART, LATTICE) if last else (100, LATTICE_ALONE)
    scales, total, clearest = [], 0.0, 0.0
    asked = curves_of_ranges[blocks >= FEWEST]
    if below < 1 or most_of_any(asked, below) <= least:
        return Toned()
    for curves in asked:
        evidence = evidence_of(curves, 8, 8, detail=COARSE).max(axis=0)[:below]
        best = int(evidence.argmax())
        if evidence[best] <= CLEAR:
            continue
        capped = np.clip(curves, -np.float32(CAP), np.float32(CAP))
        spread = float(evidence_of(capped, 8, 8, detail=COARSE, quality=best + 1).max())
        if spread > CLEAR_SPREAD:
            scales.append(_scale(best + 1))
            total += float(evidence[best])
            clearest = max(clearest, spread)
    return Toned(_quality(sum(scales) / len(scales)), total, clearest) if clearest > least else Toned()


def most_of_any(curves_of_ranges: Floats, below: int) -> float:
    """What any range tells of the lowest `below` qualities at most, no frequency counting more than `CAP`: each at its best step."""
    best = (curves_of_ranges + _out_of_reach(below)).max(axis=3, initial=0.0)
    np.minimum(best, np.float32(CAP), out=best)
    near = best.copy()  # `evidence_of` takes the neighbouring deviations, too
    np.maximum(near[..., 1:], best[..., :-1], out=near[..., 1:])
    np.maximum(near[..., :-1], best[..., 1:], out=near[..., :-1])
    return float(near.sum(axis=1).max(initial=0.0))


@lru_cache(maxsize=16)
def _out_of_reach(below: int) -> Floats:
    """Minus infinity at the steps that are smaller than those of the lowest `below` qualities, else 0: (frequencies, 1, steps + 1)."""
    places = table_places(chosen_frequencies(8, 8), False, COARSE)[:, :below]
    least = places.min(axis=(0, 1))
    steps = np.arange(len(COARSE.steps) + 1)
    hidden: Floats = np.where(steps < least[:, None], -np.float32(np.inf), np.float32(0))[:, None]
    return hidden


def _scale(quality: int) -> float:
    """By how much IJG's quality scales the standard's tables."""
    return 50 / quality if quality < 50 else 2 - quality / 50


def _quality(scale: float) -> int:
    """The quality (1-100) of that scale."""
    return int(np.clip(round(50 / scale if scale > 1 else 100 - 50 * scale), 1, 100))
