"""Figures for ordinal predictions against scipy and direct definitions."""

import numpy as np
import pytest
from scipy import stats

from cliqa.signal.statistics.correlation import ranks
from cliqa.training.ordinal_scores import area_under_roc, quadratic_kappa, spearman

RNG = np.random.default_rng(0)


def test_ranks_and_spearman_agree_with_scipy():
    a, b = RNG.integers(0, 9, 200).astype(float), RNG.normal(size=200)
    np.testing.assert_array_equal(ranks(a), stats.rankdata(a))
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert spearman(a, np.ones(200)) == 0.0


def test_area_is_the_share_of_pairs_in_order():
    positive, score = RNG.random(150) < 0.3, np.round(RNG.normal(size=150), 1)
    pairs = np.sign(score[positive][:, None] - score[~positive][None])
    assert area_under_roc(positive, score) == pytest.approx((pairs + 1).mean() / 2)
    u = stats.mannwhitneyu(score[positive], score[~positive]).statistic
    assert area_under_roc(positive, score) == pytest.approx(u / (positive.sum() * (~positive).sum()))
    assert np.isnan(area_under_roc(np.ones(3, bool), np.arange(3.0)))


def test_kappa_from_its_definition():
    truth, predicted = RNG.integers(1, 5, 500), RNG.integers(1, 5, 500)
    predicted[:300] = truth[:300]
    observed = np.square(truth - predicted).mean()
    chance = np.square(truth[:, None] - predicted[None]).mean()
    assert quadratic_kappa(truth, predicted) == pytest.approx(1 - observed / chance)
    assert quadratic_kappa(truth, truth) == 1.0
    assert np.isnan(quadratic_kappa(np.ones(4, int), np.ones(4, int)))
