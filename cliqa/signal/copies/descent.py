"""Which of two files of one size was made of the other: a JPEG rounds the coefficients of the picture that it is given to its steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import cut_blocks, dct_blocks

SLACK = 2.0  # grey levels by which rounding to whole pixels, chroma and clipping move a coefficient
FEWEST = 500  # coefficients that must tell
AGREE = 0.965
"""Share of them that must lie within the rounding of the steps: of 40 JPEGs of 60-96 made of a picture 37 reach 0.985 and the least
0.943; of JPEGs coarser by 15 and more that were made of them, taken for their sources, none exceeds 0.953."""


def made_of(source: NDArray[np.uint8], jpeg: NDArray[np.uint8], table: Sequence[int]) -> bool:
    """Whether the luma of a JPEG, by its own table, is what a save makes of another picture's.

    Args:
        source, jpeg: uint8 (height, width), the same part of both, from a corner of the JPEG's blocks.
        table: the 64 steps of the JPEG's luma, in natural order.
    """
    steps = np.asarray(table, np.float32)[:, None]
    given, got = (dct_blocks(cut_blocks(each.astype(np.float32)[None] - 128, 0, 0)) for each in (source, jpeg))
    rounded = np.rint(got / steps)
    tells = (rounded != 0) | (np.abs(given) > steps / 2 + SLACK)
    within = np.abs(given - steps * rounded) <= steps / 2 + SLACK
    count = int(tells.sum())
    return count >= FEWEST and float(within[tells].mean()) >= AGREE
