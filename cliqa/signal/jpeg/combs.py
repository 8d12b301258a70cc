"""At which native sizes was a resized picture saved? Combs in the spectra of its steps.

The edges of 8x8 blocks lie 8 / step output pixels apart after a resize. Profiles of the steps along an axis, averaged over all
rows (or columns), show them as lines at multiples of step / 8 cycles a pixel, whose phases tell where the first edge was. A later
save's own lines at multiples of 1/8 are taken out first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.native_blocks import Window

Floats = NDArray[np.float32]

LENGTH = 8192
HARMONICS = 4
WEIGHTS = np.array(
    [[-0.06, -0.28, -0.14, 0.35], [0.06, 0.65, 0.92, 0.03], [-0.26, 0.54, 0.46, -0.25], [1.6, 0.35, 0.08, 0.31]],
    np.float32,
)
"""Of each profile's harmonics: those that rank the true size first most often, fitted on 800 axes of resized training photographs."""
SMALLEST, LARGEST = 1 / 2.15, 2.15
"""Steps that are looked at: native pixels an output pixel."""
SAME = 0.012
"""Steps so near to 1 are no resize: the ordinary lattice sees those."""
MOST_LINES = 640
"""Of more rows (columns) than this every second, third ... is read."""
LATER = 8
"""Period of the lines that later saves leave, by JPEG and (4) by WebP."""
_SMOOTH = 21
_LOW, _HIGH = 0.5, 4.0
"""Limits of a harmonic's score in units of the spectrum about it: one strong line is not four, and a weak one is none."""


def profiles(luma: Floats) -> list[tuple[NDArray[np.float64], float]]:
    """Profiles along the rows of luma (h, w), each with the place of its first value, in pixels from the left edge."""
    first = np.diff(luma[:: max(1, len(luma) // MOST_LINES)], axis=1)
    second = np.diff(first, axis=1)
    third = np.diff(second, axis=1)
    steps = np.abs(first)
    about = steps[:, :-2] + steps[:, 2:]
    about *= np.float32(0.5)
    relative = _mean_log(steps[:, 1:-1]) - _mean_log(about)
    found = [(_mean_root(steps), 1.0), (relative, 2.0), (_mean_root(np.abs(second, out=second)), 1.5)]
    found.append((_mean_root(np.abs(np.diff(third, axis=1))), 2.5))
    return [(profile.astype(np.float64), place) for profile, place in found]


def _mean_root(values: Floats) -> Floats:
    mean: Floats = np.sqrt(values).mean(axis=0)
    return mean


def _mean_log(values: Floats) -> Floats:
    """Of 1 + values, which are no fractions that would need `log1p`: it is five times as slow."""
    logs = values + np.float32(1)
    mean: Floats = np.log(logs, out=logs).mean(axis=0)
    return mean


def _moving_mean(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    half = length // 2
    padded = np.pad(values, (half, half), mode="reflect")
    sums = np.cumsum(np.concatenate([[0.0], padded]))
    means: NDArray[np.float64] = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    return means


@dataclass(frozen=True)
class Spectra:
    """Of the profiles along one axis, in units of their surroundings.

    Attributes:
        values: complex64 (profiles, LENGTH / 2 + 1); places: (profiles,) of their first value in the picture, in pixels.
    """

    values: NDArray[np.complex64]
    places: NDArray[np.float64]


def spectra(luma: Floats, start: int = 0) -> Spectra:
    """The spectra of the profiles along the rows; `start` is the place of the first column in the picture."""
    found, places = [], []
    for profile, place in profiles(luma):
        flat = profile - _moving_mean(profile, _SMOOTH)
        limit = 4 * np.median(np.abs(flat)) + 1e-6
        flat = np.clip(flat, -limit, limit)
        position = np.arange(len(flat)) % LATER
        flat = flat - (np.bincount(position, flat, LATER) / np.bincount(position, minlength=LATER))[position]
        taper = np.sqrt(np.hanning(len(flat) + 2)[1:-1])
        spectrum = np.fft.rfft(flat * taper, LENGTH)
        size = np.abs(spectrum)
        found.append(spectrum / (_moving_mean(size, int(LENGTH / len(flat) * 40) | 1) + 1e-9))
        places.append(place + start)
    return Spectra(np.stack(found).astype(np.complex64), np.array(places))


def harmonics(spectrum: Spectra, steps: NDArray[np.float64]) -> NDArray[np.complex64]:
    """The spectra at the harmonics of some steps, real where a block starts at the left edge: (profiles, harmonics, steps)."""
    cycles = np.arange(1, HARMONICS + 1)[:, None] * steps / 8
    folded = cycles - np.floor(cycles)
    mirrored = folded > 0.5
    place = np.where(mirrored, 1 - folded, folded) * LENGTH
    left = np.minimum(place.astype(np.intp), spectrum.values.shape[1] - 2)
    part = (place - left).astype(np.float32)
    value = spectrum.values[:, left]
    value += (spectrum.values[:, left + 1] - value) * part
    np.negative(value.imag, out=value.imag, where=mirrored)
    turns = cycles * spectrum.places[:, None, None]
    turns -= np.floor(turns)  # in doubles: places are large, and single precision is enough only for what is left
    angle = turns.astype(np.float32) * np.float32(-2 * np.pi)
    turned = np.empty_like(value)
    np.cos(angle, out=turned.real)
    np.sin(angle, out=turned.imag)
    turned *= value
    return turned


def whole_scores(values: NDArray[np.complex64]) -> Floats:
    """Score of each step where the first block starts at the edge, from `harmonics`: float32 (steps,)."""
    limited = np.clip(values.real, np.float32(_LOW), np.float32(_HIGH)) - np.float32(_LOW)
    scores: Floats = WEIGHTS.ravel() @ limited.reshape(WEIGHTS.size, -1)
    return scores


CROPPED_WEIGHTS = np.array([1.0, 1.0, 0.6, 0.4], np.float32)
"""Of the harmonics of a cropped picture, all profiles alike: the weights above find its steps no better, its offsets worse."""
_LOWEST = -1.0
OFFSETS = 32
"""Places of the first edge that are tried, 1/4 native pixel apart."""


@lru_cache(maxsize=1)
def _turns() -> tuple[Floats, Floats]:
    """Cosine and sine of the turns of each harmonic by each offset: two of (offsets, harmonics, 1)."""
    angle = 2 * np.pi * np.arange(OFFSETS)[:, None, None] / OFFSETS * np.arange(1, HARMONICS + 1)[:, None]
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def cropped_scores(values: NDArray[np.complex64]) -> tuple[Floats, NDArray[np.float64]]:
    """(scores, offsets) of each step at its best offset (0-8, native pixels), from `harmonics`."""
    mean = values.mean(axis=0)
    cosine, sine = _turns()
    turned = cosine * mean.real
    turned += sine * mean.imag
    np.clip(turned, np.float32(_LOWEST), np.float32(_HIGH), out=turned)
    turned *= CROPPED_WEIGHTS[:, None]
    scores = turned.sum(axis=1)  # (offsets, steps)
    best = scores.argmax(axis=0)
    return scores[best, np.arange(scores.shape[1])], best * 8 / OFFSETS


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


class Combs:
    """The combs of one picture, and the native sizes that they propose.

    Args:
        region: the part of the picture that is read, the larger the better.
        size: width and height of the whole picture.
    """

    def __init__(self, region: Window, size: tuple[int, int]) -> None:
        self.size = size
        self.grid = GRID / max(SHORTEST, *region.luma.shape)
        self.axes = (
            spectra(region.luma, region.x),
            spectra(np.ascontiguousarray(region.luma.T), region.y),
        )

    @cached_property
    def _free(self) -> tuple[NDArray[np.float64], Floats, Floats]:
        """(steps, across, down): the scores of the free steps at their best offsets, steps near to 1 left out."""
        steps = np.arange(SMALLEST, LARGEST, self.grid)
        across, down = (cropped_scores(harmonics(axis, steps))[0] for axis in self.axes)
        near = np.abs(steps - 1) < SAME
        across[near] = down[near] = -np.inf
        return steps, across, down

    def whole(self, most: int) -> list[Candidate]:
        """Native sizes in whole pixels, equal factors, uncropped: the best few, best first."""
        width, height = self.size
        sizes_x, sizes_y = _sizes(width), _sizes(height)
        across = whole_scores(harmonics(self.axes[0], sizes_x / width))
        down = whole_scores(harmonics(self.axes[1], sizes_y / height))
        nearest = np.rint(height * sizes_x / width).astype(int)
        place = nearest[:, None] + np.arange(-SLACK, SLACK + 1) - int(sizes_y[0])
        inside = (place >= 0) & (place < len(sizes_y))
        place = np.clip(place, 0, len(sizes_y) - 1)
        total = np.where(inside, across[:, None] + down[place], -np.inf)
        total[np.abs(sizes_x / width - 1) < SAME] = -np.inf
        found: list[Candidate] = []
        while len(found) < most:
            x, slack = np.unravel_index(int(total.argmax()), total.shape)
            score = float(total[x, slack])
            if not np.isfinite(score):
                break
            total[x, slack] = -np.inf
            step = float(sizes_x[x] / width)
            if sum(abs(step - other.across[0]) < FAMILY * step for other in found) < MOST_ALIKE:
                found.append(Candidate((step, 0.0), (float(sizes_y[place[x, slack]] / height), 0.0), score))
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
        reach = int(np.ceil(UNEQUAL / self.grid))
        near = np.lib.stride_tricks.sliding_window_view(np.pad(down, reach, constant_values=-np.inf), 2 * reach + 1)
        partner = np.clip(near.argmax(axis=1) + np.arange(len(steps)) - reach, 0, len(steps) - 1)
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
    scores, offsets = cropped_scores(harmonics(spectrum, steps))
    best = int(scores.argmax())
    return float(steps[best]), float(offsets[best])
