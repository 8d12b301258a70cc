"""Pictures enlarged by nearest neighbour to a whole factor: the factor, and the picture before it.

Replicated pixels have flat steps, which all grid metrics take for blocks of JPEG. Steps between columns (rows) then lie on one
residue modulo the factor, without exception. A save by JPEG after the enlargement, noise or another resize breaks that: such a
picture is judged as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.raster import reader

MOST = 32
"""Largest factor that is looked for."""
FEWEST_STEPS = 6
"""Steps between columns (rows) from which a residue means something: fewer may lie on one by chance."""
STRIP = 32
"""Rows and columns in the middle that are looked at before the whole picture is."""


@dataclass(frozen=True)
class Replication:
    """Factor and first step along one axis; a factor of 1 for none, 0 where there are too few steps to tell."""

    factor: int
    first: int

    @property
    def start(self) -> int:
        """The first pixel of the picture before it: one of each repeated run from here on."""
        return self.first % max(self.factor, 1)


def replication(pixels: NDArray[np.uint8], axis: int) -> Replication:
    """How often the pixels (h, w, channels) are repeated along `axis`."""
    ahead, behind = (pixels[:, 1:], pixels[:, :-1]) if axis else (pixels[1:], pixels[:-1])
    differs = (ahead != behind).any(axis=1 - axis)  # over whole lines of memory first, where it can be
    return common_factor(np.flatnonzero(differs.any(axis=1)) + 1)


def common_factor(steps: NDArray[np.intp]) -> Replication:
    """The largest factor up to `MOST` at which all these places lie on one residue."""
    if len(steps) < FEWEST_STEPS:
        return Replication(0, 0)
    apart = int(np.gcd.reduce(np.diff(steps)))
    factor = next(part for part in range(min(apart, MOST), 0, -1) if apart % part == 0)
    return Replication(factor, int(steps[0]))


def before_replication(picture: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """An RGB picture with one pixel for each that was repeated, and the factors (across, down); (1, 1) leaves it as it is."""
    width, height = picture.size
    left, top = max(0, (width - STRIP) // 2), max(0, (height - STRIP) // 2)
    read = reader(picture)
    strips = (0, top, width, min(height, top + STRIP)), (left, 0, min(width, left + STRIP), height)
    for strip, axis in zip(strips, (1, 0), strict=True):
        if replication(read(strip), axis).factor == 1:
            return picture, (1, 1)
    pixels = np.asarray(picture)
    across, down = replication(pixels, 1), replication(pixels, 0)
    if across.factor < 2 or down.factor < 2:
        return picture, (1, 1)
    reduced = np.ascontiguousarray(pixels[down.start :: down.factor, across.start :: across.factor])
    return Image.fromarray(reduced), (across.factor, down.factor)
