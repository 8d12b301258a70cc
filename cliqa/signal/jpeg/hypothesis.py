"""A resize after a JPEG save, as far as the lattice on its native grid tells of it, and when it is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.native_blocks import Axis

Floats = NDArray[np.float32]

COMBED_WHOLE, COMBED = 15.0, 12.0
"""Scores of a comb, of a whole native size and of a cropped one, that few pictures without JPEG reach: the lattice is then sought
harder, with all kernels and the place refined."""
SPREAD, LEAD = 30.0, 3.0
"""Nats, no frequency counting more than `CAP`, from which there is a lattice on a native grid, and lead over other qualities: halftones
reached 25, a drawing 35 with a lead of 2."""
LIKELY, LIKELY_SPREAD, LIKELY_LEAD, AWAY = 50.0, 11.0, 15.0, 5
"""Or so many nats, so many of those, and such a lead over qualities so far away: faint lattices under a later JPEG have them. Of 300
pictures without JPEG, 75 of them drawings, one had as much that was not also seen half a block beside (validation and training)."""
EVERYWHERE, FEW = 60.0, 20.0
"""Where the nats so capped are fewer, so many times them at most: else they are those of two or three frequencies, of a screen whose
period is about a block. Softened halftones have 26 to 730 times as many mostly, 77 reduced saves 16 at most
(validation and training)."""
BESIDE, NOISE = 0.2, 10.0
"""Part of the nats that may be seen beside the place of a lattice: drawings that were taken for saves have 0.23 to 0.87, halftones 0.29
or more mostly, since their values repeat wherever one looks; reduced saves 0.1 at most, or so many nats (validation and training)."""
DISTINCT = 0.3
"""Share of different ones among the busy blocks from which a lattice is a save's: in dithering that was enlarged and softened the same
blocks come again and again (0.02 to 0.16 where a lattice would be believed otherwise); of saves photographs have 0.95 or more, drawings
0.59 or more (38 and 30; validation and training)."""
UNEQUAL = 1.02
"""Steps of the axes further apart than this are sought among all pairs of combs, so that some fit by chance: they need `SPREAD`. Of
seven such saves the least has 70 (validation)."""
PROMISING = 9.5
"""As those, where the picture may have been reduced: interpolation has combs of its own only where it enlarges."""


@dataclass(frozen=True)
class Hypothesis:
    """A resize and what the lattice on its native grid tells.

    Attributes:
        across, down: the axes; kernel: its name.
        evidence: (100,) nats of each quality at the best noise; noise: index of that of the best quality.
        blocks: native blocks that were read; comb: score of the comb; cropped: whether offsets were free; turned: whether the tables
            are those of a picture turned by 90 degrees; spread: evidence of the quality, no frequency counting more than `CAP`;
            beside: most evidence of about that quality beside the place; distinct: different ones among the busy blocks, over their
            number.
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
    beside: float = 0.0
    distinct: float = 1.0

    @property
    def nats(self) -> float:
        """Evidence of the likeliest quality."""
        return float(self.evidence.max())

    @property
    def capped(self) -> float:
        """Evidence that no few frequencies alone give: `spread` where it was read."""
        return min(self.nats, self.spread) if self.spread else self.nats

    def lead(self, away: int = 2) -> float:
        """Nats by which it leads the qualities that are more than so far from it."""
        others = np.abs(np.arange(100) - int(self.evidence.argmax())) > away
        return self.nats - float(self.evidence[others].max())

    @property
    def believed(self) -> bool:
        """Whether there is a lattice, on many frequencies, in many different blocks and at its own place alone."""
        few = self.spread < EVERYWHERE and self.nats > FEW * self.spread
        low, high = sorted((self.across.step, self.down.step))
        return (
            not few
            and self.distinct >= DISTINCT
            and self.beside <= max(BESIDE * self.nats, NOISE)
            and (
                (self.spread >= SPREAD and self.lead() > LEAD)
                or (
                    high <= UNEQUAL * low
                    and self.spread > LIKELY_SPREAD
                    and self.lead(AWAY) > LIKELY_LEAD
                    and self.nats > LIKELY
                )
            )
        )

    @property
    def combed(self) -> bool:
        """Whether the comb alone tells that there was a grid of that size."""
        return self.comb > (COMBED if self.cropped else COMBED_WHOLE)

    @property
    def promising(self) -> bool:
        """Whether the comb is clear enough to try other kernels where the first shows no lattice."""
        return self.combed or (self.comb > PROMISING and self.across.step > 1)

    @property
    def quality(self) -> int:
        """The likeliest quality."""
        return int(self.evidence.argmax()) + 1
