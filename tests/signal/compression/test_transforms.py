from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.compression.transforms import band_statistics, cut, kept_counts, magnitudes


@pytest.mark.parametrize("size", [4, 8, 16])
def test_the_transform_is_orthonormal_and_finds_a_single_wave(size: int) -> None:
    noise = np.random.default_rng(0).normal(0, 5, (2, 128, 128)).astype(np.float32)
    energy = np.square(magnitudes(noise, 0, 0, size)).sum()
    assert energy == pytest.approx(np.square(noise).sum(), rel=1e-4)
    wave = np.cos(np.pi * (2 * np.arange(128) + 1) * 2 / (2 * size)).astype(np.float32)
    found = magnitudes(np.tile(wave, (1, 128, 1)), 0, 0, size)
    assert (found.argmax(axis=1) == 2).all()


def test_blocks_are_cut_from_where_the_grid_starts() -> None:
    plane = np.arange(128 * 128, dtype=np.float32).reshape(1, 128, 128)
    assert cut(plane, 3, 5, 8)[0, 0] == 5 * 128 + 3
    assert len(cut(plane, 3, 5, 8)) == 15 * 15


def test_lost_bands_read_as_nothing() -> None:
    coefficients = np.full((100, 64), 5.0, np.float32)
    coefficients[:, 32:] = 0
    nothing = band_statistics(coefficients, 8)[0]
    assert nothing[0] == pytest.approx(1)  # as large as counts
    assert nothing[-1] == pytest.approx(0)
    counts = kept_counts(coefficients)
    assert counts.sum() == pytest.approx(1) and counts.argmax() == 9  # 31 of 63
