"""What each sub-command of `cliqa.grepq` does; `models` does most of it."""

from __future__ import annotations

import argparse
import csv
import sys

from cliqa.cli.console import Console, standard_output
from cliqa.grepq.evaluation import evaluation_table
from cliqa.grepq.models import fit_model, make_features, observe, open_metric, predict
from cliqa.grepq.rated_sets import read_rated
from cliqa.grepq.suggestions import suggest


def _score(options: argparse.Namespace, console: Console) -> int:
    metric, lost = open_metric(options, console), 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    with standard_output():
        writer.writerow(["path", *(field.name for field in metric.fields)])
    for path in options.images:
        observed = observe(path, metric, console)
        if observed is None:
            lost += 1
            continue
        values = metric.score(observed)
        with standard_output():
            writer.writerow([path, *(f"{values[field.name]:.6g}" for field in metric.fields)])
    return 1 if lost == len(options.images) else 0


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    images = read_rated(options.folder, options.table)
    images = [image for image in images if options.split in (None, image.split)]
    metric = open_metric(options, console)
    for line in evaluation_table(metric, images, options.draws, options.limit, console):
        with standard_output():
            print(line)
    return 0


_ACTIONS = {
    "score": _score,
    "evaluate": _evaluate,
    "features": make_features,
    "fit": fit_model,
    "predict": predict,
    "suggest": suggest,
}


def act(options: argparse.Namespace, console: Console) -> int:
    """Do what the sub-command says; returns the exit status."""
    return _ACTIONS[options.action](options, console)
