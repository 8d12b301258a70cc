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
CODEC, PLAIN_CODEC, KNOWN = 1.5, 3.0, 0.45
"""How much clearer the tables of another codec must be where less than `KNOWN` of the steps are exact, and where more are."""
FINEST = 97
STRONG = 60.0
"""Nats from which an IJG table on the ordinary grid is beyond doubt."""


def explained(history: History) -> bool:
    """Whether one of IJG's tables explains the ordinary grid; those of nothing but steps of 1 and 2 explain any whole numbers."""
    likely = float(history.quality.max()) > STRONG and int(history.quality.argmax()) < FINEST
    return likely or bool(history.proof.proved)


def lowest_sure(history: History, filtered: NDArray[np.float32]) -> int:
    """The lowest quality that the ordinary grid shows beyond doubt, as it is or through a filter; 100 for none, 0 for another codec.

    Args:
        filtered: from `filtered_answer`.
    """
    found = [100]
    if float(history.quality.max()) > STRONG:
        found.append(int(history.quality.argmax()) + 1)
    if history.proof.proved:
        found.append(history.proof.proved)
    quality, nats, other, known, codec = (float(value) for value in filtered)
    if codec:
        return 0  # its own lattice would be found again at half and twice its size
    if nats > max(BEFORE if known else CLEAR, other):
        found.append(int(quality))
    return min(found)


def filtered_answer(history: History, filtered: Filtered) -> NDArray[np.float32]:
    """What the grid of the newest save tells through filters: float32 (5,).

    The likeliest quality and its nats; those of another codec's tables; whether one of IJG's tables explains the grid as it is; whether
    another codec does. Where one of `FINE` or more explains it, the likeliest quality is that of a save before, and `APART` lower.
    """
    known = explained(history)
    last = history.proof.proved or int(history.quality.argmax()) + 1
    if known and last < FINE:
        return np.array([100, 0, 0, 1, 0], np.float32)
    quality, nats = filtered.best(last - APART) if known else filtered.best()
    # a JPEG with tables of that shape gives exact steps, which loop filters and other colour spaces blur
    blurred = float(history.known.mean()) < KNOWN
    codec = not known and filtered.other > max(BEFORE, (CODEC if blurred else PLAIN_CODEC) * nats)
    return np.array([quality, nats, filtered.other, float(known), float(codec)], np.float32)


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
