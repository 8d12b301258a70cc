from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from cliqa.signal.dct_lattice import histograms, quality_evidence, step_evidence
from cliqa.signal.double_compression import LEVELS, _upper_tail, count_levels, previous_evidence
from cliqa.signal.luma_blocks import choose_blocks, dct_blocks, luma
from cliqa.signal.quantization import LUMA_TABLES
from cliqa.signal.save_pair import last_and_previous, later_evidence
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
    assert np.allclose(_upper_tail(x), norm.sf(x), atol=2e-5)


@pytest.mark.parametrize(("first", "second"), [(50, 75), (60, 82), (70, 90)])
def test_first_quality_of_two_saves_is_found(first: int, second: int):
    coefficients = coefficients_of(saved(saved(textured(first), first), second))
    table = LUMA_TABLES[second - 1]
    found = previous_evidence(count_levels(coefficients, table), table)
    assert abs(int(found.argmax()) + 1 - first) <= 1
    assert found.max() > 100


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
