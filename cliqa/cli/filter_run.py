"""What every filter command does: list, score, keep or drop, place, record."""

from __future__ import annotations

import argparse
import contextlib
from collections import Counter

from cliqa.cli.console import Console
from cliqa.cli.filtering import Filter
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_key_list, open_listing, open_metrics, open_placer
from cliqa.errors import ImageIssue
from cliqa.inputs.listing import Listing
from cliqa.metrics import Metric
from cliqa.outputs.folder import FolderPlacer
from cliqa.records import Issue, Record, Scalar
from cliqa.results.resume import Saved
from cliqa.text import counted


def run_filter(command: Filter, options: argparse.Namespace, console: Console) -> int:
    """Filter what the options name; returns the exit status."""
    run = FilterRun(command, options, console, open_listing(options))
    metrics = open_metrics([command.metric], options, console)
    if command.prepare is not None:
        for on_device in metrics:
            command.prepare(options, on_device[0])
    return run(metrics)


class FilterRun(ScoringRun):
    """One run of a filter: keep or drop each record, place what is kept."""

    def __init__(self, command: Filter, options: argparse.Namespace, console: Console, listing: Listing) -> None:
        super().__init__(options, console, listing)
        self.command = command
        self.placer = open_placer(options)
        self.keys = open_key_list(options)
        self.taken: set[str] = set()  # by files that an earlier run placed
        self.metric = ""
        self.kept = 0
        self.told: Counter[str] = Counter()  # what the command has to say of files, with how many they are

    def __call__(self, metrics: list[list[Metric]]) -> int:
        """As every run, with the fields of the one metric."""
        self.metric = metrics[0][0].name
        return super().__call__(metrics)

    def begin(self, stack: contextlib.ExitStack) -> None:
        """The output is made, or found not to be writable, before anything is scored."""
        for placer in (self.placer, self.keys):
            if placer is not None:
                stack.enter_context(placer)

    def opened(self) -> None:
        """Names that an earlier run placed are not to be given away."""
        self.taken = {path for results in self.results for path in results.placed()}

    def record(self, record: Record) -> None:
        """Act on it; where an earlier run has placed this very file, it stays there."""
        acted = self._act(record, self.earlier[0].placed(record.source) if self.earlier else None)
        if acted is not None:
            self.scored += 1
            for results in self.results:
                results.write(record, *acted)

    def settle(self, saved: Saved) -> None:
        """Act on it by the threshold of this run."""
        notes = list(saved.record.notes)
        acted = self._act(saved.record, saved.placed)
        if acted is not None:
            self.known += 1
            same = acted == (bool(saved.kept), saved.placed) and notes == saved.record.notes
            for results in () if same else self.results:
                results.write(saved.record, *acted)

    def _act(self, record: Record, placed: str | None) -> tuple[bool, str | None] | None:
        """Keep or drop; place unless an earlier run did; list and print. None where the file has gone since it was scored."""
        fields: dict[str, Scalar] = record.fields(self.metric)
        kept = self.command.keep(self.options, fields) != self.options.invert
        if self.command.reason is not None:
            _explain(record, self.command.reason(self.options, fields))
        try:
            if kept and self.placer is not None:
                prefix = f"{self.command.prefix(fields)}_" if self.options.score_prefix else ""
                folder = self.command.folder(self.options, fields) if self.command.folder else None
                placed = self.placer.place(record.source, prefix, folder, placed, self.taken)
            elif self.placer is not None:
                self.placer.drop(record.source)
            if kept and self.keys is not None:
                self.keys.place(record.source)
        except ImageIssue as error:
            self.issue(Issue.of(record.source, error, record.facts))
            return None
        if kept and self.printer is not None:
            self.printer(record.path)
        self.kept += kept
        if self.command.scored is not None:
            folder_record = self.placer.record if isinstance(self.placer, FolderPlacer) else None
            words = self.command.scored(self.options, record.path, placed if kept else None, fields, folder_record)
            if words:
                self.told[words] += 1
        return kept, placed

    def counts(self) -> list[str]:
        """What was kept of what."""
        known = [f"{self.known} scored by an earlier run"] if self.known else []
        already = [f"{self.placer.already} already there"] if self.placer is not None and self.placer.already else []
        told = [f"{count} {words}" for words, count in self.told.items()]
        return [f"{self.kept} of {counted(self.scored + self.known)} kept", *already, *known, *told]

    def summary(self) -> list[str]:
        """What earlier runs placed and this one drops, before the closing line."""
        return [*(self.placer.summary() if self.placer is not None else []), *super().summary()]


_DROPPED = "dropped by "


def _explain(record: Record, reason: str) -> None:
    """Put the rule that drops the image into its notes, in place of what an earlier run with other options said."""
    kept = [part for note in record.notes for part in note.split("; ") if not part.startswith(_DROPPED)]
    record.notes[:] = [*kept, f"{_DROPPED}{reason}"] if reason else kept
