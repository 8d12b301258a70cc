"""A JPEG save seen through a resize: combs propose native sizes, the resize is undone, the lattice read on the native grid.

Sizes that the combs propose are tried with one kernel on a few blocks, the likeliest with all kernels on more. Where no whole native
size shows a lattice, the picture may have been cropped before or after the resize: then steps and offsets are free.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.colour import LUMA32
from cliqa.signal.jpeg.combs import Candidate, cropped_candidates, whole_candidates
from cliqa.signal.jpeg.native_blocks import Axis, Window, native_coefficients
from cliqa.signal.jpeg.phases import CAP, COARSE, FINE, Detail, evidence_of, step_curves
from cliqa.signal.resampling.kernels import KERNELS

Floats = NDArray[np.float32]

MARGIN = 24
"""Pixels about a tile: a native block is read from two blocks on each side of it."""
TRIED, TRIED_CROPPED = 7, 4
"""Candidates that are tried, of whole native sizes and then of free offsets."""
FEW, MANY = 300, 900
"""Native blocks that are read of a first guess, and of the likeliest."""
CLEAR = 25.0
"""Nats from which a lattice is taken for one: of 160 resized pictures without JPEG none had more than 22."""
PLAIN = 80.0
"""Nats at which no other candidate needs to be tried."""
HINT = 12.0
"""Nats below which other kernels are not worth trying."""
FIRST_KERNEL = next(iter(KERNELS))
REFINED_OFFSETS = (-0.5, -0.25, 0.25, 0.5)
REFINED_STEPS = (-0.4, -0.2, 0.2, 0.4)
"""Native pixels that a cropped candidate's offset is moved by, and the place of its edge by another step."""
COMBED_WHOLE, COMBED = 13.0, 9.0
"""Scores of a comb, of a whole native size and of a cropped one, that few pictures without JPEG reach: the lattice is then sought
harder, with all kernels, more blocks, or the place refined."""
_NOTHING = np.zeros(100, np.float32)


@dataclass(frozen=True)
class Hypothesis:
    """A resize and what the lattice on its native grid tells.

    Attributes:
        across, down: the axes; kernel: its name.
        evidence: (100,) nats of each quality at the best noise; noise: index of that of the best quality.
        blocks: native blocks that were read; comb: score of the comb; cropped: whether offsets were free; turned: whether the tables
            are those of a picture turned by 90 degrees; spread: evidence of the quality, no frequency counting more than `CAP`.
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
    spread: float = 0.0

    @property
    def nats(self) -> float:
        """Evidence of the likeliest quality."""
        return float(self.evidence.max())

    @property
    def combed(self) -> bool:
        """Whether the comb alone tells that there was a grid of that size."""
        return self.comb > (COMBED if self.cropped else COMBED_WHOLE)

    @property
    def quality(self) -> int:
        """The likeliest quality."""
        return int(self.evidence.argmax()) + 1


@dataclass(frozen=True)
class Resized:
    """The likeliest resize after a save, and the evidence of the best one of another size beside it."""

    best: Hypothesis
    rival: float


def read_resized(region: Window, size: tuple[int, int], windows: list[Window]) -> Resized | None:
    """The likeliest save before a resize; None where the picture is too small for any.

    Args:
        region: the part of the picture in which combs are sought, the larger the better.
        size: width and height of the whole picture.
        windows: parts of it with detail, most telling first, with `MARGIN` pixels about what is to be read.
    """
    tried: list[Hypothesis] = []
    for candidates, cropped, most in ((whole_candidates, False, TRIED), (cropped_candidates, True, TRIED_CROPPED)):
        for candidate in candidates(region, size, most):
            judged = _judge(windows, candidate, cropped)
            if judged.combed and judged.nats < CLEAR:
                if cropped:
                    judged = _refined(windows, judged)
                elif not tried:  # the clearest comb of all: perhaps more blocks and another kernel show its lattice
                    judged = _by_kernels(windows, judged, MANY)
            tried.append(judged)
            if tried[-1].nats > PLAIN:
                break
        tried.sort(key=lambda found: -found.nats)
        if tried and tried[0].nats > CLEAR:
            break
    if not tried:
        return None
    best = tried[0]
    if best.nats > HINT or best.combed:
        best = _with_all_kernels(windows, best)
    others = [found.nats for found in tried[1:] if abs(found.across.step - best.across.step) > 0.01]
    return Resized(best, max(others, default=0.0))


def _judge(windows: list[Window], candidate: Candidate, cropped: bool) -> Hypothesis:
    across, down = Axis(*candidate.across), Axis(*candidate.down)
    return _read(windows, Hypothesis(across, down, FIRST_KERNEL, _NOTHING, 0, 0, candidate.score, cropped), FEW)


def _read(windows: list[Window], tried: Hypothesis, most: int, detail: Detail = COARSE) -> Hypothesis:
    """A hypothesis with its evidence; both turns of the tables are judged at `FINE` detail alone."""
    coefficients = native_coefficients(windows, tried.across, tried.down, tried.kernel, most)
    curves = step_curves(coefficients, detail)
    found = []
    for turned in (False, True) if detail is FINE else (tried.turned,):
        evidence = evidence_of(curves, *coefficients.shape[:2], turned=turned, detail=detail)
        noise = int(evidence.max(axis=1).argmax())
        spread = 0.0
        if detail is FINE:
            capped = evidence_of(
                np.clip(curves, -np.float32(CAP), np.float32(CAP)),
                *coefficients.shape[:2],
                turned=turned,
                detail=detail,
            )
            spread = float(capped.max(axis=0)[int(evidence.max(axis=0).argmax())])
        read = replace(
            tried,
            spread=spread,
            evidence=evidence.max(axis=0),
            noise=noise,
            blocks=coefficients.shape[2],
            turned=turned,
        )
        found.append(read)
    return _likeliest(found)


def _with_all_kernels(windows: list[Window], best: Hypothesis) -> Hypothesis:
    """The hypothesis on more blocks, by the kernel that explains it best; a cropped one's place refined before."""
    if best.cropped:
        best = _refined(windows, best)
    return _read(windows, _by_kernels(windows, best), MANY, FINE)


def _by_kernels(windows: list[Window], tried: Hypothesis, most: int = FEW) -> Hypothesis:
    return _likeliest(_read(windows, replace(tried, kernel=kernel), most) for kernel in KERNELS)


def _refined(windows: list[Window], best: Hypothesis) -> Hypothesis:
    """Offsets and steps moved a little, one after the other, where that makes the lattice clearer."""
    for name, middle in (("across", _middle([(window.x, window.luma.shape[1]) for window in windows])),
                         ("down", _middle([(window.y, window.luma.shape[0]) for window in windows]))):  # fmt: skip
        for moves in (REFINED_OFFSETS, REFINED_STEPS):
            axis: Axis = getattr(best, name)
            moved = [axis]
            for away in moves:
                if moves is REFINED_OFFSETS:
                    moved.append(replace(axis, offset=(axis.offset + away) % 8))
                else:  # about the middle of what is read, whose place stays
                    moved.append(Axis(axis.step + away / middle, (axis.offset - away) % 8))
            tried = [replace(best, across=each) if name == "across" else replace(best, down=each) for each in moved]
            best = _likeliest(_read(windows, each, FEW) for each in tried)
    return best


def _middle(spans: list[tuple[int, int]]) -> float:
    """Mean place of some spans (start, length), 64 at least."""
    return max(64.0, sum(start + length / 2 for start, length in spans) / len(spans))


def _likeliest(found: Iterable[Hypothesis]) -> Hypothesis:
    return max(found, key=lambda hypothesis: hypothesis.nats)


LARGEST_REGION = 1280
"""Side of the part of a large picture in which combs are sought: longer ones are no clearer, and cost more."""


def cut_regions(rgb: NDArray[np.uint8], origins: Sequence[tuple[int, int]], tile: int) -> tuple[Window, list[Window]]:
    """(region, windows) for `read_resized`, of a picture (h, w, 3) and the origins (x, y) of its tiles with detail."""
    height, width = rgb.shape[:2]
    left, top = max(0, (width - LARGEST_REGION) // 2), max(0, (height - LARGEST_REGION) // 2)
    region = Window(_luma(rgb[top : top + LARGEST_REGION, left : left + LARGEST_REGION]), left, top)
    windows = []
    for x, y in origins:
        x0, y0 = max(0, x - MARGIN), max(0, y - MARGIN)
        windows.append(Window(_luma(rgb[y0 : y + tile + MARGIN, x0 : x + tile + MARGIN]), x0, y0))
    return region, windows


def _luma(rgb: NDArray[np.uint8]) -> Floats:
    """Y minus 128, not rounded: a resize leaves no whole numbers."""
    luma: Floats = rgb.astype(np.float32) @ LUMA32 - np.float32(128)
    return luma
