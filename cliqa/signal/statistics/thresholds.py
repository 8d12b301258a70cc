"""Thresholds from labels: the best cut of one score, the best conjunction of a few, and honest estimates of both.

A rule keeps a file when its value is at least (or at most) a threshold; a conjunction keeps what all its rules keep. A
missing value is never kept. "Best" is the balanced accuracy, the mean of the share of keepers that are kept and of others
that are dropped, which doesn't reward keeping everything when most labels say keep; or, when a precision is asked for, the
most keepers at that precision. Estimates come from stratified cross-validation in which the whole search is repeated on every
training part, the choice of fields included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Direction = Literal[">=", "<="]
FOLDS = 5  # as is usual; no tuning on record
REPEATS = 8  # of the division into folds, whose chance moves estimates from few labels; no tuning on record
_Z = 1.959964  # two-sided 95 % of a normal distribution


@dataclass(frozen=True)
class Rule:
    """Keep where column `column` is `direction` `threshold`."""

    column: int
    direction: Direction
    threshold: float

    def keeps(self, values: Floats) -> Flags:
        """Which rows of (rows, columns) are kept."""
        column = values[:, self.column]
        with np.errstate(invalid="ignore"):
            kept: Flags = column >= self.threshold if self.direction == ">=" else column <= self.threshold
        return kept


@dataclass(frozen=True)
class Estimate:
    """How rules do on labels that they were not chosen by, as counts per repeat of the cross-validation.

    `kept_good` are keepers that were kept, `kept_bad` others that were kept, out of `good` and `bad` labels.
    """

    kept_good: float
    kept_bad: float
    good: int
    bad: int

    @property
    def precision(self) -> float:
        """Share of the kept files that are keepers; NaN where nothing is kept."""
        kept = self.kept_good + self.kept_bad
        return self.kept_good / kept if kept else math.nan

    @property
    def recall(self) -> float:
        """Share of the keepers that are kept."""
        return self.kept_good / self.good

    @property
    def balanced_accuracy(self) -> float:
        """Mean of recall and of the share of the others that are dropped; 0.5 is chance."""
        return (self.recall + 1 - self.kept_bad / self.bad) / 2

    @property
    def precision_interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the precision."""
        return wilson(self.kept_good, self.kept_good + self.kept_bad)

    @property
    def recall_interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the recall."""
        return wilson(self.kept_good, self.good)


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (0, 1) without trials."""
    if trials <= 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + _Z**2 / (2 * trials)
    spread = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    scale = 1 + _Z**2 / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def best_rule(
    values: Floats, good: Flags, column: int, directions: Sequence[Direction], among: Flags, min_precision: float = 0.0
) -> tuple[float, Rule]:
    """The best cut of one column, applied on top of rules that already keep only `among`.

    Args:
        values: (rows, columns), NaN where missing.
        good: which rows are keepers.
        column: which column to cut.
        directions: which comparisons to try.
        among: the rows that the other rules keep.
        min_precision: 0 for balanced accuracy, else the precision to reach.

    Returns:
        (objective, rule); the threshold lies between two values, at the shortest decimal there.
    """
    found: tuple[float, Rule] | None = None
    present = np.flatnonzero(~np.isnan(values[:, column]) & among)
    ordered = present[np.argsort(values[present, column], kind="stable")]
    sorted_values, sorted_good = values[ordered, column], good[ordered]
    for direction in directions:
        if direction == "<=":
            sorted_values, sorted_good = sorted_values[::-1], sorted_good[::-1]
        # Cut before position i: the rows from i on are kept. Only between different values.
        kept_good = np.concatenate([np.cumsum(sorted_good[::-1])[::-1], [0]])
        kept_bad = np.concatenate([np.cumsum(~sorted_good[::-1])[::-1], [0]])
        cuts = (
            np.flatnonzero(np.concatenate([[True], sorted_values[1:] != sorted_values[:-1]])) if len(ordered) else [0]
        )
        scores = _objective(kept_good[cuts], kept_bad[cuts], good, min_precision)
        place = int(np.argmax(scores))
        cut = int(cuts[place])
        inside = float(sorted_values[cut]) if len(ordered) else 0.0
        threshold = short_decimal(float(sorted_values[cut - 1]), inside) if cut else _outward(inside, direction)
        if found is None or scores[place] > found[0] + 1e-12:
            found = float(scores[place]), Rule(column, direction, threshold)
    assert found is not None
    return found


def _objective(kept_good: NDArray[np.int64], kept_bad: NDArray[np.int64], good: Flags, min_precision: float) -> Floats:
    recall = kept_good / max(1, int(good.sum()))
    if min_precision <= 0:
        balanced: Floats = (recall + 1 - kept_bad / max(1, int((~good).sum()))) / 2
        return balanced
    precision = kept_good / np.maximum(1, kept_good + kept_bad)
    return np.where(precision >= min_precision, 1 + recall, precision)


def short_decimal(outside: float, inside: float) -> float:
    """The shortest decimal between two neighbouring values, `inside` itself allowed, nearest to their middle."""
    middle = (outside + inside) / 2
    low, high = min(outside, inside), max(outside, inside)
    for digits in range(-3, 12):
        rounded = round(middle, digits)
        if low < rounded < high or rounded == inside:
            return float(rounded)
    return inside


def _outward(value: float, direction: Direction) -> float:
    """A short decimal that keeps `value` and all beyond: a rule that drops nothing that has a value."""
    step = 10.0 ** math.floor(math.log10(max(1e-6, abs(value))) - 1)
    rounded = math.floor(value / step) * step if direction == ">=" else math.ceil(value / step) * step
    return float(f"{rounded:.6g}")


def best_conjunction(
    values: Floats, good: Flags, directions: Sequence[Sequence[Direction]], most: int, min_precision: float = 0.0
) -> list[list[Rule]]:
    """Conjunctions of 1, 2, ... up to `most` rules: each adds the field that helps most, then all thresholds settle again.

    Returns:
        A list for each length; it ends early where another rule doesn't help.
    """
    path: list[list[Rule]] = []
    rules: list[Rule] = []
    reached = -math.inf
    while len(rules) < most:
        among = _all(rules, values)
        used = {rule.column for rule in rules}
        candidates = [
            best_rule(values, good, column, directions[column], among, min_precision)
            for column in range(values.shape[1])
            if column not in used
        ]
        if not candidates:
            break
        score, rule = max(candidates, key=lambda candidate: candidate[0])
        if score <= reached + 1e-9:
            break
        rules = [*rules, rule]
        for _ in range(2 if len(rules) > 1 else 0):
            for place, old in enumerate(rules):
                others = _all([*rules[:place], *rules[place + 1 :]], values)
                score, rules[place] = best_rule(values, good, old.column, directions[old.column], others, min_precision)
        reached = score
        path.append(list(rules))
    return path


def _all(rules: Sequence[Rule], values: Floats) -> Flags:
    kept = np.ones(len(values), bool)
    for rule in rules:
        kept &= rule.keeps(values)
    return kept


def stratified_folds(good: Flags, folds: int, seed: int) -> NDArray[np.int64]:
    """A fold number for each row; each fold holds its share of either label."""
    rng = np.random.default_rng(seed)
    numbers = np.empty(len(good), np.int64)
    for label in (False, True):
        rows = rng.permutation(np.flatnonzero(good == label))
        numbers[rows] = np.arange(len(rows)) % folds
    return numbers


def cross_validate(
    values: Floats, good: Flags, directions: Sequence[Sequence[Direction]], most: int, min_precision: float = 0.0,
    repeats: int = REPEATS,
) -> tuple[list[Estimate], list[Estimate]]:  # fmt: skip
    """Estimates on labels that were held out.

    Returns:
        (one estimate for each column's own best rule, one for each length of the best conjunction).
    """
    columns = values.shape[1]
    folds = max(2, min(FOLDS, int(good.sum()), int((~good).sum())))
    single = np.zeros((columns, 2))
    joint = np.zeros((most, 2))
    everything = np.ones(len(good), bool)
    for repeat in range(repeats):
        numbers = stratified_folds(good, folds, repeat)
        for fold in range(folds):
            train, test = numbers != fold, numbers == fold
            for column in range(columns):
                _, rule = best_rule(
                    values[train], good[train], column, directions[column], everything[train], min_precision
                )
                single[column] += _counts(rule.keeps(values[test]), good[test])
            path = best_conjunction(values[train], good[train], directions, most, min_precision)
            for length in range(most):  # where the search ended early, its last conjunction stands
                joint[length] += _counts(_all(path[min(length, len(path) - 1)], values[test]), good[test])
    total, others = int(good.sum()), int((~good).sum())

    def estimates(counts: Floats) -> list[Estimate]:
        return [Estimate(kept / repeats, bad / repeats, total, others) for kept, bad in counts]

    return estimates(single), estimates(joint)


def _counts(kept: Flags, good: Flags) -> Floats:
    return np.array([np.sum(kept & good), np.sum(kept & ~good)], dtype=np.float64)


def choose_length(estimates: Sequence[Estimate], min_precision: float = 0.0) -> int:
    """How many rules: the fewest whose held-out balanced accuracy (or recall) is within a standard error of the best."""

    def value(one: Estimate) -> float:
        return one.recall + min(0.0, one.precision - min_precision) if min_precision > 0 else one.balanced_accuracy

    best = max(estimates, key=value)
    error = 0.5 * math.sqrt(
        best.recall * (1 - best.recall) / best.good
        + (best.kept_bad / best.bad) * (1 - best.kept_bad / best.bad) / best.bad
    )
    return next(length for length, one in enumerate(estimates, 1) if value(one) >= value(best) - error)
