"""Pairs that look alike, compared in the files' own pixels where the files are at hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cliqa.duplicates.links import OTHER_EXPOSURE, Link
from cliqa.duplicates.pictures import Picture
from cliqa.signal.copies.shots import compare, light_apart
from cliqa.signal.copies.turns import turned_thumbnails

ALL_PAIRS = 8  # members up to which all pairs of a group are compared; of a thousand copies of one picture each is compared once
# Other members that two "shots" of one scene are both copies of, from which on they are taken for copies themselves: a verdict that
# some edit has misled. Each has to have this share of their pixels, or it could not show what moved.
WITNESSES, LARGE = 2, 0.5
MOST_SHOTS = 32  # of one picture; a night's frames from a tripod are not all compared with each other

Look = Callable[[int], "NDArray[np.uint8] | None"]


def looked_at(
    links: Iterable[Link], pictures: Sequence[Picture], look: Look, most: int | None = None
) -> tuple[list[Link], list[Link]]:
    """Links of copies -> those that were decided, as what they are, and those that were not.

    Large pictures are compared first: a small copy, that two frames could have, then joins one of them at most.

    Args:
        links: of the kind `near`.
        pictures: what is known of each.
        look: gives grey pictures by index, see `decoding.Decoded`; None where the file isn't at hand.
        most: how many pairs are compared at most; None for all.
    """
    order = sorted(links, key=lambda link: -min(_pixels(pictures[link.first]), _pixels(pictures[link.second])))
    joined: dict[int, set[int]] = {}
    shots: Counter[int] = Counter()
    decided, left = [], []
    compared = 0
    for link in order:
        one, two = (joined.setdefault(index, {index}) for index in (link.first, link.second))
        if one is two and len(one) > ALL_PAIRS:
            continue
        enough = compared == most or max(shots[link.first], shots[link.second]) >= MOST_SHOTS
        first, second = (None, None) if enough else (look(link.first), look(link.second))
        if first is None or second is None:
            left.append(link)
            continue
        compared += 1
        second = turned_thumbnails(second[None], link.turn)[0]
        light = light_apart(first, second, link.box)
        if compare(first, second, link.box).two:
            shots.update((link.first, link.second))
            decided.append(replace(link, kind="bracket" if abs(light) >= OTHER_EXPOSURE else "burst", light=light))
            continue
        decided.append(replace(link, light=light))
        if one is not two:
            one |= two
            joined |= dict.fromkeys(two, one)
    return _reconciled(decided, pictures), left


def _reconciled(links: Sequence[Link], pictures: Sequence[Picture]) -> list[Link]:
    """Two shots that enough others are copies of, both, are copies too: links of shots turned into such of copies."""
    copies: dict[int, set[int]] = defaultdict(set)
    for link in links:
        if link.kind == "near":
            copies[link.first].add(link.second)
            copies[link.second].add(link.first)
    found = []
    for link in links:
        least = LARGE * min(_pixels(pictures[link.first]), _pixels(pictures[link.second]))
        both = copies[link.first] & copies[link.second]
        one = link.kind == "near" or sum(_pixels(pictures[index]) >= least for index in both) >= WITNESSES
        found.append(replace(link, kind="near") if one else link)
    return found


def _pixels(picture: Picture) -> int:
    width, height = picture.sides
    return width * height
