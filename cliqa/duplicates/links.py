"""What holds pictures together: links between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["exact", "pixels", "near", "burst", "bracket"]
OTHER_EXPOSURE = 0.3  # EV: cameras bracket by thirds at least


@dataclass(frozen=True)
class Link:
    """Two pictures that belong together.

    `box` is where the second lies in the first, as `Alignment.box`, after `turn`. `light`: how many EV the second is lighter, as far as
    that was looked at. `tones`: how far apart those of both are, in levels; infinite where that isn't known, or where it is in doubt
    whether both are one shot.
    """

    first: int
    second: int
    kind: Kind
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    turn: int = 0
    light: float = 0.0
    tones: float = 0.0
