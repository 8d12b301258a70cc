"""One run over the input of a command: what is new is scored, what an earlier run saved is taken from there, all is recorded."""

from __future__ import annotations

import argparse
import contextlib
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cliqa.cli.setup import note_input, pipeline_settings, schema_of

if TYPE_CHECKING:
    from cliqa.cli.console import Console
    from cliqa.inputs.folders import Listing
    from cliqa.inputs.shards import ShardListing
    from cliqa.metrics import Metric
    from cliqa.records import Issue, Record, Source
    from cliqa.results import Results, Schema
    from cliqa.results.resume import Earlier, Saved


def counted(images: int) -> str:
    """In words: "1 image", "2 images"."""
    return f"{images} image" + ("" if images == 1 else "s")


class ScoringRun:
    """The shape of a run; a command says what it does with a scored record and with a saved one.

    Attributes:
        scored, known, issues: how many files were scored, known from an earlier run, or gave no score.
        results: the results file; None where none was asked for.
        earlier: what that file held before this run; None without one.
    """

    content_hash = False  # whether records carry the file's SHA-256

    def __init__(self, options: argparse.Namespace, console: Console, listing: Listing | ShardListing) -> None:
        self.options = options
        self.console = console
        self.listing = listing
        self.results: Results | None = None
        self.earlier: Earlier | None = None
        self._saved: deque[Saved] = deque()
        self.scored = self.known = self.issues = 0

    def __call__(self, metrics: list[list[Metric]]) -> int:
        """Score the input with the metrics, one list of them per device; returns the exit status."""
        from cliqa.pipeline.run import run
        from cliqa.records import Issue
        from cliqa.results.resume import Earlier

        options = self.options
        schema = schema_of(metrics[0], options.num_patches)
        with contextlib.ExitStack() as stack:
            self.begin(stack)
            if options.results:
                self.results = stack.enter_context(self.open_results(schema))
                self.read_earlier(self.results)
                self.earlier = Earlier(self.results.done, schema, getattr(options, "by_content", False))
                note_input(self.results, options.input)
                if options.resume:
                    self.results.forget_folders(options.input)
            stack.enter_context(self.console.progress(self.listing.count() if self.console.terminal else None))
            settings = pipeline_settings(options, self.content_hash)
            scored = run(self._listed(), metrics, settings, self.listing.ready)
            for found in stack.enter_context(contextlib.closing(scored)):
                if isinstance(found, Issue):
                    self.issue(found)
                elif self._saved and found is self._saved[0].record:
                    self.settle(self._saved.popleft())
                else:
                    self.record(found)
                self.console.step()
        self.console.say("; ".join(self.summary()))
        return 3 if options.strict and self.issues else 0

    def begin(self, stack: contextlib.ExitStack) -> None:
        """Before anything is opened; `stack` is left when the run ends."""

    def open_results(self, schema: Schema) -> Results:
        """Open the results file that the options name."""
        from cliqa.results import open_results

        return open_results(self.options.results, schema, self.options.resume)

    def read_earlier(self, results: Results) -> None:
        """What the run takes from the rows of an earlier one before it begins; `results` are closed whatever happens here."""

    def record(self, record: Record) -> None:
        """A file that this run scored."""
        raise NotImplementedError

    def settle(self, saved: Saved) -> None:
        """A file that an earlier run scored."""
        raise NotImplementedError

    def issue(self, issue: Issue) -> None:
        """A file that gave no score."""
        self.issues += 1
        self.console.issue(issue)
        if self.results is not None:
            self.results.issue(issue)

    def summary(self) -> list[str]:
        """The parts of the closing line."""
        parts = [f"{self.issues} with issues"] if self.issues else []
        if self.listing.left_out:
            parts.append(f"{self.listing.left_out} entries that are no image files by name left out")
        return parts

    def _listed(self) -> Iterator[Source | Issue | Record]:
        """The sources that no earlier run scored, and in their places the saved scores of the others."""
        from cliqa.records import Issue

        seen: set[str] = set()
        for source in self.listing:
            if isinstance(source, Issue):
                yield source
                continue
            if self.results is not None and self.options.input == "-":  # a folder names a file once, a stream may not
                if source.path in seen:
                    continue
                seen.add(source.path)
            saved = self.earlier.saved(source) if self.earlier is not None else None
            if saved is None:
                yield source
            else:
                self._saved.append(saved)
                yield saved.record
