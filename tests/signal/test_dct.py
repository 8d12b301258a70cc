"""The transform's matrix against SciPy's."""

from __future__ import annotations

import numpy as np
from scipy import fft

from cliqa.signal.dct import BLOCK, dct_matrix


def test_the_matrix_is_scipys_orthonormal_transform() -> None:
    np.testing.assert_allclose(dct_matrix(), fft.dct(np.eye(BLOCK), norm="ortho", axis=0), atol=1e-14)
    block = np.random.default_rng(0).normal(size=(BLOCK, BLOCK))
    np.testing.assert_allclose(dct_matrix() @ block @ dct_matrix().T, fft.dctn(block, norm="ortho"), atol=1e-12)
