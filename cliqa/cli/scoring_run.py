"""The one run loop of every command that scores: what is new is scored, what was saved is taken from there, all is recorded."""

from __future__ import annotations

import argparse
import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any

from cliqa.cli.console import Console, PathPrinter
from cliqa.cli.setup import note_input, pipeline_settings, schema_of
from cliqa.inputs.listing import Listing
from cliqa.limits import DEFAULT_NUM_PATCHES
from cliqa.metrics import Metric
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Record, Source
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
