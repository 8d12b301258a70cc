"""What blocks say of a save that may lie before a resize: a hypothesis read, refined, and doubted.

The lattice is read on the native grid with the kernel that explains it best. One that would be believed must not show beside its place,
as a screen's does, in blocks that are all alike, as a pattern's are, or by the tables of another codec.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from cliqa.signal.jpeg.hypothesis import EVERYWHERE, Hypothesis
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
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from cliqa.signal.jpeg.windows import Windows
from cliqa.signal.resampling.kernels import KERNELS

OBVIOUS = 60.0
"""Nats of a first guess from which a few blocks are enough to refine it and to choose the kernel."""
FEW = 500
"""Native blocks that are read for a first guess."""
CLEAR = 25.0
"""Nats from which a lattice is taken for one: of 160 resized pictures without JPEG none had more than 22."""
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
FIRST_KERNEL = next(iter(KERNELS))
REFINED = (((-1.5, -0.75, 0.75, 1.5), ()), ((), (-0.3, 0.3)), ((-0.3, 0.3), ()))
"""Native pixels by which a cropped candidate's edge is moved, by other steps and by other offsets, one round after the other."""


def read_hypothesis(
    windows: list[Window], tried: Hypothesis, detail: Detail = COARSE, most: int = 1 << 30
) -> Hypothesis:
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
    return likeliest(found)


def by_kernels(windows: Windows, tried: Hypothesis, is_guess: bool = False) -> Hypothesis:
    """By the kernel that explains it best: a few blocks tell where the lattice is obvious.

    Args:
        is_guess: whether it is a first guess, whose own kernel need not be read again where a few blocks tell.
    """
    read = windows.few if tried.nats > OBVIOUS else windows.searched
    known = is_guess and read is windows.few
    return likeliest(
        tried if known and kernel == tried.kernel else read_hypothesis(read, replace(tried, kernel=kernel), most=FEW)
        for kernel in KERNELS
    )


def refined(windows: Windows, best: Hypothesis) -> Hypothesis:
    """Steps and offsets moved a little, one after the other, where that makes the lattice clearer."""
    obvious = best.nats > OBVIOUS
    read = windows.few if obvious else windows.searched
    best = read_hypothesis(read, best)
    middles = {"across": _middle([(window.x, window.luma.shape[1]) for window in read]),
               "down": _middle([(window.y, window.luma.shape[0]) for window in read])}  # fmt: skip
    for name, middle in middles.items():
        for steps, offsets in REFINED[obvious:]:
            axis: Axis = getattr(best, name)
            # by another step about the middle of what is read, whose place stays
            moved = [Axis(axis.step + away / middle, (axis.offset - away) % 8) for away in steps]
            moved += [replace(axis, offset=(axis.offset + away) % 8) for away in offsets]
            tried = [replace(best, across=each) if name == "across" else replace(best, down=each) for each in moved]
            best = likeliest([best, *(read_hypothesis(read, each) for each in tried)])
    return best


def _middle(spans: list[tuple[int, int]]) -> float:
    """Mean place of some spans (start, length), 64 at least."""
    return max(64.0, sum(start + length / 2 for start, length in spans) / len(spans))


def likeliest(found: Iterable[Hypothesis]) -> Hypothesis:
    """The one with most nats."""
    return max(found, key=lambda hypothesis: hypothesis.nats)


def compared(windows: Windows, found: Hypothesis) -> Hypothesis:
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
        moved = read_hypothesis(windows.all, replace(found, across=across, down=down), FINE)
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


def is_codecs(windows: Windows, proved: Hypothesis) -> bool:
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
