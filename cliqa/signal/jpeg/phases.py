"""Is there a lattice in coefficients that a resize has blurred? The phase of each against the multiples of a step.

Coefficients of more than half a step are asked how near they lie to a multiple of it, under noise of several deviations, and an even
spread as the alternative. The bin at 0 is left out: it would reward tiny steps. A wrong kernel mostly scales the frequencies, by about
exp(-gain (u^2 + v^2)): a few gains are tried beside the 100 IJG tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.densities import wrapped_normal
from cliqa.signal.jpeg.counts import count_bins_of_groups
from cliqa.signal.jpeg.quantization import LUMA_TABLES

Floats = NDArray[np.float32]

BIN = 0.25
FREQUENCIES = 14
"""The lowest frequencies are asked: they survive."""
CAP = 8.0
"""Nats that one frequency may count for or against where it is asked whether there is a lattice: of a save nearly all show it, while
a smooth gradient or a drawing has some few whose values repeat."""
_SPREAD = 0.2
"""Share of coefficients that lie anywhere: blocks that were clipped or edited."""
_SIDE_BY_SIDE = 16
"""Deviations that the compiled routine has room for."""
_WIDE = ((1.0, 0.55), (2.2, 0.25))
"""The noise is a mixture of these multiples of its deviation, with these shares."""


@dataclass(frozen=True)
class Detail:
    """How finely lattices are judged.

    Attributes:
        bins: of |coefficient|, a quarter of a unit each.
        ratio: relative distance of the steps.
        sigmas: deviations of the noise: 0.3 is rounding alone, 5 a later save at 80.
        gains: logarithms of the gain per (u^2 + v^2).
    """

    bins: int
    ratio: float
    sigmas: tuple[float, ...]
    gains: tuple[float, ...]

    @property
    def steps(self) -> NDArray[np.float64]:
        """The steps that are judged."""
        steps: NDArray[np.float64] = np.exp(np.arange(np.log(1.6), np.log(150), self.ratio))
        return steps


FINE = Detail(
    700,
    0.015,
    (0.3, 0.5, 0.8, 1.2, 1.8, 2.6, 3.8, 5.4),
    (-0.012, -0.008, -0.005, -0.0025, 0, 0.0025, 0.005, 0.008, 0.012, 0.017, 0.023),
)
COARSE = Detail(400, 0.02, (0.35, 0.7, 1.4, 2.5, 4.2), (-0.01, -0.005, 0, 0.004, 0.009, 0.015))
"""Enough to choose among native sizes and kernels, at a quarter of the cost."""

ROUGH = Detail(300, 0.025, (0.6, 1.1, 2.0, 3.2, 5.0), (-0.005, 0.0, 0.005, 0.012))
"""Enough to choose among hundreds of steps."""

ROUGHEST = Detail(240, 0.04, (0.7, 1.3, 2.6), (-0.004, 0.004, 0.012))
"""Enough to leave most of them out."""


@lru_cache(maxsize=4)
def log_densities(detail: Detail) -> Floats:
    """Log density of each bin against an even spread, (bins, sigmas * steps)."""
    value = (np.arange(detail.bins) * BIN)[:, None]
    away = (value - np.floor(value / detail.steps + 0.5) * detail.steps).astype(np.float32)
    steps = detail.steps.astype(np.float32)
    parts = []
    for sigma in detail.sigmas:
        density = np.full(away.shape, _SPREAD, np.float32)
        for multiple, share in _WIDE:
            width = math.sqrt((sigma * multiple) ** 2 + BIN**2 / 12)
            peaked = wrapped_normal(away, steps, width, 2) * steps
            density += np.float32(share) * np.where(steps < 1.6 * width, np.float32(1), peaked)
        parts.append(np.where(value < steps / 2, 0, np.log(density)))
    return np.concatenate(parts, axis=1).astype(np.float32)


@lru_cache(maxsize=64)
def chosen_frequencies(down: int, across: int) -> tuple[tuple[int, int], ...]:
    """The lowest (v, u) of those that a resize left."""
    pairs = sorted((v * v + u * u, v, u) for v in range(down) for u in range(across) if (v, u) != (0, 0))
    return tuple((v, u) for _, v, u in pairs[:FREQUENCIES])


@lru_cache(maxsize=64)
def table_places(chosen: tuple[tuple[int, int], ...], turned: bool, detail: Detail) -> NDArray[np.intp]:
    """Index of the step nearest to each table's at each gain, (gains, 100, frequencies); out of range becomes the number of steps."""
    v, u = np.array([pair[0] for pair in chosen]), np.array([pair[1] for pair in chosen])
    steps = LUMA_TABLES[:, u * 8 + v if turned else v * 8 + u]
    wanted = np.log(steps)[None] - np.array(detail.gains)[:, None, None] * (u * u + v * v)
    index = np.rint((wanted - np.log(detail.steps[0])) / detail.ratio).astype(np.intp)
    return np.where((index >= 0) & (index < len(detail.steps)), index, len(detail.steps))


def step_curves(coefficients: Floats, detail: Detail = FINE) -> Floats:
    """Nats of each step at each noise: float32 (frequencies, sigmas, steps + 1); the last step is 0, for tables out of range.

    Args:
        coefficients: (down, across, blocks) by `native_blocks.native_coefficients`.
    """
    curves: Floats = step_curves_of_groups(coefficients, np.zeros(coefficients.shape[2], np.intp), 1, detail)[0]
    return curves


def step_curves_of_groups(coefficients: Floats, group: NDArray[np.intp], groups: int, detail: Detail = FINE) -> Floats:
    """`step_curves` of each group of blocks: float32 (groups, frequencies, sigmas, steps + 1).

    Args:
        coefficients: (down, across, blocks); group: of each block its number, (blocks,).
    """
    chosen = chosen_frequencies(*coefficients.shape[:2])
    return curves_of_chosen(np.stack([coefficients[v, u] for v, u in chosen]), group, groups, detail)


def curves_of_chosen(picked: Floats, group: NDArray[np.intp], groups: int, detail: Detail) -> Floats:
    """`step_curves_of_groups` of coefficients (frequencies, blocks), those of `chosen_frequencies`."""
    count = len(picked)
    scale = np.full(count, 1 / BIN, np.float32)
    counted = count_bins_of_groups(picked, detail.bins, scale, group, groups)
    counted = counted.reshape(groups * count, detail.bins + 1)[:, : detail.bins]
    used = int(np.flatnonzero(counted.any(axis=0)).max(initial=0)) + 1
    curves = counted[:, :used].astype(np.float32) @ log_densities(detail)[:used]
    steps = len(detail.steps)
    padded = np.zeros((groups, count, len(detail.sigmas), steps + 1), np.float32)
    padded[..., :steps] = curves.reshape(groups, count, len(detail.sigmas), steps)
    return padded


def evidence_of(
    curves: Floats, down: int, across: int, *, turned: bool = False, detail: Detail = FINE, quality: int | None = None
) -> Floats:
    """Nats of each IJG quality against no lattice, at the best gain: float32 (sigmas, 100).

    Args:
        curves: of `step_curves` at the same detail; down, across: how many frequencies there were.
        turned: by the tables of a picture turned by 90 degrees.
        quality: the only one that is asked, (sigmas, 1) then; all where none is given.
    """
    found: Floats = table_evidence(curves, down, across, turned=turned, detail=detail, quality=quality).max(axis=0).T
    return found


def table_evidence(
    curves: Floats, down: int, across: int, *, turned: bool = False, detail: Detail = FINE, quality: int | None = None
) -> Floats:
    """As `evidence_of`, of each gain: float32 (gains, 100, sigmas)."""
    places = table_places(chosen_frequencies(down, across), turned, detail)
    if quality is not None:
        places = places[:, quality - 1 : quality]
    return _sums(_of_near_noise(curves), places)


def group_evidence(curves: Floats, down: int, across: int, detail: Detail, most: int) -> Floats:
    """Nats of the best IJG quality up to `most` of each group's curves (groups, frequencies, sigmas, steps + 1): float32 (groups,)."""
    near = _of_near_noise(curves).transpose(1, 0, 2, 3)
    places = table_places(chosen_frequencies(down, across), False, detail)[:, :most]
    sums = _sums(near.reshape(len(near), -1, near.shape[3]), places)
    best: Floats = sums.reshape(-1, sums.shape[2]).max(axis=0).reshape(near.shape[1:3]).max(axis=1)
    return best


def _of_near_noise(curves: Floats) -> Floats:
    """Curves (..., sigmas, steps) where a frequency's noise may be that of the neighbouring deviations, if there are many."""
    if curves.shape[-2] <= 3:
        return curves
    near: Floats = curves.copy()
    np.maximum(near[..., 1:, :], curves[..., :-1, :], out=near[..., 1:, :])
    np.maximum(near[..., :-1, :], curves[..., 1:, :], out=near[..., :-1, :])
    return near


def sums_at(curves: Floats, places: NDArray[np.intp]) -> Floats:
    """Nats of tables whose steps lie at `places` (n, m, frequencies): float32 (sigmas, n, m)."""
    return np.moveaxis(_sums(curves, places), -1, 0)


def _sums(curves: Floats, places: NDArray[np.intp]) -> Floats:
    """`sums_at` with the deviations last, (n, m, sigmas): those of a step are read at once, which is four times as fast."""
    by_step = np.ascontiguousarray(curves.transpose(0, 2, 1))
    library = compiled()
    if library is not None and by_step.shape[2] <= _SIDE_BY_SIDE:
        made = np.empty((*places.shape[:-1], by_step.shape[2]), np.float32)
        asked = np.ascontiguousarray(places, np.int64)
        library.table_sums(by_step, *by_step.shape, asked, places.size // places.shape[-1], made)
        return made
    total: Floats = np.take(by_step[0], places[..., 0], axis=0)
    for row in range(1, len(curves)):
        total += np.take(by_step[row], places[..., row], axis=0)
    return total


def place_of(logs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the steps with these logarithms, the number of steps for those out of range."""
    index = np.rint((logs - np.log(COARSE.steps[0])) / COARSE.ratio).astype(np.intp)
    return np.ascontiguousarray(np.where((index >= 0) & (index < len(COARSE.steps)), index, len(COARSE.steps)))


RADIAL_GROWTH = (-0.05, 0.0, 0.04, 0.08, 0.12, 0.18, 0.25)
"""Logarithms by which steps of other codecs grow per unit of sqrt(u^2 + v^2)."""
RADIAL_STEPS = np.exp(np.arange(np.log(2), np.log(90), 0.02))


@lru_cache(maxsize=32)
def _radial_places(chosen: tuple[tuple[int, int], ...]) -> NDArray[np.intp]:
    """Steps of other codecs' tables, (growths, steps, frequencies)."""
    radius = np.array([np.hypot(v, u) for v, u in chosen]) - 1
    return place_of(np.log(RADIAL_STEPS)[None, :, None] + np.array(RADIAL_GROWTH)[:, None, None] * radius)


def radial_evidence(curves: Floats, down: int, across: int) -> float:
    """Nats of the best table of another codec, from `step_curves` of `COARSE` detail: even, or growing with the radius."""
    return float(sums_at(curves, _radial_places(chosen_frequencies(down, across))).max(initial=0.0))
