"""The lattice likelihood against a slow, plain implementation; behaviour on saved images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cliqa.signal.jpeg import lattice as dct_lattice
from cliqa.signal.jpeg.blocks import choose_blocks, dct_blocks, luma
from cliqa.signal.jpeg.lattice import Histograms, histograms, quality_evidence, step_evidence
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from tests.jpeg_pictures import saved, textured, tiles


def evidence_of(pixels: np.ndarray) -> np.ndarray:
    rgb = tiles(pixels)
    return step_evidence(histograms(dct_blocks(choose_blocks(rgb, luma(rgb), 0, 0).pixels)))


def slow_evidence(values: list[float], step: int) -> float:
    """Log likelihood ratio of one step, value by value, with a search over scales where the module has closed forms."""
    sigma, outliers = dct_lattice.ROUNDING_SIGMA, dct_lattice.OUTLIERS
    width = math.sqrt(sigma**2 + 1 / (12 * dct_lattice.FINE_PER_UNIT**2))

    def normal(x: float, deviation: float) -> float:
        return math.exp(-0.5 * (x / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))

    levels = [math.floor(abs(value) / step + 0.5) for value in values]
    noise = 0.0
    for value, level in zip(values, levels, strict=True):
        off = abs(value) - level * step
        wrapped = sum(normal(off - turn * step, width) for turn in range(-2, 3))
        noise += math.log((1 - outliers) * wrapped + outliers / step)
    best = -math.inf
    for s in np.linspace(1e-4, 1 - 1e-4, 4001):  # s = exp(-step / 2b)
        zero, other = math.log(1 - s), math.log((1 - s * s) / 2)
        total = sum(zero if level == 0 else other + (2 * level - 1) * math.log(s) for level in levels)
        best = max(best, total)
    off_zero = [abs(value) for value, level in zip(values, levels, strict=True) if level]
    share = min(max(len(off_zero) / len(values), 1e-6), 1 - 1e-6)
    tail = (len(values) - len(off_zero)) * math.log(1 - share)
    tail += sum(math.log(share * step * (1 + step / 2) / 2) - 2 * math.log(1 + value) for value in off_zero)
    smooth = -math.inf
    for scale in [1e-3, *np.geomspace(0.15, 300, 32)]:
        total = 0.0
        for value in values:
            if scale < width:
                density = normal(value, math.sqrt(width**2 + 2 * scale**2))
            else:
                grid = np.linspace(-8, 8, 801) * width
                weights = np.exp(-0.5 * (grid / width) ** 2)
                density = float(
                    (np.exp(-np.abs(abs(value) - grid) / scale) * weights).sum() / weights.sum() / (2 * scale)
                )
            total += math.log((1 - outliers) * density + outliers * 0.5 / (1 + abs(value)) ** 2)
        smooth = max(smooth, total)
    for share_tail in (0.02, 0.05, 0.1, 0.2, 0.4, 0.6):
        total = sum(
            math.log((1 - share_tail) * normal(value, width) + share_tail * 0.5 / (1 + abs(value)) ** 2)
            for value in values
        )
        smooth = max(smooth, total)
    return max(best, tail) + noise - smooth


@pytest.mark.parametrize("step", [2, 5, 6, 11])
def test_evidence_equals_the_slow_plain_sum(step: int):
    rng = np.random.default_rng(step)
    values = 6 * np.rint(rng.laplace(0, 7, 60) / 6) + rng.normal(0, 0.29, 60)
    per_unit = dct_lattice.FINE_PER_UNIT
    values = np.rint(values * per_unit) / per_unit  # bin centres: no binning error
    found = step_evidence(histograms(values[None].astype(np.float32)))[0, step - 1]
    assert found == pytest.approx(slow_evidence(values.tolist(), step), rel=2e-3, abs=0.3)


def test_evidence_peaks_at_the_step_of_a_lattice():
    rng = np.random.default_rng(1)
    for step in (3, 7, 20, 45):
        values = step * np.rint(rng.laplace(0, 2.0 * step, 800) / step) + rng.normal(0, 0.29, 800)
        found = step_evidence(histograms(values[None].astype(np.float32)))[0]
        assert int(found.argmax()) + 1 == step
        assert found.max() > 500


def test_smooth_coefficients_support_no_step():
    values = np.random.default_rng(2).laplace(0, 9, (1, 2000)).astype(np.float32)
    assert step_evidence(histograms(values))[0, 2:].max() < 0


def test_histograms_leave_out_what_is_beyond_their_range():
    counted = histograms(np.array([[0.0, -3.0, 600.0], [3.0, 70.0, -1.0]], np.float32))
    assert isinstance(counted, Histograms)
    assert counted.fine.sum(axis=1).tolist() == [2, 2]
    assert counted.coarse.sum(axis=1).tolist() == [2, 3]
    assert counted.coarse[1, 70] == 1
    assert counted.fine[0, 3 * dct_lattice.FINE_PER_UNIT] == 1


@pytest.mark.parametrize("quality", [10, 35, 60, 75, 88, 95])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_quality_of_a_save_is_exact(quality: int, sampling: str):
    found = quality_evidence(evidence_of(saved(textured(quality, 128), quality, sampling)))
    assert int(found.argmax()) + 1 == quality
    assert found.max() > 0


def test_no_save_gives_no_positive_evidence():
    assert quality_evidence(evidence_of(textured(3, 128)))[:97].max() < 0


def test_quality_evidence_sums_the_steps_of_the_tables():
    steps = np.random.default_rng(4).normal(size=(64, 255)).astype(np.float32)
    expected = sum(steps[f, LUMA_TABLES[79, f] - 1] for f in range(1, 64))
    assert quality_evidence(steps)[79] == pytest.approx(expected, rel=1e-4)
