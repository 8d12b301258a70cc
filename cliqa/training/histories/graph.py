"""A random graph of steps: what follows what, and how often.

A `Step` draws its own settings and moves a picture on. The functions here join steps to larger ones, and a recipe declares its
histories by them. Every choice takes one number of the generator, and every setting is drawn where it is written, left to right: a
history is the same whoever draws it again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np

from cliqa.training.histories.picture import Change, Picture, Rng

Step = Callable[[Rng, Picture], Picture]
T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)
Draw = Callable[[Rng], T]


def untouched(rng: Rng, picture: Picture) -> Picture:
    """Nothing happens."""
    return picture


def pick(rng: Rng, shares: Mapping[Key, float]) -> Key:
    """A key, as often as its share of the sum says."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def one_of(shares: Mapping[Step, float]) -> Step:
    """One of the steps, each in that share of the pictures; what is left to 1 stays untouched."""
    left = 1 - sum(shares.values())
    whole = {**shares, untouched: left} if left > 1e-9 else shares

    def step(rng: Rng, picture: Picture) -> Picture:
        return pick(rng, whole)(rng, picture)

    return step


def sometimes(share: float, step: Step, otherwise: Step = untouched) -> Step:
    """The step in that share of the pictures."""
    return lambda rng, picture: (step if rng.random() < share else otherwise)(rng, picture)


def evenly(*steps: Step) -> Step:
    """One of the steps, all as often; one that stands twice twice as often."""
    return lambda rng, picture: steps[int(rng.integers(len(steps)))](rng, picture)


def in_order(*steps: Step) -> Step:
    """One after the other."""

    def step(rng: Rng, picture: Picture) -> Picture:
        for each in steps:
            picture = each(rng, picture)
        return picture

    return step


def times(count: Draw[int], step: Step) -> Step:
    """The step as often as drawn."""
    return lambda rng, picture: in_order(*[step] * count(rng))(rng, picture)


def on_pixels(change: Change) -> Step:
    """The step that changes pixels, and those of the twins, by a function of them."""
    return lambda rng, picture: picture.changed(rng, change)


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
