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
from numpy.typing import NDArray
from PIL import Image

from cliqa.signal.jpeg.combs import FAMILY, Candidate, Combs
from cliqa.signal.jpeg.corner import likely_reductions
from cliqa.signal.jpeg.hypothesis import COMBED, EVERYWHERE, Hypothesis
from cliqa.signal.jpeg.native_blocks import FEWER_PHASES, PHASES, Axis, Window, native_coefficients
from cliqa.signal.jpeg.phases import (
    CAP,
    COARSE,
    FINE,
    Detail,
    chosen_frequencies,
    evidence_of,
    radial_evidence,
    step_curves,
)
from cliqa.signal.jpeg.placement import placed
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from cliqa.signal.jpeg.windows import LARGEST_REGION, Windows, cut_window, thinned_region
from cliqa.signal.resampling.kernels import KERNELS

Floats = NDArray[np.float32]

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
OBVIOUS = 60.0
"""Nats of a first guess from which a few blocks are enough to refine it and to choose the kernel."""
FEW = 500
"""Native blocks that are read for a first guess."""
CLEAR = 25.0
"""Nats from which a lattice is taken for one: of 160 resized pictures without JPEG none had more than 22."""
SURE, AFTER = 150.0, 2
"""Nats of a first guess of a whole native size from which no cropped ones are guessed, and no more than so many after it in its family:
beside a crop that was resized, whole sizes reached 92 (validation)."""
PLAIN = 50.0
"""Nats, each frequency capped, from which no other candidate needs to be tried: wrong ones reached 20."""
HALVED_CODEC, NEARLY, CODEC = 0.75, 0.02, 0.85
"""Part of IJG's evidence that the tables of other codecs may reach where the step is so near to 2 or 1/2, and where it is not but
nearly all frequencies show a lattice: of 54 saves 0.75 at most, of 27 JPEG XL that were resized 0.94 or more (training)."""
NEAR = 5
"""Qualities so near are the same beside a lattice's place."""
BESIDE = ((4, 4), (2, 2), (6, 2), (2, 6), (6, 6))
"""Native pixels by which both axes are moved to look beside it; a lattice moved along one axis alone still shows on the other. All
54 softened halftones are seen at one of these. The first is enough where nearly all frequencies show it."""
BUSY = 4
"""Levels beside 0 of a block that is asked whether others are the same: smooth blocks are alike in any picture."""
HINT = 12.0
"""Nats below which other kernels are not worth trying."""
HIGHEST = 88
"""Qualities above this are not told from none: some pictures without JPEG have 200 nats at 92-95, whose steps are small."""
FIRST_KERNEL = next(iter(KERNELS))
REFINED = (((-1.5, -0.75, 0.75, 1.5), ()), ((), (-0.3, 0.3)), ((-0.3, 0.3), ()))
"""Native pixels by which a cropped candidate's edge is moved, by other steps and by other offsets, one round after the other."""
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
            whole = _likeliest(found)
            across, down = placed(windows.searched, whole.across, whole.down, FIRST_KERNEL)
            found.append(_read(windows.searched, replace(whole, across=across, down=down, cropped=True)))
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
        return _read(windows, tried)

    widths = [round(width * step) + away for away in (-1, 0, 1)]
    best = _likeliest(read(across, round(height * across / width)) for across in widths)
    across, down = round(width * best.across.step), round(height * best.down.step)
    return _likeliest([best, read(across, down - 1), read(across, down + 1)])


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
            likeliest = searched if chosen else _by_kernels(windows, searched, searched is guess)
            by_kernel = _read(windows.all, likeliest, FINE)
            searched = replace(by_kernel, evidence=_NOTHING) if _is_codecs(windows, by_kernel) else by_kernel
        found.append(searched)
        if searched.spread > PLAIN and searched.quality <= HIGHEST:
            break
    while True:
        best = max(found, key=_clearness)
        compared = _compared(windows, best)
        if compared.believed == best.believed:
            return compared
        found = [compared if each is best else each for each in found]


def _clearness(each: Hypothesis) -> tuple[bool, float, float]:
    believed = each.believed and each.quality <= HIGHEST
    return believed, CLEAR if believed else min(each.spread, CLEAR), each.nats


def _compared(windows: Windows, found: Hypothesis) -> Hypothesis:
    """The hypothesis with what its lattice shows beside its place, where it would be believed: periods of a screen show everywhere.

    And with how many of its blocks are different ones: a pattern's are not.
    """
    if found.believed:
        found = replace(found, distinct=_distinct(windows, found))
    if not found.believed:
        return found
    near = slice(max(found.quality - 1 - NEAR, 0), found.quality + NEAR)
    for x, y in BESIDE[: 1 if found.spread > EVERYWHERE else None]:
        across, down = (
            replace(axis, offset=(axis.offset + away) % 8) for axis, away in ((found.across, x), (found.down, y))
        )
        moved = _read(windows.all, replace(found, across=across, down=down), FINE)
        found = replace(found, beside=max(found.beside, float(moved.evidence[near].max())))
        if not found.believed:
            break
    return found


def _distinct(windows: Windows, found: Hypothesis) -> float:
    """How many different blocks there are among those with some levels beside 0, over their number."""
    coefficients = native_coefficients(windows.all, found.across, found.down, found.kernel)
    chosen = chosen_frequencies(*coefficients.shape[:2])
    steps = [LUMA_TABLES[found.quality - 1, u * 8 + v if found.turned else v * 8 + u] for v, u in chosen]
    levels = np.stack([np.rint(coefficients[v, u] / step) for (v, u), step in zip(chosen, steps, strict=True)], axis=1)
    busy = levels[np.count_nonzero(levels, axis=1) >= BUSY].astype(np.int16)
    return len(np.unique(busy, axis=0)) / len(busy) if len(busy) else 1.0


def _is_codecs(windows: Windows, proved: Hypothesis) -> bool:
    """Whether another codec's tables explain the lattice: JPEG XL has blocks of 8 pixels too, and transforms of 4 and 16 elsewhere."""
    step = proved.across.step
    halved = min(abs(step - 2) / 2, abs(step - 0.5) * 2) <= NEARLY
    if proved.nats < CLEAR or not (halved or proved.spread > EVERYWHERE):
        return False
    coefficients = native_coefficients(windows.searched, proved.across, proved.down, proved.kernel, phases=FEWER_PHASES)
    curves = step_curves(coefficients, COARSE)
    down, across = coefficients.shape[:2]
    own = float(evidence_of(curves, down, across, turned=proved.turned, detail=COARSE).max())
    return radial_evidence(curves, down, across) > (HALVED_CODEC if halved else CODEC) * own


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
    return _read(windows, Hypothesis(across, down, FIRST_KERNEL, _NOTHING, 0, 0, candidate.score, cropped), most=FEW)


def _searched(windows: Windows, guess: Hypothesis) -> tuple[Hypothesis, bool]:
    """The guess on more blocks, its place refined where offsets are free; by other kernels where only its comb is clear.

    And whether `_by_kernels` of it would say the same again.
    """
    found = guess if guess.nats > OBVIOUS else _read(windows.searched, guess)
    by_kernels = found.promising and found.nats < HINT
    if by_kernels:
        found = _by_kernels(windows, found)
    if guess.cropped and (found.promising or found.nats > HINT):
        return _refined(windows, found), False
    return found, by_kernels and found.nats <= OBVIOUS


def _read(windows: list[Window], tried: Hypothesis, detail: Detail = COARSE, most: int = 1 << 30) -> Hypothesis:
    """A hypothesis with its evidence; both turns of the tables are judged at `FINE` detail alone."""
    phases = PHASES if detail is FINE else FEWER_PHASES
    coefficients = native_coefficients(windows, tried.across, tried.down, tried.kernel, most, phases)
    known = step_curves(coefficients, detail)
    curves = np.zeros((len(known), known.shape[1] + 1, known.shape[2]), np.float32)
    curves[:, :-1] = known  # more noise tells nothing, for or against
    capped = np.clip(curves, -np.float32(CAP), np.float32(CAP)) if detail is FINE else curves
    found = []
    for turned in (False, True) if detail is FINE else (tried.turned,):
        evidence = evidence_of(curves, *coefficients.shape[:2], turned=turned, detail=detail)
        spread = 0.0
        if detail is FINE:
            best = int(evidence.max(axis=0).argmax()) + 1
            shape = coefficients.shape[:2]
            spread = float(evidence_of(capped, *shape, turned=turned, detail=detail, quality=best).max())
        read = replace(
            tried,
            spread=spread,
            evidence=evidence.max(axis=0),
            noise=int(evidence.max(axis=1).argmax()),
            blocks=coefficients.shape[2],
            turned=turned,
        )
        found.append(read)
    return _likeliest(found)


def _by_kernels(windows: Windows, tried: Hypothesis, is_guess: bool = False) -> Hypothesis:
    """By the kernel that explains it best: a few blocks tell where the lattice is obvious.

    Args:
        is_guess: whether it is a first guess, whose own kernel need not be read again where a few blocks tell.
    """
    read = windows.few if tried.nats > OBVIOUS else windows.searched
    known = is_guess and read is windows.few
    return _likeliest(
        tried if known and kernel == tried.kernel else _read(read, replace(tried, kernel=kernel), most=FEW)
        for kernel in KERNELS
    )


def _refined(windows: Windows, best: Hypothesis) -> Hypothesis:
    """Steps and offsets moved a little, one after the other, where that makes the lattice clearer."""
    obvious = best.nats > OBVIOUS
    read = windows.few if obvious else windows.searched
    best = _read(read, best)
    middles = {"across": _middle([(window.x, window.luma.shape[1]) for window in read]),
               "down": _middle([(window.y, window.luma.shape[0]) for window in read])}  # fmt: skip
    for name, middle in middles.items():
        for steps, offsets in REFINED[obvious:]:
            axis: Axis = getattr(best, name)
            # by another step about the middle of what is read, whose place stays
            moved = [Axis(axis.step + away / middle, (axis.offset - away) % 8) for away in steps]
            moved += [replace(axis, offset=(axis.offset + away) % 8) for away in offsets]
            tried = [replace(best, across=each) if name == "across" else replace(best, down=each) for each in moved]
            best = _likeliest([best, *(_read(read, each) for each in tried)])
    return best


def _middle(spans: list[tuple[int, int]]) -> float:
    """Mean place of some spans (start, length), 64 at least."""
    return max(64.0, sum(start + length / 2 for start, length in spans) / len(spans))


def _likeliest(found: Iterable[Hypothesis]) -> Hypothesis:
    return max(found, key=lambda hypothesis: hypothesis.nats)
