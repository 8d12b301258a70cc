from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.compression.residuals import STEPS, deviation_histogram, step_histogram, step_histograms


def test_every_step_is_counted_once() -> None:
    found = step_histogram(np.array([[0, -1, 2, 3, 4, 9, -300, 23, 24]], np.int16))
    assert found.sum() == pytest.approx(1) and len(found) == len(STEPS) + 1
    assert found[[0, 1, 2, 3, 4]].tolist() == pytest.approx([1 / 9] * 5)
    assert found[-1] == pytest.approx(2 / 9)


def test_a_ramp_has_first_differences_alone() -> None:
    ramp = np.tile(np.arange(64, dtype=np.float32), (1, 64, 1))
    first, second, mixed = step_histograms(ramp)
    assert first[0] == pytest.approx(0.5) and first[1] == pytest.approx(0.5)  # along columns, along rows
    assert second[0] == pytest.approx(1) and mixed[0] == pytest.approx(1)


def test_flat_blocks_are_in_the_first_bin() -> None:
    blocks = np.concatenate([np.full((30, 64), 7.0), np.random.default_rng(0).normal(0, 3, (10, 64))]).astype(
        np.float32
    )
    found = deviation_histogram(blocks)
    assert found[0] == pytest.approx(0.75) and found.sum() == pytest.approx(1)
