"""The discrete cosine transform of 8x8 blocks, orthonormal (DCT-II), as JPEG has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 8


def dct_matrix() -> NDArray[np.float64]:
    """(8, 8), rows are frequencies: the coefficients of a block are D @ block @ D.T.

    >>> round(float(dct_matrix()[0].sum()), 6)  # a flat row of ones has the coefficient sqrt(8)
    2.828427
    """
    n = np.arange(BLOCK)
    scale = np.sqrt(np.where(n == 0, 1, 2) / BLOCK)
    matrix: NDArray[np.float64] = scale[:, None] * np.cos((2 * n[None, :] + 1) * n[:, None] * np.pi / (2 * BLOCK))
    return matrix
