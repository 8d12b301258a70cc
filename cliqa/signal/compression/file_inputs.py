"""What a lossy file says of itself, as numbers for a network: which codec, and where its quality lies between the codec's ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FILE_CODECS = ("jpeg", "webp", "avif", "heic", "jpeg2000")
"""The codecs of files that are read; 100 is their best quality but for AVIF's index and HEIC's parameter, which are better when low."""
_WORST = {"avif": 255.0, "heic": 51.0}  # the ends of AV1's quantizer index and of HEVC's quantization parameter
UNKNOWN = 0.5  # quality of a file that doesn't tell it
KNOTS = 9  # along each codec's range of qualities
# The first of the inputs: a piecewise linear curve of the quality is a product with them
CURVE = KNOTS * len(FILE_CODECS)
INPUTS = CURVE + 2


def file_inputs(codec: str = "", quality: float | None = None, sampling: str = "") -> Floats:
    """float32 (47,): for each of five codecs nine triangles over its range of qualities; whether the quality is known, whether 4:2:0.

    All zeros for pixels that come from no lossy file, which is also what no codec means.
    """
    found = np.zeros(INPUTS, np.float32)
    if codec not in FILE_CODECS:
        return found
    scaled = UNKNOWN if quality is None else quality / 100 if codec not in _WORST else 1 - quality / _WORST[codec]
    place = FILE_CODECS.index(codec) * KNOTS
    distances = np.abs(np.clip(scaled, 0, 1) * (KNOTS - 1) - np.arange(KNOTS))
    found[place : place + KNOTS] = np.maximum(1 - distances, 0)
    found[CURVE:] = quality is not None, sampling == "4:2:0"
    return found
