"""Draws of the settings of a step: each is a function of the generator, and takes one number of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np

from cliqa.training.histories.picture import Rng

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)
Draw = Callable[[Rng], T]


def pick(rng: Rng, shares: Mapping[Key, float]) -> Key:
    """A key, as often as its share of the sum says."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def drawn(rng: Rng, value: T | Draw[T]) -> T:
    """A value as it is, or what is drawn."""
    return value(rng) if callable(value) else value


def integers(low: int, high: int) -> Draw[int]:
    """A whole number, `low` to `high`."""
    return lambda rng: int(rng.integers(low, high + 1))


def uniform(low: float, high: float) -> Draw[float]:
    """A number from `low` to `high`."""
    return lambda rng: float(rng.uniform(low, high))


def chance(share: float) -> Draw[bool]:
    """True in that share."""
    return lambda rng: bool(rng.random() < share)


def any_of(*values: T) -> Draw[T]:
    """One of the values, all as often."""
    return lambda rng: values[int(rng.integers(len(values)))]


def by_share(shares: Mapping[Key, float]) -> Draw[Key]:
    """A key, as often as its share says."""
    return lambda rng: pick(rng, shares)
