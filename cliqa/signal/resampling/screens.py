"""Printers' screens, whose own period passes for that of an enlargement.

The dots of a halftone lie on a lattice, so that along both axes the picture itself has lines in its upper band, as strong as its lowest
frequencies. Photographs have none, enlarged or not: interpolation changes how large residuals are, periodically, and adds no line.
"""

from __future__ import annotations

import numpy as np

from cliqa.signal.resampling.spectra import BANDS, Array

# In natural logs and places of 128. Of 60 validation photographs printed in a screen four were read as enlarged, and none is: their
# lines have 3.2 or more and lie 1.2 below the lowest frequencies at most. Of 82 enlarged training photographs (by 1.15-2, by 8, by 2-16
# and then JPEG, in a page) none has such lines.
_LINE = 2.4  # over the places about it
_BELOW = 2.0  # how much less than in the lowest frequencies there may be
_LOWEST = slice(2, 5)
_FIRST = 12  # place of the coarsest screen: ten pixels. Below, large enlargements fall too steeply
_NEAR, _AROUND = 4, 9  # places on each side that a line is compared with


def is_screened(power: Array) -> bool:
    """Whether a picture has a screen's lines along both axes.

    Args:
        power: `Evidence.power` of both axes, (2, 4, BANDS).
    """
    return all(_has_line(axis[0]) for axis in power)


def _has_line(power: Array) -> bool:
    """Whether a log power spectrum (BANDS,) has a line as strong as the lowest frequencies."""
    least = float(power[_LOWEST].mean()) - _BELOW
    for place in _FIRST + np.flatnonzero(power[_FIRST:] >= least):
        around = [other for other in range(place - _AROUND, place + _AROUND + 1) if abs(other - place) >= _NEAR]
        if power[place] - np.median(power[[other for other in around if other < BANDS]]) >= _LINE:
            return True
    return False
