"""What every filter command does: list, score, keep or drop, place, record. A filter adds a keep rule and a prefix."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cliqa.cli.guard import guarded
from cliqa.cli.options import add_compute, add_input, add_output, add_results, new_parser
from cliqa.cli.scoring_run import ScoringRun, counted
from cliqa.cli.setup import note_input, open_key_list, open_listing, open_metrics, open_placer, schema_of
from cliqa.errors import CliqaError, ImageIssue

if TYPE_CHECKING:
    from cliqa.cli.console import Console, PathPrinter
    from cliqa.inputs.folders import Listing
    from cliqa.inputs.shards import ShardListing
    from cliqa.metrics import Metric
    from cliqa.outputs.folder import Placer
    from cliqa.outputs.keys import KeyList
    from cliqa.outputs.samples import SamplePlacer
    from cliqa.records import Record, Scalar
    from cliqa.results import Results, Schema
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
        reason: (options, fields) -> which rule drops the image, for the notes of its row; "" where none does.
        scored: (options, path, where it was placed, fields) -> whatever else the filter does with every scored file.
    """

    command: str
    metric: str
    description: str
    add_options: Callable[[argparse._ArgumentGroup], None]
    keep: Callable[[argparse.Namespace, Fields], bool]
    prefix: Callable[[Fields], str]
    folder: Callable[[argparse.Namespace, Fields], str | None] | None = None
    reason: Callable[[argparse.Namespace, Fields], str] | None = None
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

    def __init__(
        self, command: Filter, options: argparse.Namespace, console: Console, listing: Listing | ShardListing
    ) -> None:
        super().__init__(options, console, listing)
        self.command = command
        self.placer: Placer | SamplePlacer | None = None
        self.keys: KeyList | None = None
        self.printer: PathPrinter | None = None
        self.metric = ""
        self.kept = 0

    def __call__(self, metrics: list[list[Metric]]) -> int:
        self.metric = metrics[0][0].name
        return super().__call__(metrics)

    def begin(self, stack: contextlib.ExitStack) -> None:
        if self.placer is not None:
            self.placer.prepare()
            stack.push(self.placer.end)
        if self.keys is not None:
            stack.enter_context(self.keys)

    def open_results(self, schema: Schema) -> Results:
        try:
            return super().open_results(schema)
        except CliqaError:
            if self.placer is not None:
                self.placer.withdraw()
            raise

    def read_earlier(self, results: Results) -> None:
        """Names that an earlier run placed are not to be given away."""
        if self.placer is not None:
            for done in results.done.values():
                if done.row.get("placed"):
                    self.placer.claim(str(done.row["placed"]))

    def record(self, record: Record) -> None:
        placed = self.earlier.placed(record.source) if self.earlier is not None else None
        acted = self._act(record, placed)
        if acted is not None:
            self.scored += 1
            if self.results is not None:
                self.results.write(record, *acted)

    def settle(self, saved: Saved) -> None:
        before = list(saved.record.notes)
        acted = self._act(saved.record, saved.placed)
        if acted is not None:
            self.known += 1
            changed = acted != (bool(saved.kept), saved.placed) or before != saved.record.notes
            if self.results is not None and changed:
                self.results.update(saved.record, *acted)

    def _act(self, record: Record, placed: str | None) -> tuple[bool, str | None] | None:
        """Keep or drop; place unless an earlier run did; list and print. None where the file has gone since it was scored."""
        from cliqa.records import Issue

        fields: dict[str, Scalar] = record.fields(self.metric)
        kept = self.command.keep(self.options, fields) != self.options.invert
        if self.command.reason is not None:
            _explain(record, self.command.reason(self.options, fields))
        key: str | None = None
        try:
            if kept and self.keys is not None:
                key = self.keys.key(record.source)
            if kept and self.placer is not None and (placed is None or not self.placer.holds(placed)):
                prefix = f"{self.command.prefix(fields)}_" if self.options.score_prefix else ""
                folder = self.command.folder(self.options, fields) if self.command.folder else None
                placed = self.placer.place(record.source, prefix, folder)
        except ImageIssue as error:
            self.issue(Issue.of(record.source, error, record.facts))
            return None
        if key is not None and self.keys is not None:
            self.keys.write(key)
        if kept and self.printer is not None:
            self.printer(record.path)
        self.kept += kept
        if self.command.scored is not None:
            self.command.scored(self.options, record.path, placed if kept else None, fields)
        return kept, placed

    def summary(self) -> list[str]:
        known = [f"{self.known} scored by an earlier run"] if self.known else []
        return [f"{self.kept} of {counted(self.scored + self.known)} kept", *known, *super().summary()]


_DROPPED = "dropped by "


def _explain(record: Record, reason: str) -> None:
    """Put the rule that drops the image into its notes, in place of what an earlier run with other options said."""
    kept = [part for note in record.notes for part in note.split("; ") if not part.startswith(_DROPPED)]
    record.notes[:] = [*kept, f"{_DROPPED}{reason}"] if reason else kept
