"""The grid of a JPEG that was reduced afterwards, whose lines pass for those of a slight enlargement.

JPEG's blocks put lines at multiples of 1/8 cycles per pixel; after a reduction by f < 1 they lie at multiples of F = 1 / (8 f), between
1/8 and 1/4, folded at 1/2. The eighth is that of the reduction itself, 1 / f - 1. Most false alarms of `factor_network` on such
pictures are the fifth, sixth or eighth of them. An enlargement has no such comb: that of a JPEG before it begins below 1/8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.resampling.factor_network import over_local_level
from cliqa.signal.resampling.spectra import BINS, LENGTH, RESIDUALS, Array

_FIRST = np.arange(
    LENGTH / 8 + 2, LENGTH / 4 + 0.01, 0.125
)  # bins of the combs' first lines; of the plain grid it is LENGTH / 8
_COUNTED = 5  # lines of a comb that are averaged; more are fainter
_EXPLAINED = 8  # the last line that is looked for at the factor's own
_NEAR = 1.6  # bins from it
_MASK, _OWN_MASK = (
    2.5,
    2.6,
)  # bins about the lines of the plain grid, and of the factor and its harmonics, that say nothing
_LOW = 8.0  # bins: below, the picture's own trend
_FEWEST = 3  # lines that must be left
_MOST = 3.0  # natural log by which one line counts at most
_ROOTS = [RESIDUALS.index("d1 root"), RESIDUALS.index("d4 root")]  # of all choices of residuals these told most


def _folded(places: NDArray[np.float64]) -> NDArray[np.float64]:
    turned: NDArray[np.float64] = np.mod(places, LENGTH)
    return np.minimum(turned, LENGTH - turned)


def _near_plain(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the grid of a JPEG that was not resized, or nothing periodic, shows."""
    grid = np.arange(0, BINS, LENGTH // 8)
    near: NDArray[np.bool_] = (np.abs(places[..., None] - grid).min(axis=-1) < _MASK) | (places < _LOW)
    return near


_LINES = _folded(_FIRST[:, None] * np.arange(1, _EXPLAINED + 1))
_ON = _LINES[:, :_COUNTED]
_BETWEEN = _folded(_FIRST[:, None] * (np.arange(1, _COUNTED + 1) - 0.5))
_PLAIN_ON, _PLAIN_BETWEEN = _near_plain(_ON), _near_plain(_BETWEEN)


def reduced_grid(lines: Array, factors: Sequence[float]) -> float:
    """How far a comb that explains the factors' lines stands out, in natural logs.

    The mean of its lines over that of the places between them, and its weakest line: one or two strong lines make no comb.

    Args:
        lines: `Evidence.lines` of both axes, (2, residuals, BINS).
        factors: what was read, 1.0-2.0 along x and y.

    Returns:
        that of the clearest comb one of whose lines from the second to the eighth is a factor's; minus infinity where there is none.
    """
    own = np.array([LENGTH * (1 - 1 / factor) for factor in factors])
    own = own[own > 2 * _LOW - _NEAR]
    level = np.mean([np.clip(over_local_level(axis[_ROOTS]), -1, _MOST).mean(axis=0) for axis in lines], axis=0)
    harmonics = _folded(own[:, None] * np.arange(1, _EXPLAINED + 1)).ravel()
    explains = (np.abs(_LINES[:, 1:, None] - own) <= _NEAR).any(axis=(1, 2))

    def read(places: NDArray[np.float64], plain: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        used = ~(plain | (np.abs(places[..., None] - harmonics) < _OWN_MASK).any(axis=-1))
        below = np.floor(places).astype(int)
        return np.maximum(level[below], level[np.minimum(below + 1, BINS - 1)]), used

    (on, used), (between, others) = read(_ON, _PLAIN_ON), read(_BETWEEN, _PLAIN_BETWEEN)
    count = used.sum(axis=1)
    apart = np.where(used, on, 0).sum(axis=1) / np.maximum(count, 1)
    apart += np.where(used, on, _MOST).min(axis=1)
    apart -= np.where(others, between, 0).sum(axis=1) / np.maximum(others.sum(axis=1), 1)
    sure = np.sqrt(count / _COUNTED)  # the mean of few lines is often large by chance
    return float(np.where(explains & (count >= _FEWEST), apart * sure, -np.inf).max())
