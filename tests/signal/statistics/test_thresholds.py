"""Thresholds from labels, against plain search over every cut and against known distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from cliqa.signal.statistics.thresholds import (
    Direction,
    Estimate,
    Floats,
    Rule,
    best_conjunction,
    best_rule,
    choose_length,
    cross_validate,
    short_decimal,
    stratified_folds,
    wilson,
)


def balanced(kept: np.ndarray, good: np.ndarray) -> float:
    return (kept[good].mean() + 1 - kept[~good].mean()) / 2


def plain_search(column: Floats, good: np.ndarray, direction: Direction) -> float:
    """The best balanced accuracy over every possible cut, one after another."""
    cuts = [-math.inf, math.inf, *column[~np.isnan(column)]]
    kept = [column >= cut if direction == ">=" else column <= cut for cut in cuts]
    return max(balanced(mask, good) for mask in kept)


@pytest.mark.parametrize("direction", [">=", "<="])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_cut_is_that_of_plain_search(seed: int, direction: Direction) -> None:
    rng = np.random.default_rng(seed)
    good = rng.random(80) < 0.4
    column = np.round(rng.normal(size=80) + np.where(good, 1.0 if direction == ">=" else -1.0, 0.0), 1)
    column[rng.random(80) < 0.1] = np.nan
    score, rule = best_rule(column[:, None], good, 0, [direction], np.ones(80, bool))
    assert score == pytest.approx(plain_search(column, good, direction))
    assert balanced(rule.keeps(column[:, None]), good) == pytest.approx(score), (
        "the shortened decimal cuts at the same place"
    )


def test_a_precision_that_is_asked_for_is_reached_with_the_most_keepers() -> None:
    rng = np.random.default_rng(1)
    good = rng.random(400) < 0.5
    column = rng.normal(size=400) + 1.5 * good
    _, rule = best_rule(column[:, None], good, 0, [">="], np.ones(400, bool), min_precision=0.9)
    kept = rule.keeps(column[:, None])
    assert good[kept].mean() >= 0.9
    for lower in column[column < rule.threshold]:
        wider = column >= lower
        assert good[wider].mean() < 0.9 or (wider & good).sum() <= (kept & good).sum()


@pytest.mark.parametrize(
    ("outside", "inside", "expected"),
    [
        (86.9, 88.2, 88.0),
        (0.123, 0.987, 0.6),
        (2, 3, 2.5),
        (1.2345, 1.2347, 1.2346),
        (-5, 5, 0.0),
        (1e-9, 2e-9, 2e-9),
    ],
)
def test_short_decimals(outside: float, inside: float, expected: float) -> None:
    found = short_decimal(outside, inside)
    assert min(outside, inside) < found <= max(outside, inside) and found == pytest.approx(expected)


def test_a_conjunction_finds_both_fields_and_leaves_noise_alone() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(600, 8))
    good = (values[:, 2] > 0.3) & (values[:, 5] < 0.4)
    directions: list[list[Direction]] = [[">=", "<="]] * 8
    path = best_conjunction(values, good, directions, 3)
    assert {(rule.column, rule.direction) for rule in path[1]} == {(2, ">="), (5, "<=")}
    assert [rule.threshold for rule in sorted(path[1], key=lambda rule: rule.column)] == pytest.approx(
        [0.3, 0.4], abs=0.03
    )
    _, joint = cross_validate(values, good, directions, 3, repeats=2)
    assert choose_length(joint) == 2 and joint[1].balanced_accuracy > 0.97


def test_held_out_estimates_do_not_flatter_chance() -> None:
    rng = np.random.default_rng(3)
    values, good = rng.normal(size=(60, 20)), rng.random(60) < 0.5
    _, joint = cross_validate(values, good, [[">=", "<="]] * 20, 2, repeats=4)
    trained = best_conjunction(values, good, [[">=", "<="]] * 20, 2)[-1]
    kept = np.logical_and.reduce([rule.keeps(values) for rule in trained])
    assert balanced(kept, good) > 0.65, "on its own labels noise looks like knowledge"
    assert all(abs(one.balanced_accuracy - 0.5) < 0.15 for one in joint)


def test_folds_hold_their_share_of_either_label() -> None:
    good = np.arange(53) < 13
    folds = stratified_folds(good, 5, 0)
    assert [int(np.sum(good & (folds == fold))) for fold in range(5)] == [3, 3, 3, 2, 2]
    assert sorted(np.bincount(folds)) == [10, 10, 11, 11, 11] or np.ptp(np.bincount(folds)) <= 2


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (7, 10), (93, 100), (50, 50)])
def test_wilson_intervals_are_those_of_scipy(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_estimates() -> None:
    one = Estimate(kept_good=30, kept_bad=10, good=40, bad=20)
    assert (one.precision, one.recall, one.balanced_accuracy) == (0.75, 0.75, 0.625)
    assert math.isnan(Estimate(0, 0, 5, 5).precision)
    assert Rule(0, "<=", 3).keeps(np.array([[3.0], [3.1], [np.nan]])).tolist() == [True, False, False]
