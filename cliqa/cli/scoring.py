"""What `cliqa.score` does: every metric, one decode, one row per file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cliqa.cli.console import Console
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_listing, open_metrics
from cliqa.errors import UsageError
from cliqa.metrics import list_metrics, metric_class


class Scoring(ScoringRun):
    """One run: what is new is scored, what the store already has is left alone."""

    content_hash = True


def metric_names(words: Sequence[str]) -> list[str]:
    """`--metrics` as given (blanks or commas between) -> names, each once; `all` stands for every registered metric."""
    given = [part for word in words for part in word.split(",") if part]
    names = list(dict.fromkeys(name for part in given for name in (list_metrics() if part == "all" else [part])))
    if not names:
        raise UsageError("--metrics names no metric")
    for name in names:
        metric_class(name)
    return names


def score(options: argparse.Namespace, console: Console) -> int:
    """Score what the options name; returns the exit status."""
    if options.by_content and not options.resume:
        raise UsageError("--by-content says how --resume knows a file again; give --resume too")
    names = metric_names(options.metrics)
    if options.checkpoint and len(names) > 1:
        raise UsageError("--checkpoint is one metric's weights; give --metrics one name with it")
    listing = open_listing(options)
    kind = Scoring
    if options.engine == "ray":
        from cliqa.cli.ray_run import RayScoring as kind  # noqa: N813 - Ray is an extra
    return kind(options, console, listing)(open_metrics(names, options, console))
