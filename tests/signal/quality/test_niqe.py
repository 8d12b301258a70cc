"""The NIQE-type distance against scipy, and its limits."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from cliqa.signal.quality.niqe import gaussian_of, niqe_distance, quality_of_distance


def clouds(seed=0, d=12):
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(d, d))
    return rng.normal(size=(200, d)) @ mix, rng.normal(loc=0.7, size=(50, d)) @ mix


def test_agrees_with_scipy_mahalanobis_under_the_pooled_covariance():
    a, b = clouds()
    pooled = (np.cov(a, rowvar=False) + np.cov(b, rowvar=False)) / 2 + 1e-3 * np.eye(12)
    expected = mahalanobis(a.mean(0), b.mean(0), np.linalg.inv(pooled))
    assert niqe_distance(*gaussian_of(a), *gaussian_of(b)) == pytest.approx(expected, rel=1e-9)


def test_is_symmetric_and_zero_for_the_same_cloud():
    a, b = gaussian_of(clouds()[0]), gaussian_of(clouds()[1])
    assert niqe_distance(*a, *b) == pytest.approx(niqe_distance(*b, *a))
    assert niqe_distance(*a, *a) == 0.0


def test_a_single_row_and_rank_deficient_clouds_are_bounded_by_the_regularisation():
    one = gaussian_of(np.array([[3.0, 4.0]]))
    zero = gaussian_of(np.zeros((5, 2)))
    assert niqe_distance(*one, *zero) == pytest.approx(5.0 / np.sqrt(1e-3))


@pytest.mark.parametrize("bad", [np.empty((0, 3)), np.zeros(3), np.array([[np.nan, 1.0]])])
def test_refuses_what_has_no_gaussian(bad):
    with pytest.raises(ValueError, match="features"):
        gaussian_of(bad)


def test_quality_falls_from_a_half_as_documented():
    assert quality_of_distance(0.0) == 0.5
    assert quality_of_distance(100.0) == pytest.approx(1 - 1 / (1 + np.exp(-1.0)))
    assert quality_of_distance(1e9) == pytest.approx(0.0, abs=1e-300)
