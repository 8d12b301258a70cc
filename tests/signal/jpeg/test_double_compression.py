from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from cliqa.signal.densities import upper_tail
from cliqa.signal.jpeg.blocks import choose_blocks, dct_blocks, luma
from cliqa.signal.jpeg.double_compression import (
    BETWEEN_SIGMA,
    LEVELS,
    OUTLIERS,
    count_levels,
    last_and_previous,
    later_evidence,
    previous_evidence,
)
from cliqa.signal.jpeg.lattice import histograms, quality_evidence, step_evidence
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from tests.jpeg_pictures import saved, textured, tiles


def coefficients_of(pixels: np.ndarray) -> np.ndarray:
    rgb = tiles(pixels)
    return dct_blocks(choose_blocks(rgb, luma(rgb), 0, 0).pixels)


def test_levels_are_counted_by_their_absolute_value():
    coefficients = np.zeros((64, 3), np.float32)
    coefficients[5] = [21.0, -19.0, 4.0]
    found = count_levels(coefficients, np.full(64, 10))
    assert found.shape == (64, LEVELS)
    assert found[5, :3].tolist() == [1, 0, 2]
    assert found[6, 0] == 3


def test_normal_tail_agrees_with_scipy():
    x = np.linspace(0, 5, 50)
    assert np.allclose(upper_tail(x), norm.sf(x), atol=2e-5)


@pytest.mark.parametrize(("first", "second"), [(50, 75), (60, 82), (70, 90)])
def test_first_quality_of_two_saves_is_found(first: int, second: int):
    coefficients = coefficients_of(saved(saved(textured(first), first), second))
    table = LUMA_TABLES[second - 1]
    found = previous_evidence(count_levels(coefficients, table), table)
    assert abs(int(found.argmax()) + 1 - first) <= 1
    assert found.max() > 100


def test_evidence_of_one_frequency_equals_a_plain_sum_over_levels():
    """The model written out: a Laplacian quantized by q1, blurred, quantized by q2, against one quantized by q2; zeros left out."""
    table = np.full(64, 255)
    table[1] = 3
    counts = np.zeros((64, LEVELS), np.float32)
    counts[1, :7] = [50, 3, 40, 5, 20, 2, 9]
    found = previous_evidence(counts, table)
    n0, n1, total = 50.0, 79.0, float(counts[1] @ np.arange(LEVELS))
    a, c = n0 + n1 + 2 * total, 2 * total - n1
    s = (np.sqrt(n0 * n0 + 4 * a * c) - n0) / (2 * a)
    single = s ** (2 * np.arange(6.0))
    for quality in (30, 60, 75):
        q1 = int(LUMA_TABLES[quality - 1, 1])
        double = np.zeros(400)
        for m in range(1, 40):
            place = q1 * m / 3
            near = int(np.floor(place + 0.5))
            moved = norm.sf((0.5 - abs(place - near)) * 3 / BETWEEN_SIGMA)
            mass = s ** (2 * q1 * m / 3)
            double[near] += mass * (1 - moved)
            double[near + (1 if place >= near else -1)] += mass * moved
        double = double[1:7] / double[1:7].sum()
        expected = counts[1, 1:7] @ np.log((1 - OUTLIERS) * double / (single / single.sum()) + OUTLIERS)
        assert found[quality - 1] == pytest.approx(expected, rel=1e-3, abs=0.05)


def test_one_save_shows_no_earlier_one():
    for quality in (40, 75, 90):
        table = LUMA_TABLES[quality - 1]
        found = previous_evidence(count_levels(coefficients_of(saved(textured(quality), quality)), table), table)
        assert found.max() < 60


def test_no_coefficients_say_nothing():
    assert previous_evidence(np.zeros((64, LEVELS), np.float32), LUMA_TABLES[50]).tolist() == [0] * 100


@pytest.mark.parametrize(("first", "second"), [(60, 85), (55, 93), (80, 96)])
def test_pair_names_the_last_and_the_earlier_save(first: int, second: int):
    coefficients = coefficients_of(saved(saved(textured(second), first), second))
    counted = histograms(coefficients)
    pair = last_and_previous(quality_evidence(step_evidence(counted)), counted, coefficients)
    assert pair.last == second
    assert abs(pair.previous - first) <= 1
    assert pair.gain > 0.5


def test_pair_of_one_save_gains_little():
    coefficients = coefficients_of(saved(textured(9), 77))
    counted = histograms(coefficients)
    pair = last_and_previous(quality_evidence(step_evidence(counted)), counted, coefficients)
    assert pair.last == 77
    assert pair.gain < 0.1


def test_later_saves_below_the_single_one_are_not_judged():
    found = later_evidence(histograms(coefficients_of(saved(textured(4), 90))).fine, 89)
    assert (found[:92] == 0).all() and (found[98:] == 0).all()
