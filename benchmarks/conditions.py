"""What a benchmark condition is. Each metric's conditions lie in `conditions_<metric>.py` beside this file.

A condition turns pristine photographs into images with a known truth; `accuracy.py` scores them through the product's own
metric and prints one row a condition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cliqa.images.loading import LoadedImage
from cliqa.metrics import Value
from cliqa.signal.statistics.thresholds import wilson
from cliqa.training.photos import Photo

Truth = dict[str, float | str]
Scored = tuple[Truth, dict[str, Value]]


@dataclass(frozen=True)
class Condition:
    """One row (or a few) of the table.

    Attributes:
        name: the row's title.
        bar: what should be reached, in words ("MAE <= 0.5").
        make: (rng, photo) -> the image to score and its truth; a truth may carry tags ("kernel", "family") for breakdowns.
            None where the photograph does not fit the condition.
        summarise: all (truth, fields) pairs -> named figures, in the order printed.
        kinds: which photographs it is made from.
        repeats: how many images are made from each photograph.
        plot: (truth key, field) for the scatter of prediction against truth, if any.
        breakdown: truth keys by which the first figure is broken down.
    """

    name: str
    bar: str
    make: Callable[[np.random.Generator, Photo], tuple[LoadedImage, Truth] | None]
    summarise: Callable[[list[Scored]], dict[str, float]]
    kinds: tuple[str, ...] = ("lossless",)
    repeats: int = 4
    plot: tuple[str, str] | None = None
    breakdown: tuple[str, ...] = field(default=())


def share(hits: NDArray[np.bool_], digits: int = 0) -> str:
    """Per cent of pictures, and its 95 % interval: "88% (80-93)"."""
    low, high = wilson(float(hits.sum()), float(hits.size))
    return f"{hits.mean():.{digits}%} ({100 * low:.0f}-{100 * high:.0f})"
