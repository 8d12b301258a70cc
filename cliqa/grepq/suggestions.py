"""Which images to label next: some from every level of the scores so far, so that few labels span the whole range."""

from __future__ import annotations

import argparse
import csv
import sys

import numpy as np
from numpy.typing import NDArray

from cliqa.cli.console import Console, standard_output
from cliqa.errors import RunError, UsageError
from cliqa.grepq.models import open_metric, read_features
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_features import zero_shot_columns
from cliqa.results.labels import match_paths, read_labels


def suggest(options: argparse.Namespace, console: Console) -> int:
    """Write paths to label, with the score that says where in the range each lies: by the model so far, or else zero-shot `q`."""
    if options.encoder == "clip":
        raise UsageError("suggest runs on the shipped encoders: leave --encoder out")
    metric = open_metric(options, console, options.model)
    assert isinstance(metric, GRepQ)
    if options.model and not metric.fitted:
        raise UsageError(
            f"{options.model} is no fitted model; leave --model out, or make one with: python -m cliqa.grepq fit"
        )
    kind = metric.kind if metric.fitted else options.kind or "label-free"
    paths, features, kind = read_features(options.features, metric, kind, console)
    if not paths:
        raise RunError(f"no image of {options.features} gave features")
    if metric.fitted:
        weight, bias = metric.regressor
        scores = features.astype(np.float64) @ weight + bias
    elif kind == "rated":
        raise UsageError(
            "rated features hold no zero-shot score to spread the labels over: make label-free ones, or give --model"
        )
    else:
        scores = zero_shot_columns(features.astype(np.float64))[2]
    labelled = set()
    if options.labels:
        matched, _ = match_paths(read_labels(options.labels).ratings, paths)
        labelled = set(matched.values())
    open_places = np.array([place for place, path in enumerate(paths) if path not in labelled], dtype=np.int64)
    chosen = spread_over(scores[open_places], options.count, options.seed)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    with standard_output():
        writer.writerow(["path", "score_now"])
        writer.writerows([paths[place], f"{scores[place]:.6g}"] for place in open_places[chosen])
    return 0


def spread_over(scores: NDArray[np.float64], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Places of `count` of the scores (n,), one at random from each of `count` equal parts of their order, or of all."""
    order = np.argsort(scores, kind="stable")
    count = min(count, len(order))
    edges = np.linspace(0, len(order), count + 1).astype(int)
    rng = np.random.default_rng(seed)
    return np.array(
        [order[rng.integers(low, high)] for low, high in zip(edges, edges[1:], strict=False)], dtype=np.int64
    )
