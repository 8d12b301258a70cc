"""Correlations against scipy."""

import numpy as np
import pytest
from scipy import stats

from cliqa.signal.statistics.correlation import krcc, plcc, ranks, srcc


@pytest.mark.parametrize("ties", [False, True])
def test_agree_with_scipy_with_and_without_equal_values(ties):
    rng = np.random.default_rng(0)
    a = rng.normal(size=120)
    b = a + rng.normal(size=120)
    if ties:
        a, b = np.round(a, 0), np.round(b, 0)
    assert plcc(a, b) == pytest.approx(stats.pearsonr(a, b).statistic)
    assert srcc(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert krcc(a, b) == pytest.approx(stats.kendalltau(a, b).statistic)
    assert np.array_equal(ranks(a), stats.rankdata(a))


def test_constant_rows_have_no_correlation_and_unequal_rows_are_refused():
    assert np.isnan(plcc([1, 1, 1], [1, 2, 3]))
    assert np.isnan(krcc([1, 1, 1], [1, 2, 3]))
    with pytest.raises(ValueError, match="same length"):
        srcc([1, 2, 3], [1, 2])
