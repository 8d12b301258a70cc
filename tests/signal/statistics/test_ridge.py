"""Ridge against scikit-learn's closed form written out, and its refusals."""

import numpy as np
import pytest

from cliqa.signal.statistics.ridge import ALPHAS, choose_alpha, fit, held_out_predictions, ridge


def data(n, d, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) + 2.0
    return x, x @ np.linspace(1, 0, d) + 0.1 * rng.normal(size=n) + 5.0


@pytest.mark.parametrize(("n", "d"), [(40, 6), (10, 30)])
def test_solves_the_stated_problem_in_both_forms(n, d):
    x, y = data(n, d)
    weight, bias = ridge(x, y, 3.0)
    # an independent solution: ordinary least squares on rows that carry the penalty, the constant a free column
    rows = np.block([[x, np.ones((n, 1))], [np.sqrt(3.0) * np.eye(d), np.zeros((d, 1))]])
    expected = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(d)]), rcond=None)[0]
    assert np.allclose(weight, expected[:-1], atol=1e-8)
    assert bias == pytest.approx(expected[-1])


def test_chooses_little_penalty_for_clean_data_and_much_for_noise():
    x, y = data(60, 8)
    assert choose_alpha(x, y)[0] == 0.1
    assert choose_alpha(x, np.random.default_rng(1).normal(size=60))[0] == 100.0


def test_takes_the_larger_penalty_where_labels_cannot_tell_penalties_apart():
    x, y = data(60, 8)
    noisy = y + np.random.default_rng(2).normal(0, 3, 60)
    errors = {alpha: np.mean((held_out_predictions(x, noisy, alpha) - noisy) ** 2) for alpha in ALPHAS}
    chosen, held_out = choose_alpha(x, noisy)
    assert chosen > min(errors, key=lambda alpha: errors[alpha])
    assert np.mean((held_out - noisy) ** 2) == pytest.approx(errors[chosen])
    assert errors[chosen] < 1.1 * min(errors.values())


def test_reports_cross_validated_figures_and_a_curve():
    x, y = data(80, 10)
    found = fit(x, y)
    assert found.srcc > 0.95
    assert found.plcc > 0.95
    assert [count for count, _ in found.curve] == [16, 32, 64]
    assert all(value > 0.9 for _, value in found.curve)
    assert np.abs(found(x) - y).mean() < 0.2


@pytest.mark.parametrize(
    ("labels", "message"),
    [([1.0, 2.0], "three labels"), ([1.0, 1.0, 1.0], "all labels are 1"), ([1.0, np.nan, 2.0], "finite")],
)
def test_refuses_labels_that_teach_nothing(labels, message):
    with pytest.raises(ValueError, match=message):
        fit(np.eye(3)[: len(labels)], np.array(labels))


def test_nine_of_ten_further_labels_lie_within_the_distance_that_is_told():
    rng = np.random.default_rng(11)
    kept = []
    for _ in range(40):
        x = rng.normal(size=(60 + 200, 8))
        y = x @ rng.normal(size=8) + rng.standard_t(
            3, size=260
        )  # heavy tails, which no formula of deviations would tell
        found = fit(x[:60], y[:60])
        kept.append(np.mean(np.abs(found(x[60:]) - y[60:]) <= found.within))
        assert found.srcc_range[0] < found.srcc < found.srcc_range[1]
    assert 0.88 < np.mean(kept) < 0.95
    assert fit(x[:8], y[:8]).within == float("inf")
