"""Pairs that look alike, compared in the files' own pixels where the files are at hand."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from cliqa.duplicates.decoding import Pixels
from cliqa.duplicates.links import OTHER_EXPOSURE, Link
from cliqa.duplicates.pictures import Picture
from cliqa.signal.copies.descent import made_of
from cliqa.signal.copies.grain import noise_apart
from cliqa.signal.copies.light import light_apart, parts_of
from cliqa.signal.copies.shots import Box, compare
from cliqa.signal.copies.turns import turned_thumbnails

ALL_PAIRS = 8  # members up to which all pairs of a group are compared; of a thousand copies of one picture each is compared once
# Other members that two "shots" of one scene are both copies of, from which on they are taken for copies themselves: a verdict that
# some edit has misled. Each has to have this share of their pixels, or it could not show what moved.
WITNESSES, LARGE = 2, 0.5
# Units of JPEG quality below that of the file's own tables; the reading of a single save errs by less
ANOTHER_SAVE = 3.0
# Pixels by which two files of one size are off each other, of whose noise is asked: frames from a tripod are in 97 %, a crop of one
# pixel that was enlarged again is 1.0
ON_EACH_OTHER = 0.25
_FRAME = ("width", "height", "orientation", "content_box")
MOST_SHOTS = 32  # of one picture; a night's frames from a tripod are not all compared with each other

Look = Callable[[int], Pixels | None]


def looked_at(
    links: Iterable[Link], pictures: Sequence[Picture], look: Look, most: int | None = None
) -> tuple[list[Link], list[Link]]:
    """Links of copies -> those that were decided, as what they are, and those that were not.

    Large pictures are compared first: a small copy, that two frames could have, then joins one of them at most.

    Args:
        links: of the kind `near`.
        pictures: what is known of each.
        look: gives pixels by index, see `decoding.Decoded`; None where the file isn't at hand.
        most: how many pairs are compared at most; None for all.
    """
    order = sorted(links, key=lambda link: -min(_pixels(pictures[link.first]), _pixels(pictures[link.second])))
    joined: dict[int, set[int]] = {}
    apart: Counter[int] = Counter()
    decided, left = [], []
    compared = 0
    for link in order:
        one, two = (joined.setdefault(index, {index}) for index in (link.first, link.second))
        if one is two and len(one) > ALL_PAIRS:
            continue
        enough = compared == most or max(apart[link.first], apart[link.second]) >= MOST_SHOTS
        first, second = (None, None) if enough else (look(link.first), look(link.second))
        if first is None or second is None:
            left.append(link)
            continue
        compared += 1
        grey = turned_thumbnails(second.grey[None], link.turn)[0]
        light = light_apart(*parts_of(first.grey, grey, link.box))
        shots = compare(first.grey, grey, link.box)
        if shots.two or _own_noise(link, shots.box, (first, second), (pictures[link.first], pictures[link.second])):
            apart.update((link.first, link.second))
            decided.append(replace(link, kind="bracket" if abs(light) >= OTHER_EXPOSURE else "burst", light=light))
            continue
        child = -1 if link.turn else _child(link, first, second)
        decided.append(replace(link, box=shots.box, light=light, tones=shots.tones, child=child))
        if one is not two:
            one |= two
            joined |= dict.fromkeys(two, one)
    return _reconciled(decided, pictures), left


def _child(link: Link, first: Pixels, second: Pixels) -> int:
    """Which of two files of one size is a JPEG that was made of the other, -1 where neither was, or either could be."""
    if first.middle.shape != second.middle.shape:
        return -1
    found = [
        index
        for index, one, other in ((link.first, first, second), (link.second, second, first))
        if one.table and made_of(other.middle, one.middle, one.table)
    ]
    return found[0] if len(found) == 1 else -1


def _own_noise(link: Link, box: Box, pixels: tuple[Pixels, Pixels], pictures: tuple[Picture, Picture]) -> bool:
    """Whether two files of one size, that lie on each other to a fraction of a pixel, have noise, and each its own."""
    if link.turn or any(pictures[0].values.get(name) != pictures[1].values.get(name) for name in _FRAME):
        return False
    off = np.abs(np.subtract(box, (0, 0, 1, 1))) * (pictures[0].sides * 2)
    return float(off.max()) <= ON_EACH_OTHER and noise_apart(
        pixels[0].middle, pixels[1].middle, _made_alike(pixels, pictures)
    )


def _made_alike(pixels: tuple[Pixels, Pixels], pictures: tuple[Picture, Picture]) -> bool:
    """Whether one camera, or one program, made two JPEG files in one go: by one table, and nothing tells of other saves.

    What a save at a lower quality took doesn't come back, and would be taken for noise of the other file's own.
    """
    return bool(pixels[0].table) and pixels[0].table == pixels[1].table and all(map(_saved_once, pictures))


def _saved_once(picture: Picture) -> bool:
    """Whether the history of a JPEG is known, and holds no lower quality and no other codec."""
    quality, header = picture.number("jpeg_quality.quality"), picture.number("jpeg_quality.qf_header")
    known = quality is not None and header is not None and quality >= header - ANOTHER_SAVE
    return known and picture.values.get("compression.codec") in (None, "none", "jpeg")


def _reconciled(links: Sequence[Link], pictures: Sequence[Picture]) -> list[Link]:
    """Two shots that enough others are copies of, both, are copies too: links of shots turned into such of copies, in doubt."""
    copies: dict[int, set[int]] = defaultdict(set)
    for link in links:
        if link.kind == "near":
            copies[link.first].add(link.second)
            copies[link.second].add(link.first)
    found = []
    for link in links:
        least = LARGE * min(_pixels(pictures[link.first]), _pixels(pictures[link.second]))
        both = copies[link.first] & copies[link.second]
        overruled = link.kind != "near" and sum(_pixels(pictures[index]) >= least for index in both) >= WITNESSES
        found.append(replace(link, kind="near", tones=math.inf) if overruled else link)
    return found


def _pixels(picture: Picture) -> int:
    width, height = picture.sides
    return width * height
