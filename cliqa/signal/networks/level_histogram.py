"""Answers as a histogram over levels: what several networks say is averaged, and the median is robust where two answers are likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def softmax(logits: Floats) -> Floats:
    """exp(logits) over their sum along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def median_level(probabilities: Floats, lowest: float, step: float = 1.0) -> float:
    """The median of a histogram with bins of width `step` around lowest, lowest + step ..., linear within a bin."""
    cumulated = np.cumsum(probabilities, dtype=np.float64)
    index = min(int(np.searchsorted(cumulated, 0.5)), len(probabilities) - 1)
    before = cumulated[index - 1] if index else 0.0
    within = (0.5 - before) / max(float(probabilities[index]), 1e-9)
    return float(lowest + step * (index - 0.5 + min(max(within, 0.0), 1.0)))
