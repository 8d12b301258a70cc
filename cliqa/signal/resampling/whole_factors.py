"""Enlargements by exactly 3 and 4 that kept nothing but rounding in the upper band: their lines pass for others'.

The lines of a whole factor lie at multiples of 1 / r alone: of 3 at 1/3, which is that of 1.5 with another band, of 4 at 1/4 and 1/2,
where codecs have theirs. The networks see few of them. But blocks have lines at 1/8 and 3/8 too, and no photograph of which the upper
band is empty has such a line along both axes by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.resampling.factor_network import over_local_level, upper_level
from cliqa.signal.resampling.spectra import LENGTH, Array

# Chosen on training examples, in natural logs: of 16,600 that were not enlarged 6 have such a line at 1/3, 6 at 1/4. Of 138 validation
# pictures enlarged by 2, 3, 4, 6, 8 and 16 with every kernel the networks alone miss 10, all of 3, 4 and 6, and none is missed with it.
_THIRD, _QUARTER = 1.0, 1.2  # the line, along the axis where it is fainter
_QUIET, _SILENT = -2.0, -2.8  # log power of the upper eighth, above which a line at 1/3, and one at 1/4, tells nothing
_BLOCKS = 0.5  # of the lines at 1/8 and 3/8, from which on a codec is seen
_EMPTY = slice(26, 42)  # places of 128 in the power spectrum, between the edges of the bands of 3 and of 1.5
_ABOVE = 0.7  # log power there over that of the upper eighth, from which on the band reaches so far
_NEAR = 0.03  # of a factor


def whole_factor(lines: Array, power: Array, factors: Sequence[float]) -> float:
    """The least factor that the lines of a third or a quarter allow, 2.0 where the band says that it is 3 or 4; 1.0 for none.

    Args:
        lines: `Evidence.lines` of both axes, (2, residuals, BINS).
        power: `Evidence.power` of both axes, (2, 4, BANDS).
        factors: what was read, 1.0-2.0 along x and y; a surely larger one than the least stands.
    """
    upper = upper_level(power)
    if upper >= _QUIET:
        return 1.0
    level = np.stack([over_local_level(axis).mean(axis=0) for axis in lines])
    least = 1.0
    if _line(level, LENGTH / 3) >= _THIRD:
        least = 1.5
    elif upper < _SILENT and _line(level, LENGTH / 4) >= _QUARTER:
        blocks = level.mean(axis=0)
        if max(blocks[place - 1 : place + 2].max() for place in (LENGTH // 8, 3 * LENGTH // 8)) < _BLOCKS:
            least = 4 / 3
    if least == 1.0 or max(factors) > least + _NEAR:
        return 1.0
    return 2.0 if float(power[:, 1, _EMPTY].mean()) - upper < _ABOVE else least


def _line(level: NDArray[np.float32], place: float) -> float:
    """The line about a place, of the axis where it is fainter."""
    near = slice(int(place) - 1, round(place) + 2)
    return float(level[:, near].max(axis=1).min())
