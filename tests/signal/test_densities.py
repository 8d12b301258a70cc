"""Densities and curves against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from cliqa.signal.densities import logistic, logit, normal, softmax, upper_tail, wrapped_normal


def test_normal_and_its_tail_agree_with_scipy() -> None:
    x = np.linspace(0, 6, 61)
    np.testing.assert_allclose(normal(x, 0.7), stats.norm.pdf(x, scale=0.7), rtol=1e-12)
    for kind in (np.float32, np.float64):
        found = upper_tail(x.astype(kind))
        assert found.dtype == kind
        np.testing.assert_allclose(found, stats.norm.sf(x), atol=2e-5)


def test_logistic_is_bounded_and_logit_undoes_it() -> None:
    for x in (-29.0, -3.0, 0.0, 0.5, 29.0):
        assert logistic(x) == pytest.approx(float(special.expit(x)), rel=1e-12)
        assert logistic(x, top=100.0) == pytest.approx(100 * logistic(x), rel=1e-12)
    assert 0 < logistic(-1e9) < 1e-12 and 1 - 1e-12 < logistic(1e9) < 1
    assert logit(logistic(2.5)) == pytest.approx(2.5)
    assert np.isfinite([logit(0.0), logit(1.0)]).all()


def test_softmax_agrees_with_scipy_and_keeps_the_type() -> None:
    x = np.random.default_rng(0).normal(0, 200, (4, 7))
    np.testing.assert_allclose(softmax(x), special.softmax(x, axis=-1), rtol=1e-12)
    assert softmax(x.astype(np.float32)).dtype == np.float32


def test_a_wrapped_normal_is_the_sum_over_all_multiples() -> None:
    periods = np.array([0.4, 1.0, 3.0, 40.0])
    offset = np.linspace(-0.5, 0.5, 9)[:, None] * periods
    every = np.sum([normal(offset - turn * periods, 0.7) for turn in range(-8, 9)], axis=0)
    assert wrapped_normal(offset, periods, 0.7, 8) == pytest.approx(every, rel=1e-6)
