"""What the metric `jpeg_quality` observes of tiles and of a resize: the evidence of all grids, as its networks and rules read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.features import features, hypotheses
from cliqa.signal.jpeg.filtered import BEFORE, FINE, Filtered, read_filtered
from cliqa.signal.jpeg.history import EXACT, EXACTLY, STRONG, History, read_history
from cliqa.signal.jpeg.hypothesis import Hypothesis
from cliqa.signal.jpeg.hypothesis_evidence import CLEAR
from cliqa.signal.jpeg.older_grids import read_beneath
from cliqa.signal.jpeg.other_tables import EXPLAINS, stated_share
from cliqa.signal.jpeg.quantization import nearest_quality
from cliqa.signal.jpeg.tones import APART

Floats = NDArray[np.float32]

FAMILY = 2.0
"""In place of the certainty of the steps: the file's own tables or those of a known encoder explain them, or they are `EXACTLY` met."""
RESIZED_NUMBERS = 4
CODEC, EXACT_CODEC, BEYOND_DOUBT = 1.5, 3.7, 0.86
"""How much clearer than IJG's the tables of another codec must be; more where so large a part of the steps is certain that they are a
JPEG's: JPEG XL reached 0.84."""


def read_tiles(rgb: NDArray[np.uint8], table: Sequence[int] = ()) -> tuple[dict[str, Floats], History, int]:
    """(evidence, history, lowest): what the grids of some tiles tell, turned back where the picture was turned by 90 degrees.

    `lowest` is the lowest quality that is beyond doubt; `table` the file's own, which is the quality where it alone explains the grid.
    """
    history = read_history(rgb)
    if table and not history.last and not history.grid and stated_share(rgb, table)[0] >= EXPLAINS:
        history = replace(history, foreign=nearest_quality(table), family=True)
    filtered = _filtered(rgb, history)
    if filtered is not None and filtered.looks_turned and not history.last:
        rgb = np.ascontiguousarray(rgb.transpose(0, 1, 3, 2))
        history = read_history(rgb)
        filtered = _filtered(rgb, history)
    answer = filtered_answer(history, filtered, has_few_colours(rgb))
    middle = middle_save(answer, filtered)
    if middle and history.older_save is None:
        history = replace(history, older_save=read_beneath(rgb, history.grid, middle))
    found = {
        "features": features(history),
        "proposals": hypotheses(history),
        "filtered": answer,
        "older": older_answer(history),
    }
    return found, history, lowest_sure(history, answer)


def _filtered(rgb: NDArray[np.uint8], history: History) -> Filtered | None:
    """What tiles tell through filters; None where a coarse save explains them."""
    if 0 < history.last < FINE:
        return None
    return read_filtered(rgb, history.grid, history.last, (history.sample, history.coefficients))


def lowest_sure(history: History, filtered: Floats) -> int:
    """The lowest quality that the ordinary grid shows beyond doubt, as it is or through a filter; 100 for none, 0 for another codec.

    Args:
        filtered: from `filtered_answer`.
    """
    found = [100]
    if float(history.quality.max()) > STRONG:
        found.append(int(history.quality.argmax()) + 1)
    if history.proof.proved:
        found.append(history.proof.proved)
    if history.older_save is not None:
        found.append(history.older_save.quality)
    quality, nats, other, known, codec = (float(value) for value in filtered[:5])
    if codec:
        return 0  # its own lattice would be found again at half and twice its size
    if nats > max(BEFORE if known else CLEAR, other):
        found.append(int(quality))
    return min(found)


PALETTE = 256
"""Most colours of a palette."""
PALETTED = 91
"""Finer saves are not told beneath a palette."""
GRIDDED = 100.0
"""Nats by which a palette's grid must lead the next offset: of 43 that were never saved the most is 40, of 43 saved ones 37 have
139 or more (validation and training photographs)."""
_SAMPLED = 5
"""Every so many pixels of a row are asked for their colour."""
_TOGETHER = 1024
"""So many of those are counted at a time: most photographs have a palette's colours among the first."""


def has_few_colours(rgb: NDArray[np.uint8]) -> bool:
    """Whether tiles uint8 (n, 3, h, w) have the colours of a palette, which are not all grey."""
    colours: set[int] = set()
    for tile in rgb[..., ::_SAMPLED]:
        red, green, blue = tile.reshape(3, -1).astype(np.int32)
        for first in range(0, len(red), _TOGETHER):  # a photograph's first few pixels have more already
            some = slice(first, first + _TOGETHER)
            colours.update((red[some] << 16 | green[some] << 8 | blue[some]).tolist())
            if len(colours) > PALETTE:
                return False
    return any(colour >> 16 != colour >> 8 & 255 for colour in colours)


def filtered_answer(history: History, filtered: Filtered | None, palette: bool = False) -> Floats:
    """What the grid of the newest save tells through filters: float32 (9,).

    The likeliest quality and its nats; those of another codec's tables; whether one of IJG's tables explains the grid as it is; whether
    another codec does; how certain the steps are (0-1, or `FAMILY`); the IJG quality
    nearest to them where none of IJG's does. Where a fine one explains the grid, the likeliest quality is that of a save before, and
    `APART` lower; where a coarse one does, no filter is asked (None). At last, where there is a palette and its grid is beyond doubt,
    the likeliest quality up to `PALETTED` by the histograms of all offsets, and its nats: a palette's noise hides the lattice, but not
    that one offset differs.
    """
    last = history.last
    if filtered is None:
        return np.array([100, 0, 0, 1, 0, 1, 0, 100, 0], np.float32)
    quality, nats = filtered.best(last - APART) if last else filtered.best()
    # where an IJG table explains the grid and blocks of all brightness tell of an older one, no other codec was there
    other = 0.0 if last and nats == filtered.toned.nats else filtered.other
    exact = float(history.known.mean())
    if history.family or (
        history.exactness >= EXACTLY and exact >= EXACT
    ):  # a drawing's few blocks meet any step exactly
        exact = FAMILY
    clearer = CODEC * nats if exact < BEYOND_DOUBT else EXACT_CODEC * float(filtered.evidence.max())
    codec = not last and filtered.other > max(BEFORE, clearer)
    newest = history.newest[:, :PALETTED].max(axis=0)
    by_offsets = float(newest.max()) if palette and history.grid_margin > GRIDDED else 0.0
    paletted = int(newest.argmax()) + 1 if by_offsets else 100
    numbers = [quality, nats, other, float(last > 0), float(codec), exact, history.foreign, paletted, by_offsets]
    return np.array(numbers, np.float32)


def middle_save(answer: Floats, filtered: Filtered | None) -> int:
    """Quality of a save that a fine one on another grid hides from the ordinary lattice, 0 for none.

    Args:
        answer: from `filtered_answer`.
    """
    quality, nats, other, known, codec = (float(value) for value in answer[:5])
    seen = filtered is not None and filtered.plain and not known and not codec and nats > max(BEFORE, other)
    return int(quality) if seen else 0


def older_answer(history: History) -> Floats:
    """The lowest save on an older grid: its quality and its nats; 100 and 0 where there is none: float32 (2,)."""
    older = history.older_save
    return np.array([older.quality, older.nats] if older else [100, 0], np.float32)


def resized_answer(found: Hypothesis | None) -> Floats:
    """The likeliest save before a resize: float32 (4,): quality, nats, mean step (native pixels an output pixel), is its comb clear."""
    if found is None:
        return np.zeros(RESIZED_NUMBERS, np.float32)
    step = float(np.sqrt(found.across.step * found.down.step))
    nats = found.nats if found.believed else min(found.nats, CLEAR - 1)  # few frequencies alone are no lattice
    return np.array([found.quality, nats, step, float(found.combed)], np.float32)
