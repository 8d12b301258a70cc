"""What `cliqa.score` does: every metric, one decode, one row per file."""

from __future__ import annotations

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Callable, Sequence

from cliqa.cli.console import Console, standard_output
from cliqa.cli.faults import FAULTS, faults_among
from cliqa.cli.picture_words import in_full, in_short, in_words
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_listing, open_metrics
from cliqa.errors import UsageError
from cliqa.inputs.listing import Listing, reaches_beyond
from cliqa.metrics import Metric, known_metrics, left_out, list_metrics, metric_class
from cliqa.records import Record
from cliqa.results.resume import Saved
from cliqa.text import display

FEW = 3  # pictures that are told at length; chosen by hand: what fits a screen


class Scoring(ScoringRun):
    """One run: what is new is scored, what the store already has is left alone."""

    content_hash = True
    metrics: Sequence[Metric] = ()

    def __init__(self, options: argparse.Namespace, console: Console, listing: Listing) -> None:
        super().__init__(options, console, listing)
        self.faults: Counter[str] = Counter()
        self.words: Callable[[Record, Sequence[Metric]], str] | None = None  # where nothing is stored or printed
        if not options.results and not options.print:
            self.words = in_full if options.all_fields else in_words if _few(options.input) else in_short

    def __call__(self, metrics: list[list[Metric]]) -> int:
        """As every run; the faults are counted."""
        self.metrics = metrics[0]
        return super().__call__(metrics)

    def record(self, record: Record) -> None:
        """Store it, or show it where nothing is stored."""
        super().record(record)
        self._count(record)
        if self.words is not None:
            with standard_output():
                print(self.words(record, self.metrics))

    def settle(self, saved: Saved) -> None:
        """It counts, too."""
        super().settle(saved)
        self._count(saved.record)

    def _count(self, record: Record) -> None:
        self.faults.update(fault.words for fault in FAULTS if fault.shown_by(record.values))

    def summary(self) -> list[str]:
        """The closing line, the faults, and what to do next."""
        lines = super().summary()
        if self.words is in_short and self.scored:
            lines.append("more of each: name a few pictures, or --all-fields; --results FILE keeps the scores")
        if not self.options.results or not self.scored + self.known:
            return lines
        columns = {f"{metric.name}.{field.name}" for metric in self.metrics for field in metric.fields}
        told = [f"{self.faults[fault.words]} {fault.words}" for fault in faults_among(columns) if fault.words]
        store = shlex.quote(display(self.options.results))
        if told:
            lines.append(f"by the filters' own thresholds: {', '.join(told)}")
        return [
            *lines,
            f"scores in {store}; next: cliqa report {store}, or cliqa apply {store} --where CONDITION -o kept",
        ]


def metric_names(words: Sequence[str]) -> list[str]:
    """`--metrics` as given (blanks or commas between) -> names, each once; `all` stands for every registered metric."""
    names = list(
        dict.fromkeys(name for part in _parts(words) for name in (list_metrics() if part == "all" else [part]))
    )
    if not names:
        raise UsageError("--metrics names no metric")
    for name in names:
        metric_class(name)
    return names


def _parts(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in word.split(",") if part]


def _few(inputs: Sequence[str]) -> bool:
    """Whether the input is a few single files, each of which is told at length."""
    return len(inputs) <= FEW and not any(reaches_beyond(given) or os.path.isdir(given) for given in inputs)


def _swallowed(words: list[str]) -> str:
    """The last word of `-m NAME PATH`, which is the input where none was named; it is taken from the names.

    A metric's name is one, even where a file or folder of that name lies here.
    """
    if words[-1] in known_metrics():
        raise UsageError(f"name what to score, before the options or after -i; {words[-1]} after -m is the metric")
    return words.pop()


def score(options: argparse.Namespace, console: Console, kind: type[Scoring] = Scoring) -> int:
    """Score what the options name, by a run of this kind; returns the exit status."""
    if options.by_content and not options.resume:
        raise UsageError("--by-content says how --resume knows a file again; give --resume too")
    if not options.input:
        options.input = [_swallowed(options.metrics)]
    names = metric_names(options.metrics)
    if "all" in _parts(options.metrics):
        for name, extra in left_out().items():
            console.say(f"{name} is left out; it needs the extra: pip install 'cliqa[{extra}]'")
    if options.checkpoint and len(names) > 1:
        raise UsageError("--checkpoint is one metric's weights; give --metrics one name with it")
    return kind(options, console, open_listing(options))(open_metrics(names, options, console))
