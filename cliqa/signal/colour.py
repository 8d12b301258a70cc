"""Luma: the weights of red, green and blue in it, once for everybody who asks how bright a pixel is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LUMA: NDArray[np.float64] = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601, as JPEG has it; sums to 1."""
LUMA32: NDArray[np.float32] = LUMA.astype(np.float32)
