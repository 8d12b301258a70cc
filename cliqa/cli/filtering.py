"""What every filter command does: list, score, keep or drop, place, record. A filter adds a keep rule and a prefix."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cliqa.cli.guard import guarded
from cliqa.cli.options import add_compute, add_input, add_output, add_results, new_parser
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import note_input, open_key_list, open_listing, open_metrics, open_placer, schema_of
from cliqa.errors import ImageIssue
from cliqa.text import counted

if TYPE_CHECKING:
    from cliqa.cli.console import Console, PathPrinter
    from cliqa.inputs.listing import Listing
    from cliqa.metrics import Metric
    from cliqa.outputs import Placer
    from cliqa.records import Record, Scalar
    from cliqa.results import Results
    from cliqa.results.resume import Saved

__all__ = ["Fields", "Filter", "guarded", "note_input", "open_listing", "open_metrics", "open_placer", "schema_of"]

Fields = dict[str, Any]


@dataclass(frozen=True)
class Filter:
    """One filter command.

    Attributes:
        command: the module's name below `cliqa`.
        metric: the metric whose fields decide.
        description: the first paragraph of the help.
        add_options: adds the filter's own options (its threshold first).
        keep: (options, fields of the metric) -> whether the image is kept.
        prefix: (fields) -> what `--score-prefix` puts before the name, without the last underscore.
        folder: (options, fields) -> sub-folder of the output that a kept file goes to; None for the mirror of its own.
        scored: (options, path, where it was placed, fields) -> whatever else the filter does with every scored file.
    """

    command: str
    metric: str
    description: str
    add_options: Callable[[argparse._ArgumentGroup], None]
    keep: Callable[[argparse.Namespace, Fields], bool]
    prefix: Callable[[Fields], str]
    folder: Callable[[argparse.Namespace, Fields], str | None] | None = None
    scored: Callable[[argparse.Namespace, str, str | None, Fields], None] | None = None

    def parser(self) -> argparse.ArgumentParser:
        """All options of the command."""
        parser = new_parser(self.command, self.description, "-i INPUT [-o OUTPUT] [options]")
        self.add_options(parser.add_argument_group("filter"))
        add_input(parser)
        add_output(parser)
        add_results(parser)
        add_compute(parser, f"pretrained_models/{self.metric}.safetensors")
        return parser

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run the command; returns the exit status (0, 1, 2 or 3)."""
        parser = self.parser()
        options = parser.parse_args(arguments)
        if not (options.output or options.print or options.results or options.keys or options.dry_run):
            parser.error("nothing to do: give --output, --print, --results, --keys or --dry-run")
        return guarded(self.command, options.quiet, lambda console: self._run(options, console), resumes=True)

    def _run(self, options: argparse.Namespace, console: Console) -> int:
        from cliqa.cli.console import PathPrinter

        run = _FilterRun(self, options, console, open_listing(options))
        run.placer = open_placer(options)
        run.keys = open_key_list(options)
        metrics = open_metrics([self.metric], options, console)
        run.printer = PathPrinter(options.null) if options.print else None
        return run(metrics)


class _FilterRun(ScoringRun):
    """One run of a filter: keep or drop each record, place what is kept."""

    def __init__(self, command: Filter, options: argparse.Namespace, console: Console, listing: Listing) -> None:
        super().__init__(options, console, listing)
        self.command = command
        self.placer: Placer | None = None
        self.keys: Placer | None = None
        self.taken: set[str] = set()  # by files that an earlier run placed
        self.printer: PathPrinter | None = None
        self.metric = ""
        self.kept = 0

    def __call__(self, metrics: list[list[Metric]]) -> int:
        self.metric = metrics[0][0].name
        return super().__call__(metrics)

    def begin(self, stack: contextlib.ExitStack) -> None:
        for placer in (self.placer, self.keys):
            if placer is not None:
                stack.enter_context(placer)

    def read_earlier(self, results: Results) -> None:
        """Names that an earlier run placed are not to be given away."""
        self.taken = {str(done.row["placed"]) for done in results.done.values() if done.row.get("placed")}

    def record(self, record: Record) -> None:
        placed = self.earlier.placed(record.source) if self.earlier is not None else None
        acted = self._act(record, placed)
        if acted is not None:
            self.scored += 1
            if self.results is not None:
                self.results.write(record, *acted)

    def settle(self, saved: Saved) -> None:
        acted = self._act(saved.record, saved.placed)
        if acted is not None:
            self.known += 1
            if self.results is not None and acted != (bool(saved.kept), saved.placed):
                self.results.update(saved.record, *acted)

    def _act(self, record: Record, placed: str | None) -> tuple[bool, str | None] | None:
        """Keep or drop; place unless an earlier run did; list and print. None where the file has gone since it was scored."""
        from cliqa.records import Issue

        fields: dict[str, Scalar] = record.fields(self.metric)
        kept = self.command.keep(self.options, fields) != self.options.invert
        try:
            if kept and self.placer is not None:
                prefix = f"{self.command.prefix(fields)}_" if self.options.score_prefix else ""
                folder = self.command.folder(self.options, fields) if self.command.folder else None
                placed = self.placer.place(record.source, prefix, folder, placed, self.taken)
            if kept and self.keys is not None:
                self.keys.place(record.source)
        except ImageIssue as error:
            self.issue(Issue.of(record.source, error, record.facts))
            return None
        if kept and self.printer is not None:
            self.printer(record.path)
        self.kept += kept
        if self.command.scored is not None:
            self.command.scored(self.options, record.path, placed if kept else None, fields)
        return kept, placed

    def summary(self) -> list[str]:
        known = [f"{self.known} scored by an earlier run"] if self.known else []
        return [f"{self.kept} of {counted(self.scored + self.known)} kept", *known, *super().summary()]
