"""Blur that passes for an enlargement: an empty band without any line.

Blur empties the upper band as an enlargement does, and the networks then say 2. But a picture that was enlarged and kept without loss
has a line somewhere, at its factor's place or, from 2 on, at another multiple of 1 / r. After a codec a faint line may be gone, as it
may after an enlargement by 5 and more with a smooth kernel, so nothing is said of what a codec touched or of emptier bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.resampling.factor_network import over_local_level, upper_level
from cliqa.signal.resampling.spectra import BINS, LENGTH, RESIDUALS, Array

# Chosen on validation photographs, in natural logs. Of 50 that were blurred by a Gaussian of 2 or 3 pixels 27 were read as enlarged,
# and 8 still are (of 4 pixels nearly all); of 125 enlarged to 1-2 and of 50 to 8 none is lost, of 25 to 2-8 two.
_BOTH = 1.2  # a line along both axes, the mean over the residuals
_ALONE = 1.6  # along one of them
_OWN = 1.0  # at the factor that was read
_HALF = 1.8  # of first differences at one half, where alone a factor of 2 shows; blur has up to 1.6 there, such factors 2.2 and more
_BLOCKS = 0.3  # of the lines of 8x8 blocks, from which on a codec is seen
_QUIET = -2.0  # log power of the upper eighth of the band, above which there is more than rounding
# Log power, and the place of 128 in the power spectrum, up to which at least there must be as much
_FULL, _EDGE = -1.0, 13
_LOW, _NEAR = 12, 3  # bins below, and about the blocks' lines, that say nothing

_GRID = LENGTH // 8
_TOLD = np.array([place >= _LOW and min(place % _GRID, -place % _GRID) > _NEAR for place in range(BINS)])
_FIRST = RESIDUALS.index("d1 root")


def lineless(lines: Array, power: Array, factors: Sequence[float]) -> bool:
    """Whether a picture that no codec touched has no line of an enlargement.

    Args:
        lines: `Evidence.lines` of both axes, (2, residuals, BINS).
        power: `Evidence.power` of both axes, (2, 4, BANDS).
        factors: what was read, 1.0-2.0 along x and y.
    """
    over = np.stack([over_local_level(axis) for axis in lines])
    level = over.mean(axis=1)
    blocks = level[:, _GRID : 3 * _GRID + 1 : _GRID].mean()
    if blocks >= _BLOCKS or upper_level(power) >= _QUIET or power[:, 1, _EDGE:].max() < _FULL:
        return False
    if level.mean(axis=0)[_TOLD].max() >= _BOTH or level[:, _TOLD].max() >= _ALONE:
        return False
    return bool(over[:, _FIRST, -3:].max() < _HALF and max(map(_own, over, factors)) < _OWN)


def _own(over: NDArray[np.float32], factor: float) -> float:
    """The line at a factor's place, the mean over the residuals of the highest within two bins."""
    place = round(LENGTH * (1 - 1 / factor))
    return float(over[:, max(place - 2, 0) : place + 3].max(axis=1).mean())
