"""Filter commands: list, score, keep or drop, place, record. A filter adds a keep rule, mostly one threshold, and a prefix."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_compute, add_input, add_output, add_results, new_parser

if TYPE_CHECKING:
    from cliqa.metrics import Metric
    from cliqa.outputs.placed import PlacedRecord

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
        prepare: (options, metric) -> done to each loaded metric before it scores; may raise UsageError.
        scored: (options, path, where it was placed, fields, the record of the output folder) -> whatever else the filter does with
            every scored file; returns under which words the summary counts the file, "" for none.
    """

    command: str
    metric: str
    description: str
    add_options: Callable[[argparse._ArgumentGroup], None]
    keep: Callable[[argparse.Namespace, Fields], bool]
    prefix: Callable[[Fields], str]
    folder: Callable[[argparse.Namespace, Fields], str | None] | None = None
    reason: Callable[[argparse.Namespace, Fields], str] | None = None
    scored: Callable[[argparse.Namespace, str, str | None, Fields, PlacedRecord | None], str] | None = None
    prepare: Callable[[argparse.Namespace, Metric], None] | None = None

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
        resumes = bool((options.output and not options.dry_run) or options.results or options.keys)
        return run_body(self.command, "cliqa.cli.scoring_run:run_filter", options, resumes, self)

    def with_weights_of(self, others: Sequence[str], checkpoint: str | None) -> Filter:
        """The command with one of the `others` for its metric where a .safetensors checkpoint is of that; else as it is.

        What is wrong with a file is said later, when it is loaded.
        """
        if checkpoint is None or not checkpoint.endswith(".safetensors"):
            return self
        from cliqa.metrics.checkpoints import metric_of

        found = metric_of(checkpoint)
        return replace(self, metric=found) if found in others else self


@dataclass(frozen=True)
class Threshold:
    """Keep an image whose `field` is at least the option of the same name.

    Attributes:
        field: a field of the metric, a number.
        default: the option's default.
        kind: the option's type, such as `cliqa.cli.options.bounded(0, 100)`.
        help: what the option's help says.
        digits: how many the prefix has, so that names sort like scores.
    """

    field: str
    default: float
    kind: Callable[[str], float]
    help: str
    digits: int = 3

    def add_option(self, group: argparse._ArgumentGroup) -> None:
        """Add `--<field>`."""
        group.add_argument(f"--{self.field}", type=self.kind, default=self.default, help=self.help)

    def keep(self, options: argparse.Namespace, fields: dict[str, Any]) -> bool:
        """Whether the field reaches the option."""
        return bool(fields[self.field] >= getattr(options, self.field))

    def prefix(self, fields: dict[str, Any]) -> str:
        """The rounded field, with leading zeros."""
        return f"{round(fields[self.field]):0{self.digits}d}"
