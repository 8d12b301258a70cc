"""A random graph of steps: what follows what, and how often.

A `Step` draws its own settings and moves a picture on. The functions here join steps to larger ones, and a recipe declares its
histories by them. Every choice takes one number of the generator, and every setting is drawn where it is written, left to right: a
history is the same whoever draws it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cliqa.training.histories.draws import Draw, pick
from cliqa.training.histories.picture import Change, Picture, Rng

Step = Callable[[Rng, Picture], Picture]


def untouched(rng: Rng, picture: Picture) -> Picture:
    """Nothing happens."""
    return picture


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
