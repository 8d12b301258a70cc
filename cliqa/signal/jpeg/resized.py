"""A JPEG save seen through a resize: the native size is sought by its combs, the resize undone on the native grid, the lattice read there.

Sizes that the combs propose are tried with one kernel on a few blocks, the likeliest with all kernels on more. Where no whole native
size shows a lattice, the picture may have been cropped before or after the resize: then steps and offsets are free.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.combs import Candidate, cropped_candidates, whole_candidates
from cliqa.signal.jpeg.native_blocks import Axis, Window, native_coefficients
from cliqa.signal.jpeg.phases import evidence_of, step_curves
from cliqa.signal.resampling.kernels import KERNELS

Floats = NDArray[np.float32]

WHOLE, CROPPED = 6, 8
"""Candidates that are tried."""
FEW, MANY = 250, 900
"""Native blocks that are read of a first guess, and of the likeliest."""
CLEAR = 35.0
"""Nats from which a lattice is taken for one; pictures without JPEG stay below in 97 of 100."""
FIRST_KERNEL = next(iter(KERNELS))
REFINED_STEPS = (-1.0, 0.0, 1.0)
REFINED_OFFSETS = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""What a cropped candidate's step (in units of its uncertainty) and offsets (native pixels) are moved by."""


@dataclass(frozen=True)
class Hypothesis:
    """A resize and what the lattice on its native grid tells.

    Attributes:
        across, down: the axes; kernel: its name.
        evidence: (100,) nats of each quality at the best noise; noise: index of that of the best quality.
        blocks: native blocks that were read; comb: score of the comb; cropped: whether offsets were free; turned: tables of a turned picture.
    """

    across: Axis
    down: Axis
    kernel: str
    evidence: Floats
    noise: int
    blocks: int
    comb: float
    cropped: bool
    turned: bool = False

    @property
    def nats(self) -> float:
        """Evidence of the likeliest quality."""
        return float(self.evidence.max())

    @property
    def quality(self) -> int:
        """The likeliest quality."""
        return int(self.evidence.argmax()) + 1


@dataclass(frozen=True)
class Resized:
    """The likeliest resize after a save, and the evidence of the best one of another size beside it."""

    best: Hypothesis
    rival: float


def read_resized(luma: Floats, windows: list[Window], period: int = 8) -> Resized | None:
    """The likeliest save before a resize; None where the picture is too small for any.

    Args:
        luma: float32 (h, w), minus 128, of all of the picture.
        windows: parts of it with detail, most telling first, with 24 pixels about what is to be read.
        period: of the lines of a later save: 8, or 4 for WebP.
    """
    whole = [_judge(windows, candidate, False) for candidate in whole_candidates(luma, WHOLE, period)]
    if not whole:
        return None
    tried = sorted(whole, key=lambda found: -found.nats)
    if tried[0].nats < CLEAR:
        cropped = [_judge(windows, candidate, True) for candidate in cropped_candidates(luma, CROPPED, period)]
        tried = sorted([*tried, *cropped], key=lambda found: -found.nats)
    best = _with_all_kernels(windows, tried[0])
    others = [found.nats for found in tried[1:] if abs(found.across.step - best.across.step) > 0.01]
    return Resized(best, max(others, default=0.0))


def _judge(windows: list[Window], candidate: Candidate, cropped: bool) -> Hypothesis:
    across, down = Axis(*candidate.across), Axis(*candidate.down)
    return _read(windows, across, down, FIRST_KERNEL, FEW, candidate.score, cropped)


def _read(
    windows: list[Window], across: Axis, down: Axis, kernel: str, most: int, comb: float, cropped: bool
) -> Hypothesis:
    coefficients = native_coefficients(windows, across, down, kernel, most)
    curves = step_curves(coefficients)
    found = []
    for turned in (False, True):
        evidence = evidence_of(curves, *coefficients.shape[:2], turned=turned)
        noise = int(evidence.max(axis=1).argmax())
        found.append(
            Hypothesis(across, down, kernel, evidence.max(axis=0), noise, coefficients.shape[2], comb, cropped, turned)
        )
    return max(found, key=lambda hypothesis: hypothesis.nats)


def _with_all_kernels(windows: list[Window], best: Hypothesis) -> Hypothesis:
    """The hypothesis on more blocks, by the kernel that explains it best; a cropped one's place refined before."""
    if best.cropped:
        best = _refined(windows, best)
    return _likeliest(
        _read(windows, best.across, best.down, kernel, MANY, best.comb, best.cropped) for kernel in KERNELS
    )


def _refined(windows: list[Window], best: Hypothesis) -> Hypothesis:
    """The axes moved a little, one after the other, where that makes the lattice clearer."""
    for across in (True, False):
        moved = []
        axis = best.across if across else best.down
        for offset in REFINED_OFFSETS:
            other = Axis(axis.step, (axis.offset + offset) % 8)
            pair = (other, best.down) if across else (best.across, other)
            moved.append(_read(windows, *pair, FIRST_KERNEL, FEW, best.comb, True))
        best = _likeliest(moved)
    return best


def _likeliest(found: Iterable[Hypothesis]) -> Hypothesis:
    return max(found, key=lambda hypothesis: hypothesis.nats)
