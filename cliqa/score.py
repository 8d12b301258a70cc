"""`python -m cliqa.score`: every metric, one decode, one row per file in a store that other commands act on."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cliqa.cli.guard import guarded
from cliqa.cli.options import add_compute, add_input, new_parser
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_listing, open_metrics
from cliqa.errors import UsageError
from cliqa.text import counted

if TYPE_CHECKING:
    from cliqa.cli.console import Console, PathPrinter
    from cliqa.records import Record
    from cliqa.results.resume import Saved

COMMAND = "score"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Score every image with every metric, decoding it once, and save one row per file. `cliqa.apply`, `cliqa.report`, "
        "`cliqa.export` and `cliqa.calibrate` work on the saved scores.",
        "-i INPUT --results FILE [options]",
    )
    group = parser.add_argument_group("scores")
    group.add_argument(
        "--metrics", "-m", nargs="+", default=["all"], metavar="NAME",
        help="names (`python -m cliqa.metrics` lists them), or all (default: all)",
    )  # fmt: skip
    group.add_argument(
        "--results", metavar="FILE", required=True,
        help="the store: a .db file, or a .csv, .jsonl or .parquet table; with --engine ray a folder (or s3:// address)",
    )  # fmt: skip
    group.add_argument(
        "--engine", choices=("local", "ray"), default="local",
        help="local: this process and its workers; ray: in parts, on this machine or the cluster at RAY_ADDRESS, into a "
        "folder of Parquet files; --workers is then the number of actors, and --resume goes on by parts",
    )  # fmt: skip
    group.add_argument(
        "--resume", action="store_true",
        help="go on with --results: files whose path, size, time of change and weights are the same are not scored again",
    )  # fmt: skip
    group.add_argument(
        "--by-content", action="store_true",
        help="with --resume: tell by the SHA-256 of the file's content, instead of its size and time, whether it is the same",
    )  # fmt: skip
    group.add_argument("--print", action="store_true", help="write the paths of the scored files to standard output")
    group.add_argument("--strict", action="store_true", help="exit with status 3 when some files had issues")
    add_input(parser)
    add_compute(parser, "weights of each metric; needs a single metric")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return guarded(COMMAND, options.quiet, lambda console: _run(options, console), resumes=True)


def metric_names(words: Sequence[str]) -> list[str]:
    """`--metrics` as given (blanks or commas between) -> names, each once; `all` stands for every registered metric."""
    from cliqa.metrics import list_metrics, metric_class

    given = [part for word in words for part in word.split(",") if part]
    names = list(dict.fromkeys(name for part in given for name in (list_metrics() if part == "all" else [part])))
    if not names:
        raise UsageError("--metrics names no metric")
    for name in names:
        metric_class(name)
    return names


def _run(options: argparse.Namespace, console: Console) -> int:
    if options.by_content and not options.resume:
        raise UsageError("--by-content says how --resume knows a file again; give --resume too")
    names = metric_names(options.metrics)
    if options.checkpoint and len(names) > 1:
        raise UsageError("--checkpoint is one metric's weights; give --metrics one name with it")
    listing = open_listing(options)
    if options.engine == "ray":
        from cliqa.cli.ray_run import score_with_ray

        return score_with_ray(options, console, listing, names, open_metrics(names, options, console)[0])
    return _Scoring(options, console, listing)(open_metrics(names, options, console))


class _Scoring(ScoringRun):
    """One run: what is new is scored, what the store already has is left alone."""

    content_hash = True
    printer: PathPrinter | None = None

    def begin(self, stack: contextlib.ExitStack) -> None:
        from cliqa.cli.console import PathPrinter

        self.printer = PathPrinter(self.options.null) if self.options.print else None

    def record(self, record: Record) -> None:
        assert self.results is not None
        self.results.write(record)
        self.scored += 1
        self._print(record.path)

    def settle(self, saved: Saved) -> None:
        if saved.touched and self.results is not None:
            self.results.update(saved.record, saved.kept, saved.placed)
        self.known += 1
        self._print(saved.record.path)

    def _print(self, path: str) -> None:
        if self.printer is not None:
            self.printer(path)

    def summary(self) -> list[str]:
        known = [f"{self.known} unchanged since an earlier run"] if self.known else []
        return [f"{counted(self.scored)} scored", *known, *super().summary()]


if __name__ == "__main__":
    sys.exit(main())
