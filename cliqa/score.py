"""`python -m cliqa.score`: every metric, one decode, one row per file in a store that other commands act on."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cliqa.errors import UsageError
from cliqa.filtering import guarded, note_input, open_listing, open_metrics, schema_of
from cliqa.options import add_compute, add_input, new_parser

if TYPE_CHECKING:
    from cliqa.console import Console
    from cliqa.listing import Listing
    from cliqa.metrics import Metric
    from cliqa.records import Issue, Record, Source
    from cliqa.results import Done, Results

COMMAND = "score"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = new_parser(
        COMMAND,
        "Score every image with every metric, decoding it once, and save one row per file. `cliqa.apply`, `cliqa.report`, "
        "`cliqa.export` and `cliqa.calibrate` work on the saved scores.",
    )
    group = parser.add_argument_group("scores")
    group.add_argument(
        "--metrics", "-m", nargs="+", default=["all"], metavar="NAME",
        help="names (`python -m cliqa.metrics` lists them), or all (default: all)",
    )  # fmt: skip
    group.add_argument(
        "--results", metavar="FILE", required=True, help="the store: a .db file, or a .csv, .jsonl or .parquet table"
    )
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
    return guarded(COMMAND, options.quiet, lambda console: _run(options, console))


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
    return _Scoring(options, console, listing)(open_metrics(names, options, console))


class _Scoring:
    """One run: what is new is scored, what the store already has is left alone."""

    def __init__(self, options: argparse.Namespace, console: Console, listing: Listing) -> None:
        self.options = options
        self.console = console
        self.listing = listing
        self.scored = self.known = self.issues = 0

    def __call__(self, metrics: list[list[Metric]]) -> int:
        from cliqa.console import PathPrinter
        from cliqa.pipeline import PipelineSettings, default_workers, run
        from cliqa.records import Issue
        from cliqa.results import open_results

        options = self.options
        settings = PipelineSettings(
            workers=default_workers() if options.workers is None else options.workers,
            batch_size=options.batch_size,
            num_patches=options.num_patches,
            max_image_pixels=options.max_image_pixels,
            content_hash=True,
        )
        self.printer = PathPrinter(options.null) if options.print else None
        schema = schema_of(metrics[0], options.num_patches)
        with contextlib.ExitStack() as stack:
            results = stack.enter_context(open_results(options.results, schema, options.resume))
            note_input(results, options.input)
            stack.enter_context(self.console.progress(self.listing.count() if self.console.terminal else None))
            scored = run(self._fresh(results), metrics, settings, self.listing.ready)
            for found in stack.enter_context(contextlib.closing(scored)):
                self._issue(found, results) if isinstance(found, Issue) else self._record(found, results)
        self._summary()
        return 3 if options.strict and self.issues else 0

    def _fresh(self, results: Results) -> Iterator[Source | Issue]:
        """The files that the store doesn't have as they are now."""
        from cliqa.records import Issue

        seen: set[str] = set()
        for source in self.listing:
            if isinstance(source, Issue):
                yield source
                continue
            if self.options.input == "-":  # a folder names a file once, standard input may not
                if source.path in seen:
                    continue
                seen.add(source.path)
            done = results.done.get(source.path)
            if done is None or not self._settled(source, done, results):
                yield source

    def _settled(self, source: Source, done: Done, results: Results) -> bool:
        """Whether the store has the scores of this very file by these very weights."""
        if done.table != "scores" or not results.schema.covered_by(done.weights):
            return False
        try:
            status = os.stat(source.path)
        except OSError:
            return False
        same_time = (status.st_size, status.st_mtime_ns) == (done.size, done.mtime_ns)
        if self.options.by_content:
            from cliqa.observing import content_sha256

            if done.sha256 is None or status.st_size != done.size or content_sha256(source.path) != done.sha256:
                return False
            if not same_time:
                record = results.schema.record(done.row, source)
                record.facts |= {"mtime_ns": status.st_mtime_ns}
                results.update(record, None, None)
        elif not same_time:
            return False
        self.known += 1
        self._done(source.path)
        return True

    def _record(self, record: Record, results: Results) -> None:
        results.write(record)
        self.scored += 1
        self._done(record.path)

    def _issue(self, issue: Issue, results: Results) -> None:
        self.issues += 1
        self.console.issue(issue)
        results.issue(issue)
        self.console.step()

    def _done(self, path: str) -> None:
        if self.printer is not None:
            self.printer(path)
        self.console.step()

    def _summary(self) -> None:
        parts = [f"{self.scored} images scored"]
        if self.known:
            parts.append(f"{self.known} unchanged since an earlier run")
        if self.issues:
            parts.append(f"{self.issues} with issues")
        if self.listing.left_out:
            parts.append(f"{self.listing.left_out} entries that are no image files by name left out")
        self.console.say("; ".join(parts))


if __name__ == "__main__":
    sys.exit(main())
