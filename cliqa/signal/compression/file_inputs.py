"""What a lossy file says of itself, as numbers for a network: which codec, and its quality brought to one scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FILE_CODECS = ("jpeg", "webp", "avif", "heic", "jpeg2000")
"""The codecs of files that are read; 100 is their best quality but for AVIF's index and HEIC's parameter, which are better when low."""
_WORST = {"avif": 255.0, "heic": 51.0}
UNKNOWN = 0.5  # quality of a file that doesn't tell it
INPUTS = 2 * len(FILE_CODECS) + 2


def file_inputs(codec: str = "", quality: float | None = None, sampling: str = "") -> NDArray[np.float32]:
    """float32 (12,): one of five codecs, its quality 0-1 in that place of the next five, whether it is known, whether 4:2:0.

    All zeros for pixels that come from no lossy file, which is also what no codec means.
    """
    found = np.zeros(INPUTS, np.float32)
    if codec not in FILE_CODECS:
        return found
    place = FILE_CODECS.index(codec)
    scaled = UNKNOWN if quality is None else quality / 100 if codec not in _WORST else 1 - quality / _WORST[codec]
    found[place] = 1
    found[len(FILE_CODECS) + place] = scaled
    found[-2:] = quality is not None, sampling == "4:2:0"
    return found
