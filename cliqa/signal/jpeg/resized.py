"""A JPEG save seen through a resize: combs propose native sizes, the resize is undone, the lattice read on the native grid.

Of the sizes that the combs propose a first guess is made with one kernel on a few blocks; the likeliest are read with all kernels and
on all blocks. Where no whole native size shows a lattice, the picture may have been cropped before or after the resize: then steps
and offsets are free, placed and refined. Small pictures are cheap: there every reduction is tried where the combs lead nowhere. A
lattice is believed only where it is seen at one place of the blocks and not beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, replace

import numpy as np
from PIL import Image

from cliqa.signal.jpeg.combs import FAMILY, Candidate, Combs
from cliqa.signal.jpeg.corner import likely_reductions
from cliqa.signal.jpeg.hypothesis import COMBED, Hypothesis
from cliqa.signal.jpeg.hypothesis_evidence import (
    CLEAR,
    FEW,
    FIRST_KERNEL,
    OBVIOUS,
    by_kernels,
    compared,
    is_codecs,
    likeliest,
    read_hypothesis,
    refined,
)
from cliqa.signal.jpeg.native_blocks import Axis, Window
from cliqa.signal.jpeg.phases import FINE
from cliqa.signal.jpeg.placement import placed
from cliqa.signal.jpeg.windows import LARGEST_REGION, Windows, cut_window, thinned_region

TRIED, TRIED_CROPPED = 8, 4
"""Candidates of which a first guess is made, of whole native sizes and then of free offsets: of nine in ten it is the first."""
SMALL = 800
"""Longer side up to which reductions are tried one after the other: in larger ones the combs of more lines are clearer, and the corner
is a small part. By the cost."""
REDUCTIONS, FAINT = 3, 7.0
"""The likeliest of them that are looked at, and the nats that each has at least: pictures without a save reach 8, and true
steps are seldom beyond the third (validation)."""
PLACED = 3
"""Cropped ones whose place is sought where none shows a lattice as it is: a true comb is mostly among the first three."""
AXES = 3
"""Combs of each axis that are paired where no equal factors show a lattice."""
PROVED = 2
"""Of those as many as have the clearest lattice are read on more blocks, beside those with the clearest combs."""
SURE, AFTER = 150.0, 2
"""Nats of a first guess of a whole native size from which no cropped ones are guessed, and no more than so many after it in its family:
beside a crop that was resized, whole sizes reached 92 (validation)."""
PLAIN = 50.0
"""Nats, each frequency capped, from which no other candidate needs to be tried: wrong ones reached 20."""
HINT = 12.0
"""Nats below which other kernels are not worth trying."""
HIGHEST = 88
"""Qualities above this are not told from none: some pictures without JPEG have 200 nats at 92-95, whose steps are small."""
PROBED, SHORT = 448, 4096
"""Side of the part of a picture whose combs say whether a search is worth it, and the length of its transforms."""
WORTH_WHOLE, WORTH_CROPPED = 7.5, 8.0
"""Scores of the best comb there, of a whole native size or of a cropped one, from which it is: of 367 saves that the search found
beneath a resize it leaves 366, of 75 photographs that were saved once 14 (all of both were searched before; validation and some
training photographs)."""
LARGE, WORTH_LARGE, FEWER_LINES = 640, 9.0, 270
"""Longer side of a region from which its own combs must score so much too, and the lines that are enough to say so. Of 38 saves found
beneath a resize in such none scores less than 12, of 12 mosaics without any one more than 8 (validation and training photographs)."""
_NOTHING = np.zeros(100, np.float32)
Axes = tuple[tuple[float, float], tuple[float, float]]


def is_combed(picture: Image.Image) -> bool:
    """Whether combs in the middle of a picture, mode RGB, tell that it may have been resized after a save.

    Of a large picture a smaller part is asked first, and of the larger one only the lines that are read.
    """
    middle = cut_window(picture, picture.width // 2, picture.height // 2, PROBED)
    if not Combs(middle, picture.size, length=SHORT).worth_a_search(WORTH_WHOLE, WORTH_CROPPED):
        return False
    if min(max(picture.size), LARGEST_REGION) <= LARGE:
        return True
    rows, columns = thinned_region(picture, FEWER_LINES)
    return Combs(rows, picture.size, FEWER_LINES, columns=columns).worth_a_search(WORTH_LARGE, WORTH_LARGE)


def read_resized(region: Window, size: tuple[int, int], windows: Windows, combed: bool = True) -> Hypothesis | None:
    """The likeliest save before a resize; None where there is none to look at.

    Args:
        region: the part of the picture in which combs are sought, the larger the better.
        size: width and height of the whole picture.
        windows: parts of it, for a first guess, the search and the final word.
        combed: whether combs are worth a look.
    """
    guessed: dict[Axes, Hypothesis] = {}
    combs = full = Combs(region, size)
    if combed and max(region.luma.shape) > LARGE:
        rough = Combs(region, size, FEWER_LINES)
        combed = rough.worth_a_search(WORTH_LARGE, WORTH_LARGE)
        if combed:
            _guess_whole(rough, windows, guessed, leaders_alone=True)
            combs = rough if _clearest(guessed) > OBVIOUS else full
    if combed and _clearest(guessed) < SURE:
        _guess_whole(combs, windows, guessed)
    if combed and _clearest(guessed) < SURE:
        candidates = combs.cropped(TRIED_CROPPED)
        _guess_all(candidates, windows.few, guessed, cropped=True)
        if _clearest(guessed) < OBVIOUS:
            _guess_all(
                (_placed(each, windows) for each in candidates[:PLACED]), windows.searched, guessed, cropped=True
            )
    if max(size) <= SMALL and _clearest(guessed) < OBVIOUS:
        found = [
            _native_size(step, size, windows.searched) for step in likely_reductions(region.luma, REDUCTIONS, FAINT)
        ]
        if found:
            whole = likeliest(found)
            across, down = placed(windows.searched, whole.across, whole.down, FIRST_KERNEL)
            found.append(read_hypothesis(windows.searched, replace(whole, across=across, down=down, cropped=True)))
        guessed |= {(astuple(each.across), astuple(each.down)): each for each in found}
    if not guessed:
        return None
    best = _best(windows, list(guessed.values()))
    if combed and best.spread < CLEAR:
        apart: dict[Axes, Hypothesis] = {}
        _guess_all([each for each in full.unequal(AXES) if each.score > COMBED], windows.few, apart, cropped=True)
        if apart:
            best = max(best, _best(windows, list(apart.values())), key=_clearness)
    return best


def _native_size(step: float, size: tuple[int, int], windows: list[Window]) -> Hypothesis:
    """The clearest native size in whole pixels about a step: the width with the height of its factor, then the heights beside."""
    width, height = size

    def read(across: int, down: int) -> Hypothesis:
        tried = Hypothesis(Axis(across / width), Axis(down / height), FIRST_KERNEL, _NOTHING, 0, 0, 0.0, False)
        return read_hypothesis(windows, tried)

    widths = [round(width * step) + away for away in (-1, 0, 1)]
    best = likeliest(read(across, round(height * across / width)) for across in widths)
    across, down = round(width * best.across.step), round(height * best.down.step)
    return likeliest([best, read(across, down - 1), read(across, down + 1)])


def _guess_whole(combs: Combs, windows: Windows, guessed: dict[Axes, Hypothesis], leaders_alone: bool = False) -> None:
    """Guess native sizes in whole pixels: the first of each family, and the next of it where that is beyond doubt; else all, unless
    `leaders_alone` are wanted."""
    candidates = combs.whole(TRIED)
    leaders: list[Candidate] = []
    for each in candidates:
        if not any(_alike(each, leader) for leader in leaders):
            leaders.append(each)
    for leader in leaders:
        _guess_all([leader], windows.few, guessed)
        if _clearest(guessed) > SURE:
            after = [each for each in candidates if each is not leader and _alike(each, leader)]
            # blocks of half or twice the size share most of a lattice
            after = after[:AFTER] + [each for each in leaders if _alike(each, leader, 2.0) or _alike(each, leader, 0.5)]
            return _guess_all(after, windows.few, guessed)
    if not leaders_alone:
        _guess_all(candidates, windows.few, guessed)


def _alike(one: Candidate, other: Candidate, times: float = 1.0) -> bool:
    """Whether the step of one is about that of the other, or so many times it."""
    return abs(one.across[0] - times * other.across[0]) < FAMILY * times * other.across[0]


def _clearest(guessed: dict[Axes, Hypothesis]) -> float:
    """Nats of the clearest."""
    return max((each.nats for each in guessed.values()), default=0.0)


def _best(windows: Windows, guessed: list[Hypothesis]) -> Hypothesis:
    """The best of some first guesses, read on all blocks where it is worth that."""
    found: list[Hypothesis] = []
    for guess in _worth(guessed):
        searched, chosen = _searched(windows, guess)
        if searched.nats > HINT or searched.promising:
            likeliest = searched if chosen else by_kernels(windows, searched, searched is guess)
            by_kernel = read_hypothesis(windows.all, likeliest, FINE)
            searched = replace(by_kernel, evidence=_NOTHING) if is_codecs(windows, by_kernel) else by_kernel
        found.append(searched)
        if searched.spread > PLAIN and searched.quality <= HIGHEST:
            break
    while True:
        best = max(found, key=_clearness)
        doubted = compared(windows, best)
        if doubted.believed == best.believed:
            return doubted
        found = [doubted if each is best else each for each in found]


def _clearness(each: Hypothesis) -> tuple[bool, float, float]:
    believed = each.believed and each.quality <= HIGHEST
    return believed, CLEAR if believed else min(each.spread, CLEAR), each.nats


def _worth(guessed: list[Hypothesis]) -> list[Hypothesis]:
    """Those that are worth a search: the clearest lattices, then the clearest combs of whole sizes and of cropped ones."""
    found = sorted((each for each in guessed if each.nats > HINT), key=lambda each: -each.nats)[:PROVED]
    for cropped in (False, True):
        others = [each for each in guessed if each.cropped == cropped and not any(each is other for other in found)]
        found += sorted(others, key=lambda each: -each.comb)[:1]
    return found


def _guess_all(
    candidates: Iterable[Candidate], windows: list[Window], guessed: dict[Axes, Hypothesis], cropped: bool = False
) -> None:
    """Guess those candidates that were not guessed before, by fewer lines."""
    for candidate in candidates:
        axes = candidate.across, candidate.down
        known = guessed.get(axes)
        guessed[axes] = replace(known, comb=candidate.score) if known else _guess(windows, candidate, cropped)


def _placed(candidate: Candidate, windows: Windows) -> Candidate:
    """A cropped candidate where its lattice is clearest."""
    across, down = placed(windows.searched, Axis(*candidate.across), Axis(*candidate.down), FIRST_KERNEL)
    return Candidate((across.step, across.offset), (down.step, down.offset), candidate.score)


def _guess(windows: list[Window], candidate: Candidate, cropped: bool) -> Hypothesis:
    across, down = Axis(*candidate.across), Axis(*candidate.down)
    return read_hypothesis(
        windows, Hypothesis(across, down, FIRST_KERNEL, _NOTHING, 0, 0, candidate.score, cropped), most=FEW
    )


def _searched(windows: Windows, guess: Hypothesis) -> tuple[Hypothesis, bool]:
    """The guess on more blocks, its place refined where offsets are free; by other kernels where only its comb is clear.

    And whether `by_kernels` of it would say the same again.
    """
    found = guess if guess.nats > OBVIOUS else read_hypothesis(windows.searched, guess)
    unclear = found.promising and found.nats < HINT
    if unclear:
        found = by_kernels(windows, found)
    if guess.cropped and (found.promising or found.nats > HINT):
        return refined(windows, found), False
    return found, unclear and found.nats <= OBVIOUS
