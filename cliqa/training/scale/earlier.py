"""Weights that a fit of `scale_factor` goes on from: those that are there, also of the version that saw less of a picture.

A version adds inputs; the photographs' resizes that an earlier one learned from are the same. So its weights are a better start than
random ones, and save most of the examples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from cliqa.signal.resampling.factor_network import KINDS, MAPS, NUMBERS, SHARED
from cliqa.signal.resampling.spectra import BANDS, SCALARS
from cliqa.training.scale.fit import Start

Tensors = dict[str, NDArray[Any]]
_MAPS_3 = SHARED + 4 * KINDS  # without `peaks` and what is below a second harmonic
_SCALARS_3 = (0, 1, 2, 3, SCALARS - 3, SCALARS - 2, SCALARS - 1)  # repeated columns and sizes


def written(path: Path) -> tuple[Tensors, Tensors]:
    """(of `scale`, of `learned`) tensors in a weights file of any version; empty where there is none."""
    found: Tensors = load_file(path) if path.is_file() else {}
    learned = {name: value for name, value in found.items() if name.startswith("learned.")}
    return {name: value for name, value in found.items() if name not in learned}, learned


def start_from(tensors: Tensors) -> Start | None:
    """How a fit goes on from weights of this version or of the third; None where there are none."""
    if not tensors:
        return None
    if len(tensors["maps.mean"]) == MAPS + SHARED:
        return tensors, range(MAPS + SHARED), range(2 * NUMBERS)
    maps = [*range(_MAPS_3), *range(MAPS, MAPS + SHARED)]
    numbers = [*range(2 * BANDS), *(4 * BANDS + each for each in _SCALARS_3), *range(4 * BANDS + SCALARS, NUMBERS)]
    return tensors, maps, [*numbers, *(NUMBERS + np.array(numbers)).tolist()]
