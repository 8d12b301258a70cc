"""The one run loop of every command that scores: what is new is scored, what was saved is taken from there, all is recorded.

A filter's run keeps or drops each record besides, and places what is kept.
"""

from __future__ import annotations

import argparse
import contextlib
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from cliqa.cli.console import Console, PathPrinter
from cliqa.cli.filtering import Filter
from cliqa.cli.setup import (
    note_input,
    open_key_list,
    open_listing,
    open_metrics,
    open_placer,
    pipeline_settings,
    schema_of,
)
from cliqa.errors import ImageIssue
from cliqa.inputs.listing import Listing
from cliqa.limits import DEFAULT_NUM_PATCHES
from cliqa.metrics import Metric
from cliqa.outputs.folder import FolderPlacer
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Record, Scalar, Source
from cliqa.results import Results, Schema, open_results
from cliqa.results.resume import Earlier, Saved
from cliqa.text import counted


class ScoringRun:
    """The shape of a run; a command says what it does with a scored record and with a saved one.

    Attributes:
        scored, known, issues: how many files were scored, known from an earlier run, or gave no score.
        results: the results files that are written; none where none was asked for.
        earlier: what each of them held before this run, with `--resume`.
        printer: writes the paths that `--print` asks for; None without it.
    """

    content_hash = False  # whether records carry the file's SHA-256

    def __init__(self, options: argparse.Namespace, console: Console, listing: Listing) -> None:
        self.options = options
        self.console = console
        self.listing = listing
        self.results: list[Results] = []
        self.earlier: list[Earlier] = []
        self._saved: deque[Saved] = deque()  # what is under way as the record of an earlier run
        self.scored = self.known = self.issues = 0
        self.printer = PathPrinter(options.null) if options.print else None

    def __call__(self, metrics: list[list[Metric]]) -> int:
        """Score the input with the metrics, one list of them per device; returns the exit status."""
        with contextlib.ExitStack() as stack:
            self.begin(stack)
            for results in self.open_results(
                schema_of(metrics[0], getattr(self.options, "num_patches", DEFAULT_NUM_PATCHES))
            ):
                self.results.append(stack.enter_context(results))
                note_input(results, self.options.input)
                if self.options.resume:
                    by_content = getattr(self.options, "by_content", False)
                    self.earlier.append(Earlier(results, by_content, self.options.damaged == "score"))
                    for given in self.options.input:
                        results.forget_folders(given)
            self.opened()
            stream = stack.enter_context(contextlib.closing(self.stream(metrics)))
            for found in self.console.watched(stream, self.listing.count() if self.console.terminal else None):
                self.take(found)
        for line in self.summary():
            self.console.say(line)
        return 3 if self.options.strict and self.issues else 0

    def begin(self, stack: contextlib.ExitStack) -> None:
        """Before anything is opened; `stack` is left when the run ends."""

    def open_results(self, schema: Schema) -> Iterator[Results]:
        """Open the results files that the options name, one after the other."""
        if self.options.results:
            yield open_results(self.options.results, schema, self.options.resume)

    def opened(self) -> None:
        """What the run takes from the results of an earlier one before it begins."""

    def stream(self, metrics: list[list[Metric]]) -> Any:
        """A generator of what `take` takes: records, new or saved, and issues, in the order of the input."""
        sources = self._listed() if self.earlier else self.listing
        ready = self.listing.ready if "-" in self.options.input else None  # nothing else has to be waited for
        return run(sources, metrics, self.settings(), ready)

    def settings(self) -> PipelineSettings:
        """How the run is carried out."""
        return pipeline_settings(self.options, self.content_hash)

    def take(self, found: Any) -> None:
        """One file is done."""
        if isinstance(found, Issue):
            self.issue(found)
        elif self._saved and found is self._saved[0].record:
            self.settle(self._saved.popleft())
        else:
            self.record(found)

    def record(self, record: Record) -> None:
        """A file that this run scored."""
        for results in self.results:
            results.write(record)
        self.scored += 1
        if self.printer is not None:
            self.printer(record.path)

    def settle(self, saved: Saved) -> None:
        """A file that an earlier run scored."""
        for results in self.results if saved.touched else ():
            results.write(saved.record, saved.kept, saved.placed)
        self.known += 1
        if self.printer is not None:
            self.printer(saved.record.path)

    def issue(self, issue: Issue) -> None:
        """A file that gave no score."""
        self.issues += 1
        self.console.issue(issue)
        for results in self.results:
            results.issue(issue)

    def summary(self) -> list[str]:
        """The closing lines."""
        return ["; ".join([*self.counts(), *self.remarks()])]

    def counts(self) -> list[str]:
        """What was scored, and what was known."""
        return [
            f"{counted(self.scored)} scored",
            *([f"{self.known} unchanged since an earlier run"] if self.known else []),
        ]

    def remarks(self) -> list[str]:
        """What else there is to say of the input."""
        return [*([f"{self.issues} with issues"] if self.issues else []), *self.listing.summary()]

    def _listed(self) -> Iterator[Source | Issue | Record]:
        """The sources that no earlier run scored, and in their places the saved scores of the others."""
        for source in self.listing:
            if isinstance(source, Issue):
                yield source
                continue
            saved = [earlier.saved(source) for earlier in self.earlier]
            known = saved[0] if None not in saved else None
            if known is None:
                yield source
            else:
                self._saved.append(known)
                yield known.record


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
        elif kept and self.options.dry_run:
            self.console.say(record.path)
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


def run_filter(options: argparse.Namespace, console: Console, command: Filter) -> int:
    """Filter what the options name; returns the exit status."""
    run = FilterRun(command, options, console, open_listing(options))
    metrics = open_metrics([command.metric], options, console)
    if command.prepare is not None:
        for on_device in metrics:
            command.prepare(options, on_device[0])
    return run(metrics)
