"""Spectra of tiles by products against NumPy's fast transform."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.spectrum import tile_spectra


@pytest.mark.parametrize("shape", [(3, 128, 128), (2, 64, 96), (1, 33, 45), (1, 8, 300), (0, 16, 16)])
def test_spectra_are_those_of_the_fast_transform(shape: tuple[int, int, int]) -> None:
    tiles = np.random.default_rng(0).normal(0, 20, shape).astype(np.float32)
    expected = np.fft.rfft2(tiles) if len(tiles) else np.zeros((0, 16, 9))
    np.testing.assert_allclose(tile_spectra(tiles), expected, atol=3e-6 * float(np.abs(expected).max(initial=1)))


def test_tiles_that_lie_apart_in_memory_are_read_as_they_are() -> None:
    turned = np.random.default_rng(1).normal(0, 20, (2, 40, 24)).astype(np.float32).swapaxes(1, 2)
    np.testing.assert_allclose(tile_spectra(turned), tile_spectra(turned.copy()), atol=0)
