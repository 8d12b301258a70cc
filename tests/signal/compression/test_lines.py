from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.compression.lines import line_profiles, periods, phase, residual_profiles


def blocky(size: int, x: int = 0, seed: int = 0) -> np.ndarray:
    """Tiles of noise whose blocks of `size` differ by a constant each, on a grid that starts at column x."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 3, (4, 128 // size + 2, 128 // size + 2)).repeat(size, axis=1).repeat(size, axis=2)
    noise = rng.normal(0, 1, (4, 128, 128))
    return np.rint(steps[:, :128, size - x : size - x + 128] + noise).astype(np.float32)


@pytest.mark.parametrize(("size", "x"), [(8, 0), (8, 3), (16, 5), (4, 1), (32, 9)])
def test_the_grid_of_blocks_is_found(size: int, x: int) -> None:
    profiles = residual_profiles(line_profiles(blocky(size, x)))
    assert phase(profiles[0, 0], size) == x
    assert phase(profiles[1, 0], size) == 0


@pytest.mark.parametrize("size", [4, 8, 16])
def test_a_period_shows_at_its_frequency_wherever_the_grid_lies(size: int) -> None:
    for x in (0, 2):
        power = periods(residual_profiles(line_profiles(blocky(size, x))))[0]
        assert power[128 // size - 1] > np.median(power) + 3


def test_noise_has_no_period() -> None:
    noise = np.random.default_rng(1).normal(0, 3, (8, 128, 128)).round().astype(np.float32)
    power = periods(residual_profiles(line_profiles(noise)))[0]
    assert power[15] < np.median(power) + 3
