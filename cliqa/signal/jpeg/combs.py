"""At which native sizes was a resized picture saved? Combs in the spectra of its steps.

The edges of 8x8 blocks lie 8 / step output pixels apart after a resize. The steps along an axis (`step_spectra`) show them as lines at
multiples of step / 8 cycles a pixel, whose phases tell where the first edge was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.jpeg.comb_scores import (
    LEAST_SIZE,
    MOST_SIZE,
    WEIGHTS,
    cropped_scores,
    most_cropped,
    most_whole,
    whole_scores,
)
from cliqa.signal.jpeg.native_blocks import Window
from cliqa.signal.jpeg.step_spectra import (
    LENGTH,
    MOST_LINES,
    Spectra,
    folded,
    harmonics,
    joined_places,
    mean_harmonics,
    spectra,
)

Floats = NDArray[np.float32]

SMALLEST, LARGEST = 1 / 2.15, 2.15
"""Steps that are looked at: native pixels an output pixel."""
SAME = 0.012
"""Steps so near to 1 are no resize: the ordinary lattice sees those."""


@dataclass(frozen=True)
class Candidate:
    """A native size that the combs propose: step and offset (native pixels, 0-8) across and down, and the score."""

    across: tuple[float, float]
    down: tuple[float, float]
    score: float


FAMILY, MOST_ALIKE = 0.01, 4
"""Of native sizes within a hundredth of each other so many are proposed: one pixel more or less blurs a lattice away."""
SLACK = 2
"""Native sizes round to whole pixels, so the two steps of one factor differ by so many native pixels at most."""


GRID = 0.5
"""Distance of the free steps that are tried, over the length that is read."""
SHORTEST = 256
"""Shorter pictures are searched no more coarsely."""
FINER = 12
"""The best are sought again at so many places on each side."""
UNEQUAL = 0.004
"""How far the two steps of a cropped picture may differ: the sizes round to whole pixels."""
APART = 0.006
"""Candidates nearer than this are one."""


def _sizes(length: int) -> NDArray[np.float64]:
    return np.arange(np.ceil(length * SMALLEST), np.floor(length * LARGEST) + 1)


@lru_cache(maxsize=4)
def _native_pairs(
    width: int, height: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_]]:
    """(across, down, places, some): steps of the native sizes in whole pixels; which of `down` have about the factor of each of
    `across`, and whether there are such: (across, 2 * SLACK + 1).
    """
    sizes_x, sizes_y = _sizes(width), _sizes(height)
    nearest = np.rint(height * sizes_x / width).astype(int)
    place = nearest[:, None] + np.arange(-SLACK, SLACK + 1) - int(sizes_y[0])
    some = (place >= 0) & (place < len(sizes_y)) & (np.abs(sizes_x / width - 1) >= SAME)[:, None]
    return sizes_x / width, sizes_y / height, np.clip(place, 0, len(sizes_y) - 1), some


@lru_cache(maxsize=4)
def _free_steps(grid: float) -> NDArray[np.float64]:
    return np.arange(SMALLEST, LARGEST, grid)


@lru_cache(maxsize=4)
def _free_places(grid: float, length: int) -> tuple[NDArray[np.intp], Floats]:
    return joined_places(_free_steps(grid), length)


@lru_cache(maxsize=4)
def _native_places(width: int, height: int, length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the harmonics of the steps of `_native_pairs` lie in a spectrum: (harmonics, steps) across and down."""
    across, down, _, _ = _native_pairs(width, height)
    found = [np.minimum(folded(steps, length)[2].astype(np.intp), length // 2 - 1) for steps in (across, down)]
    return found[0], found[1]


def _running_max(values: Floats, reach: int) -> Floats:
    """The largest of each value and `reach` ones on each side."""
    found = np.pad(values, reach, constant_values=-np.inf)
    width = 1
    while width < 2 * reach + 1:  # windows grow by their own width at most
        step = min(width, 2 * reach + 1 - width)
        found = np.maximum(found[:-step], found[step:])
        width += step
    return found


class Combs:
    """The combs of one picture, and the native sizes that they propose.

    Args:
        region: the part of the picture that is read, the larger the better.
        size: width and height of the whole picture.
        most_lines: of at least twice as many rows (columns) every second, third ... is read.
        length: of the transforms.
        columns: the same part where `region` has only the rows that are read, and this the columns.
    """

    def __init__(
        self,
        region: Window,
        size: tuple[int, int],
        most_lines: int = MOST_LINES,
        length: int = LENGTH,
        columns: Window | None = None,
    ) -> None:
        self.size = size
        self._rows, self._columns = region, region if columns is None else columns
        self.grid = GRID / max(SHORTEST, *self._rows.luma.shape, *self._columns.luma.shape)
        self._most_lines, self._length = most_lines, length

    @cached_property
    def axes(self) -> tuple[Spectra, Spectra]:
        """The spectra across and down."""
        turned = np.ascontiguousarray(self._columns.luma.T)
        return (
            spectra(self._rows.luma, self._rows.x, self._most_lines, self._length),
            spectra(turned, self._columns.y, self._most_lines, self._length),
        )

    @cached_property
    def _free(self) -> tuple[NDArray[np.float64], Floats, Floats]:
        """(steps, across, down): the scores of the free steps at their best offsets, steps near to 1 left out."""
        steps = self._free_steps
        across, down = (cropped_scores(mean_harmonics(axis, steps))[0] for axis in self.axes)
        near = np.abs(steps - 1) < SAME
        across[near] = down[near] = -np.inf
        return steps, across, down

    def worth_a_search(self, whole: float, cropped: float) -> bool:
        """Whether any native size scores more than `whole`, or any free step more than `cropped`.

        Most steps need not be scored for that: the size of their harmonics alone says that they score less.
        """
        return self._any_whole(whole) or self._any_cropped(cropped)

    def _any_whole(self, least: float) -> bool:
        steps_x, steps_y, place, some = self._pairs
        places = _native_places(*self.size, self._length)
        library, axes = compiled(), self.axes
        if library is not None:
            values = [axis.values.view(np.float32) for axis in axes]
            starts = [axis.places for axis in axes]
            known = (steps_x, len(steps_x), steps_y, len(steps_y), *places, place, some.view(np.uint8))
            found = library.whole_beyond(
                *values, axes[0].values.shape[1], *starts, *known, WEIGHTS, LEAST_SIZE, MOST_SIZE, least
            )
            if found >= 0:
                return bool(found)
        across, down = (most_whole(axis, found) for axis, found in zip(self.axes, places, strict=True))
        about = _running_max(down, SLACK)[place[:, SLACK]]  # at least the best of its partners
        likely = np.flatnonzero((across + about > least) & some.any(axis=1))
        across = whole_scores(harmonics(self.axes[0], steps_x[likely]))
        rows, columns = np.nonzero((across[:, None] + down[place[likely]] > least) & some[likely])
        partners, number = np.unique(place[likely][rows, columns], return_inverse=True)
        down = whole_scores(harmonics(self.axes[1], steps_y[partners]))
        return bool((across[rows] + down[number] > least).any())

    def _any_cropped(self, least: float) -> bool:
        steps, places = self._free_steps, _free_places(self.grid, self._length)
        across, down = (most_cropped(axis, places) for axis in self.axes)
        across[np.abs(steps - 1) < SAME] = down[np.abs(steps - 1) < SAME] = -np.inf
        likely = np.flatnonzero(across + _running_max(down, self._reach) > least)
        if not len(likely):
            return False
        across = cropped_scores(mean_harmonics(self.axes[0], steps[likely]))[0]
        rows, columns = np.nonzero(across[:, None] + self._near(down)[likely] > least)
        partners, number = np.unique(likely[rows] + columns - self._reach, return_inverse=True)
        down = cropped_scores(mean_harmonics(self.axes[1], steps[partners]))[0]
        return bool((across[rows] + down[number] > least).any())

    @property
    def _free_steps(self) -> NDArray[np.float64]:
        return _free_steps(self.grid)

    @property
    def _reach(self) -> int:
        """By how many free steps those of the two axes may differ."""
        return int(np.ceil(UNEQUAL / self.grid))

    def _near(self, scores: Floats) -> Floats:
        """The scores of the free steps that are near to each: (steps, 2 * reach + 1)."""
        padded = np.pad(scores, self._reach, constant_values=-np.inf)
        return np.lib.stride_tricks.sliding_window_view(padded, 2 * self._reach + 1)

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_]]:
        return _native_pairs(*self.size)

    def whole(self, most: int) -> list[Candidate]:
        """Native sizes in whole pixels, equal factors, uncropped: the best few, best first."""
        steps_x, steps_y, place, some = self._pairs
        across = whole_scores(harmonics(self.axes[0], steps_x))
        down = whole_scores(harmonics(self.axes[1], steps_y))
        total = np.where(some, across[:, None] + down[place], -np.inf)
        found: list[Candidate] = []
        while len(found) < most:
            x, slack = np.unravel_index(int(total.argmax()), total.shape)
            score = float(total[x, slack])
            if not np.isfinite(score):
                break
            total[x, slack] = -np.inf
            step = float(steps_x[x])
            if sum(abs(step - other.across[0]) < FAMILY * step for other in found) < MOST_ALIKE:
                found.append(Candidate((step, 0.0), (float(steps_y[place[x, slack]]), 0.0), score))
        return found

    def unequal(self, most: int) -> list[Candidate]:
        """Steps of their own for the two axes, any offsets, 1 among them: the clearest combs of each axis in pairs, `most` of each."""
        steps, *scores_of_axes = self._free
        axes = []
        for spectrum, scored in zip(self.axes, scores_of_axes, strict=True):
            scores = scored.copy()
            found: list[tuple[tuple[float, float], float]] = []
            while len(found) < most:
                best = int(scores.argmax())
                found.append((_finer(spectrum, float(steps[best]), self.grid), float(scores[best])))
                scores[np.abs(steps - steps[best]) < APART] = -np.inf
            axes.append(found)
        pairs = [Candidate(x, y, first + second) for x, first in axes[0] for y, second in axes[1]]
        pairs = [each for each in pairs if abs(each.across[0] - each.down[0]) > UNEQUAL]
        return sorted(pairs, key=lambda each: -each.score)

    def cropped(self, most: int) -> list[Candidate]:
        """Any step, equal factors, any offset of the first block: the best few, best first."""
        steps, across, down = self._free
        partner = np.clip(self._near(down).argmax(axis=1) + np.arange(len(steps)) - self._reach, 0, len(steps) - 1)
        total = across + down[partner]
        found: list[Candidate] = []
        taken = np.zeros(len(steps), bool)
        for index in np.argsort(-total, kind="stable"):
            if len(found) == most or not np.isfinite(total[index]):
                break
            if taken[index]:
                continue
            across_axis, down_axis = (
                _finer(spectrum, float(steps[place]), self.grid)
                for spectrum, place in zip(self.axes, (index, int(partner[index])), strict=True)
            )
            found.append(Candidate(across_axis, down_axis, float(total[index])))
            taken |= np.abs(steps - steps[index]) < APART
        return found


def _finer(spectrum: Spectra, step: float, grid: float) -> tuple[float, float]:
    """(step, offset) of the best score about a step of the grid."""
    steps = step + np.arange(-FINER, FINER + 1) * grid / FINER
    scores, offsets = cropped_scores(mean_harmonics(spectrum, steps))
    best = int(scores.argmax())
    return float(steps[best]), float(offsets[best])
