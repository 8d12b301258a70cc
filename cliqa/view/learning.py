"""Thresholds learned from the marks of the moment: what `cliqa.calibrate` does with a table of labels, on request of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cliqa.errors import UsageError
from cliqa.signal.statistics import thresholds
from cliqa.view.marks import Mark
from cliqa.view.table import ColumnFacts, FileTable

FEWEST = 5  # marks of either kind, as for `cliqa.calibrate`
MOST_CONDITIONS = 3
KEEP_FROM = 3  # stars, where a file has no flag


def label_of(mark: Mark) -> bool | None:
    """Whether a mark says keep; None where it says neither."""
    if mark.flag is not None:
        return mark.flag == "keep"
    return mark.stars >= KEEP_FROM if mark.stars else None


def learned(table: FileTable, marks: Mapping[int, Mark]) -> dict[str, Any]:
    """The conditions that tell the marked files apart best, with what they reach on marks that they were not chosen by.

    Returns:
        `conditions` (name, operator, value), `precision` and `recall` with 95 % intervals, `keep` and `drop`: how many marks.

    Raises:
        UsageError: too few marks, or no score differs between them.
    """
    labels = {row: label for row, mark in marks.items() if (label := label_of(mark)) is not None}
    good = np.array(list(labels.values()), dtype=bool)
    keep, drop = int(good.sum()), int((~good).sum())
    if min(keep, drop) < FEWEST:
        missing = " and ".join(
            f"{FEWEST - count} more to {word}" for count, word in ((keep, "keep"), (drop, "drop")) if count < FEWEST
        )
        raise UsageError(f"{keep} files are marked keep and {drop} drop; mark at least {missing}")
    rows = np.array(list(labels), dtype=int)
    columns = [
        index
        for index, column in enumerate(table.columns)
        if column.kind == "number" and column.field.better and "." in column.name
    ]
    values = (
        np.array([table.values(index)[0][rows] for index in columns], dtype=np.float64)
        .reshape(len(columns), len(rows))
        .T
    )
    useful = [place for place in range(len(columns)) if len(np.unique(values[~np.isnan(values[:, place]), place])) > 1]
    if not useful:
        raise UsageError("no score differs between the marked files")
    values = values[:, useful]
    facts = [table.columns[columns[place]] for place in useful]
    directions: list[list[thresholds.Direction]] = [[">=" if one.field.better == "higher" else "<="] for one in facts]
    repeats = thresholds.REPEATS if len(good) <= 500 else 1
    _, joint = thresholds.cross_validate(values, good, directions, MOST_CONDITIONS, 0.0, repeats)
    path = thresholds.best_conjunction(values, good, directions, MOST_CONDITIONS, 0.0)
    length = min(thresholds.choose_length(joint, 0.0), len(path))
    estimate = joint[length - 1]
    return {
        "conditions": [_condition(rule, facts[rule.column]) for rule in path[length - 1]],
        "keep": keep, "drop": drop, "precision": _number(estimate.precision), "recall": _number(estimate.recall),
        "precision_interval": estimate.precision_interval, "recall_interval": estimate.recall_interval,
        "useful": bool(estimate.balanced_accuracy >= 0.6),
    }  # fmt: skip


def _condition(rule: thresholds.Rule, column: ColumnFacts) -> dict[str, Any]:
    value = rule.threshold
    if column.field.kind == "int":
        value = float((math.ceil if rule.direction == ">=" else math.floor)(value))
    return {"name": column.name, "operator": rule.direction, "value": value}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
