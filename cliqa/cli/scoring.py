"""What `cliqa.score` does: every metric, one decode, one row per file."""

from __future__ import annotations

import argparse
import shlex
from collections import Counter
from collections.abc import Sequence

from cliqa.cli.console import Console, standard_output
from cliqa.cli.faults import FAULTS, faults_among
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_listing, open_metrics
from cliqa.errors import UsageError
from cliqa.inputs.listing import Listing
from cliqa.metrics import Field, Metric, left_out, list_metrics, metric_class
from cliqa.records import Record, Scalar
from cliqa.results.resume import Saved
from cliqa.text import display


class Scoring(ScoringRun):
    """One run: what is new is scored, what the store already has is left alone."""

    content_hash = True
    metrics: Sequence[Metric] = ()

    def __init__(self, options: argparse.Namespace, console: Console, listing: Listing) -> None:
        super().__init__(options, console, listing)
        self.faults: Counter[str] = Counter()

    def __call__(self, metrics: list[list[Metric]]) -> int:
        """As every run; the faults are counted."""
        self.metrics = metrics[0]
        return super().__call__(metrics)

    def record(self, record: Record) -> None:
        """Store it, or show it where nothing is stored."""
        super().record(record)
        self._count(record)
        if not self.options.results and not self.options.print:
            with standard_output():
                print(in_words(record, self.metrics))

    def settle(self, saved: Saved) -> None:
        """It counts, too."""
        super().settle(saved)
        self._count(saved.record)

    def _count(self, record: Record) -> None:
        self.faults.update(fault.words for fault in FAULTS if fault.shown_by(record.values))

    def summary(self) -> list[str]:
        """The closing line, the faults, and what to do next."""
        lines = super().summary()
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


def score(options: argparse.Namespace, console: Console) -> int:
    """Score what the options name; returns the exit status."""
    if options.by_content and not options.resume:
        raise UsageError("--by-content says how --resume knows a file again; give --resume too")
    names = metric_names(options.metrics)
    if "all" in _parts(options.metrics):
        for name, extra in left_out().items():
            console.say(f"{name} is left out; it needs the extra: pip install 'cliqa[{extra}]'")
    if options.checkpoint and len(names) > 1:
        raise UsageError("--checkpoint is one metric's weights; give --metrics one name with it")
    listing = open_listing(options)
    kind = Scoring
    if options.engine == "ray":
        from cliqa.cli.ray_run import RayScoring as kind  # noqa: N813 - Ray is an extra
    return kind(options, console, listing)(open_metrics(names, options, console))


def in_words(record: Record, metrics: Sequence[Metric]) -> str:
    """The scores of one picture as a person reads them: the faults first, then each number, what it means, and whether it is one.

    Fields that tell a person nothing, such as hashes and thumbnails, are left out.
    """
    facts = record.facts
    told = [fault for fault in faults_among(record.values) if fault.words]
    faults = ", ".join(fault.words for fault in told if fault.shown_by(record.values))
    verdict = f"; {faults or 'no fault found'}" if told else ""
    lines = [
        f"{display(record.path)}: {facts.get('format')}, {facts.get('width')} x {facts.get('height')} pixels{verdict}"
    ]
    for metric in metrics:
        for field in metric.fields:
            name = f"{metric.name}.{field.name}"
            if not field.opaque:
                lines.append(
                    f"  {name:<36} {_number(record.values.get(name), field):>12}  {_meaning(name, field, record)}"
                )
    return "\n".join([*lines, *(f"  note: {display(note)}" for note in record.notes)])


def _number(value: Scalar, field: Field) -> str:
    if value is None:
        return "none"
    return display(str(value)) if isinstance(value, str) else f"{value:.4g} {field.unit}".strip()


def _meaning(name: str, field: Field, record: Record) -> str:
    end = {"higher": ", higher is better", "lower": ", lower is better"}.get(field.better, "")
    span = "" if field.kind == "str" else f" ({field.low:g} to {field.high:g}{end})"
    fault = next((fault for fault in FAULTS if fault.column == name and fault.words), None)
    verdict = ""
    if fault is not None and record.values.get(name) is not None:
        dropped = f"; FAULT: {fault.words}, {fault.command} drops it"
        verdict = dropped if fault.shown_by(record.values) else "; no fault"
    return f"{field.meaning}{span}{verdict}"
