"""What the metric `jpeg_quality` reads of a `resized.Resized`, and whether the ordinary lattice needs one beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.filtered import APART, FINE, Filtered
from cliqa.signal.jpeg.history import History
from cliqa.signal.jpeg.resized import CLEAR, Resized

RESIZED_NUMBERS = 8
BEFORE = 100.0
"""Nats of a save before a filter and a last save: the last save's own lattice can reach some of it."""
FINEST = 97
STRONG = 60.0
"""Nats from which an IJG table on the ordinary grid is beyond doubt."""


def explained(history: History) -> bool:
    """Whether one of IJG's tables explains the ordinary grid; those of nothing but steps of 1 and 2 explain any whole numbers."""
    likely = float(history.quality.max()) > STRONG and int(history.quality.argmax()) < FINEST
    return likely or bool(history.proof.proved)


def lowest_sure(history: History, filtered: NDArray[np.float32]) -> int:
    """The lowest quality that the ordinary grid shows beyond doubt, as it is or through a filter; 100 for none.

    Args:
        filtered: from `filtered_answer`.
    """
    found = [100]
    if float(history.quality.max()) > STRONG:
        found.append(int(history.quality.argmax()) + 1)
    if history.proof.proved:
        found.append(history.proof.proved)
    quality, nats, other, known = (float(value) for value in filtered[:4])
    if nats > max(BEFORE if known else CLEAR, other):
        found.append(int(quality))
    return min(found)


def filtered_answer(history: History, filtered: Filtered) -> NDArray[np.float32]:
    """What the grid of the newest save tells through filters: float32 (5,).

    The likeliest quality and its nats; those of another codec's tables; whether one of IJG's tables explains the grid as it is; the
    number of blocks. Where one of `FINE` or more explains it, the likeliest quality is that of a save before, and `APART` lower.
    """
    known = explained(history)
    last = history.proof.proved or int(history.quality.argmax()) + 1
    if known and last < FINE:
        return np.array([100, 0, 0, 1, filtered.blocks], np.float32)
    quality, nats = filtered.best(last - APART) if known else filtered.best()
    return np.array([quality, nats, filtered.other, float(known), filtered.blocks], np.float32)


def resized_answer(found: Resized | None) -> NDArray[np.float32]:
    """The likeliest save before a resize: float32 (8,).

    Quality, nats and mean step (native pixels an output pixel); then the nats of its rival of another size, the lead over the next
    quality, whether its comb is clear, whether offsets were free, and the number of native blocks.
    """
    if found is None:
        return np.zeros(RESIZED_NUMBERS, np.float32)
    best = found.best
    away = np.abs(np.arange(100) - int(best.evidence.argmax())) > 2
    lead = best.nats - float(best.evidence[away].max())
    step = float(np.sqrt(best.across.step * best.down.step))
    nats = (
        best.nats if best.spread >= CLEAR else min(best.nats, best.spread)
    )  # some few frequencies alone are no lattice
    numbers = [best.quality, nats, step, found.rival, lead, float(best.combed), float(best.cropped), best.blocks]
    return np.array(numbers, np.float32)
