"""How the scores, and models fitted to a few labels, agree with the ratings of a data set."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.cli.console import Console, standard_output
from cliqa.errors import RunError
from cliqa.grepq.models import observe, open_metric
from cliqa.grepq.published import Published
from cliqa.grepq.rated_sets import read_rated
from cliqa.metrics import Observation
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_features import FEATURE_PARTS, LABEL_FREE_WIDTH, zero_shot_columns
from cliqa.signal.statistics.correlation import krcc, plcc, srcc
from cliqa.signal.statistics.ridge import choose_alpha, ridge

LABELS = (50, 100, 200)
ALL_PARTS = FEATURE_PARTS | {"rated": np.s_[LABEL_FREE_WIDTH:], "all": np.s_[:]}


def evaluate(options: argparse.Namespace, console: Console) -> int:
    """Print the table for the data set that the options name."""
    images = read_rated(options.folder, options.table)
    images = [image for image in images if options.split in (None, image.split)]
    for line in evaluation_table(open_metric(options, console), images, options.draws, options.limit, console):
        with standard_output():
            print(line)
    return 0


def evaluation_table(
    metric: GRepQ | Published, images: Sequence[Any], draws: int, limit: int | None, console: Console
) -> Iterator[str]:
    """Lines of the report: name, SRCC, PLCC, KRCC. Every part is label-free but `rated` and `all`.

    Raises:
        RunError: fewer than three photographs gave features.
    """
    order = np.random.default_rng(0).permutation(len(images))[:limit]
    rows, scores, targets = [], [], []
    for number in console.watched(order, len(order)):
        observed = observe(str(images[number].path), metric, console)
        if observed is not None:
            score, row = measured(metric, observed)
            scores.append(score)
            rows.append(row)
            targets.append(images[number].score)
    if len(rows) < 3:
        raise RunError(f"{len(rows)} photographs gave features; an evaluation needs at least three")
    features, mos = np.stack(rows).astype(np.float64), np.array(targets)
    yield f"{len(mos)} photographs"
    yield f"{'':24s}{'SRCC':>8s}{'PLCC':>8s}{'KRCC':>8s}"

    def line(name: str, figures: Sequence[float]) -> str:
        return f"{name:24s}" + "".join(f"{value:8.3f}" for value in figures)

    for name, column in zip(("low", "high", "combined"), np.array(scores).T, strict=True):
        yield line(f"{name}, zero-shot", (srcc(column, mos), plcc(column, mos), krcc(column, mos)))
    for count in LABELS:
        if count + 10 > len(mos):
            continue
        for name, part in (metric.parts if isinstance(metric, Published) else ALL_PARTS).items():
            figures = few_labels(features[:, part], mos, count, draws)
            yield line(f"{name}, {count} labels", figures)


def measured(
    metric: GRepQ | Published, observed: Observation
) -> tuple[tuple[float, float, float], NDArray[np.float32]]:
    """q_low, q_high and q of a picture, and its features."""
    if isinstance(metric, Published):
        return metric.measure(observed)
    row = metric.features(observed)
    low, high, both = (float(column[0]) for column in zero_shot_columns(row[None]))
    return (low, high, both), row


def few_labels(
    features: NDArray[np.float64], mos: NDArray[np.float64], count: int, draws: int
) -> tuple[float, float, float]:
    """SRCC, PLCC and KRCC of a ridge on `count` labels drawn at random, on all others; mean of the draws."""
    figures = []
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(mos))
        used, held = order[:count], order[count:]
        alpha, _ = choose_alpha(features[used], mos[used])
        weight, bias = ridge(features[used], mos[used], alpha)
        guess = features[held] @ weight + bias
        figures.append((srcc(guess, mos[held]), plcc(guess, mos[held]), krcc(guess, mos[held])))
    first, second, third = np.mean(figures, axis=0)
    return float(first), float(second), float(third)
