"""A JPEG save seen through a filter on its own grid: sharpening, blur, tone curves, palettes; and what is no JPEG there at all.

A filter scales the frequencies, so the lattice of each is stretched by its own factor and blurred a little. The phases of the
coefficients (`phases`) are asked about IJG's tables through a bank of such filters. Other codecs with 8x8 transforms (AV1, JPEG XL)
have steps that are even, or grow with the distance from the lowest frequency alone: tables of that shape are the alternative.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import Blocks, choose_blocks, dct_blocks, every, luma
from cliqa.signal.jpeg.phases import (
    CAP,
    COARSE,
    FREQUENCIES,
    chosen_frequencies,
    place_of,
    radial_evidence,
    step_curves_of_groups,
    sums_at,
)
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from cliqa.signal.jpeg.tones import APART, RANGES, Toned, ranges_of, read_tones

Floats = NDArray[np.float32]

BLURS = (0.0, 0.35, 0.5, 0.6, 0.7, 0.85, 1.0)
"""Deviations of Gaussians, in pixels; 0 is no filter."""
SHARPENERS = tuple((radius, amount) for radius in (0.6, 1.0, 1.5, 2.0, 3.0) for amount in (0.3, 0.6, 1.0, 1.5))
"""Radius and amount of unsharp masks."""
SCALES = (0.8, 0.87, 0.93, 1.07, 1.15, 1.25)
"""Mean slopes of tone curves."""
RELUCTANCE = 0.3
"""Part of the evidence that a scale costs per unit of |log|: a lattice at twice the step is often as likely."""
MOST_BLOCKS = 900
CLEAR = 25.0
"""Nats from which a lattice is taken for one."""
PLAIN = 0.95
"""Part of the evidence of the best filter that none at all must reach to do as well."""
TONED = 1.1
"""How much clearer a tone curve must be than the best filter: by ranges of brightness, some more is explained by chance."""
TURNED = 1.15
"""How much clearer the turned tables must be: the straight ones reach some of it through a filter."""
BEFORE = 100.0
"""Nats of a save before a filter and a last save: the last save's own lattice can reach some of it."""
OWN = 9
"""Steps of `COARSE` within which a step is the last save's own: its lattice gave up to 1,400 nats to a quality that a blur leads to
within 7, to one save in eight of dim, noisy pictures at 90."""
OWN_SHARE = 0.045
"""Part of the nats of the last save's lattice that remains at the others, such as those of twice its steps: up to 0.03 in 46 pictures
that were toned, sharpened or blurred and saved once, from 0.06 on in 40 of 42 that had been saved before."""
FINE = 88
"""From this last quality on a save before it can be seen through a filter between them."""


@dataclass(frozen=True)
class Filtered:
    """What the grid of the newest save tells through filters.

    Attributes:
        evidence: (100,) nats of each quality by the filter that explains it best; scales pay their reluctance.
        capped: the curves of the steps that they are of, no frequency counting more than `CAP`.
        other: nats of the best table of another codec, 0 where one of IJG's explains the grid and nothing is seen beneath; turned: of
            the best of IJG's turned by 90 degrees, without a filter, 0 where one explains the grid.
        toned: the likeliest save before a tone curve; plain: whether no filter at all explains the grid best.
        blocks: blocks used.
    """

    evidence: Floats
    capped: Floats
    other: float
    turned: float
    toned: Toned
    plain: bool
    blocks: int

    @property
    def looks_turned(self) -> bool:
        """Whether the picture was turned by 90 degrees after the save."""
        return self.turned > max(CLEAR, TURNED * self.best()[1], self.other)

    def best(self, below: int = 100) -> tuple[int, float]:
        """(quality, nats) of the likeliest quality up to `below`; not clear where it is so by some few frequencies alone."""
        if self.toned.nats > TONED * float(self.evidence[:below].max()):
            return self.toned.quality, self.toned.nats
        place = int(self.evidence[:below].argmax())
        nats = float(self.evidence[place])
        spread = float(sums_at(self.capped, _filtered_places()[0][:, place : place + 1]).max())
        return place + 1, nats if spread >= CLEAR else min(nats, spread)


def read_filtered(
    rgb: NDArray[np.uint8], grid: int, last: int = 0, read: tuple[Blocks, Floats] | None = None
) -> Filtered:
    """The evidence of one grid.

    Args:
        rgb: tiles uint8 (n, 3, h, w); grid: offset index y * 8 + x; last: IJG quality that explains the grid, 0 for none.
        read: blocks of that grid and their coefficients (64, n) that are at hand: taken where the same would be chosen here.
    """
    if read is None or len(read[0]) != len(range(0, read[0].among, every(read[0].among, MOST_BLOCKS))):
        blocks = choose_blocks(rgb, luma(rgb), grid % 8, grid // 8, MOST_BLOCKS)
        read = blocks, dct_blocks(blocks.pixels)
    blocks, coefficients = read
    ranges = ranges_of(blocks.pixels.mean(axis=1) + 128)
    curves_of_ranges = step_curves_of_groups(coefficients.reshape(8, 8, -1), ranges, RANGES, COARSE)
    hidden = _take_out(curves_of_ranges, last) if last else 0.0
    curves = curves_of_ranges.sum(axis=0)
    places, worth = _filtered_places()
    total = sums_at(curves, places).max(axis=0) * worth[:, None]
    total[total < hidden] = 0
    capped = np.clip(curves, -np.float32(CAP), np.float32(CAP))
    turned = 0.0 if last else float(sums_at(curves, _turned_places()).max(initial=0.0))
    plain = float(total[0].max()) > PLAIN * float(total.max())
    toned = read_tones(curves_of_ranges, np.bincount(ranges, minlength=RANGES), last)
    toned = toned if toned.nats > hidden else Toned()
    beneath = max(toned.nats, float(total[:, : last - APART].max(initial=0.0))) if last else 0.0
    other = radial_evidence(curves, 8, 8) if not last or beneath > BEFORE else 0.0
    return Filtered(total.max(axis=0), capped, other, turned, toned, plain, len(blocks))


def _take_out(curves: Floats, last: int) -> float:
    """Let no step near those of the last save be evidence of another one: some filter leads each to it.

    `curves`: (..., frequencies, sigmas, steps), changed in place. Returns the nats that a save before must exceed.
    """
    own = _filtered_places()[0][:1, last - 1 : last]
    nats = float(sums_at(curves.reshape(-1, *curves.shape[-3:]).sum(axis=0), own).max())
    for row, place in enumerate(own[0, 0]):
        near = curves[..., row, :, max(place - OWN, 0) : place + OWN + 1]
        np.minimum(near, 0, out=near)
    return OWN_SHARE * nats


def _frequencies() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    chosen = np.array(chosen_frequencies(8, 8)[:FREQUENCIES])
    return chosen[:, 0], chosen[:, 1]


@lru_cache(maxsize=1)
def _filtered_places() -> tuple[NDArray[np.intp], Floats]:
    """(places, worth): steps of each filter and quality (filters, 100, frequencies), and the part of its evidence that counts."""
    v, u = _frequencies()
    squared = (np.pi / 8) ** 2 * (u * u + v * v)  # of the angular frequency
    gains = [-(blur**2) * squared / 2 for blur in BLURS]
    gains += [np.log(1 + amount * (1 - np.exp(-(radius**2) * squared / 2))) for radius, amount in SHARPENERS]
    gains += [np.full(len(u), np.log(scale)) for scale in SCALES]
    worth = np.ones(len(gains), np.float32)
    worth[-len(SCALES) :] -= RELUCTANCE * np.abs(np.log(SCALES))
    return place_of(np.log(LUMA_TABLES[:, v * 8 + u])[None] + np.stack(gains)[:, None, :]), worth


@lru_cache(maxsize=1)
def _turned_places() -> NDArray[np.intp]:
    """Steps of IJG's tables turned by 90 degrees, (1, 100, frequencies)."""
    v, u = _frequencies()
    return place_of(np.log(LUMA_TABLES[:, u * 8 + v]))[None]
