"""What every filter command does: list, score, keep or drop, place, record. A filter adds a keep rule and a prefix."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cliqa.errors import CliqaError
from cliqa.limits import DEFAULT_NUM_PATCHES
from cliqa.options import add_compute, add_input, add_output, add_results, new_parser

if TYPE_CHECKING:
    from cliqa.console import Console, PathPrinter
    from cliqa.listing import Listing
    from cliqa.metrics import Metric
    from cliqa.placing import Placer
    from cliqa.records import Issue, Record, Scalar, Source
    from cliqa.results import Done, Results, Schema

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
        parser = new_parser(self.command, self.description)
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
        if not (options.output or options.print or options.results or options.dry_run):
            parser.error("nothing to do: give --output, --print, --results or --dry-run")
        return guarded(self.command, options.quiet, lambda console: self._run(options, console))

    def _run(self, options: argparse.Namespace, console: Console) -> int:
        from cliqa.console import PathPrinter

        listing = open_listing(options)
        placer = open_placer(options)
        metrics = open_metrics([self.metric], options, console)
        run = _Run(self, options, console, listing, placer, PathPrinter(options.null) if options.print else None)
        return run(metrics)


class _Stopped(KeyboardInterrupt):
    """The system asked this process to end; `args` holds the signal's number."""


def guarded(command: str, quiet: bool, action: Callable[[Console], int]) -> int:
    """Run a command's body; failures become one line on standard error and an exit status.

    Beside the documented statuses, a run that Ctrl-C or a signal stopped gives 128 + the signal's number, as in any shell.
    """
    from cliqa.console import Console

    console = Console(command, quiet)
    _hold_standard_streams()
    try:
        with _signals_interrupt():
            return action(console)
    except CliqaError as error:
        console.error(str(error))
        return error.exit_status
    except KeyboardInterrupt as stop:
        console.error("interrupted; run again with --resume to go on")
        return 128 + int(stop.args[0] if stop.args else signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would fail once more, at its end
        console.say(f"{command}: stopped, since nobody reads standard output any more")
        return 1
    except Exception as error:
        if os.environ.get("CLIQA_DEBUG"):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        console.error(f"internal error: {reason}; what was done so far is kept (CLIQA_DEBUG=1 shows where it happened)")
        return 1


def _hold_standard_streams() -> None:
    """Where a standard stream was closed, nothing else may get its number: a results file as number 2 would take messages."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and a closed terminal end a run as Ctrl-C does: workers ended, files closed, one line said."""

    def interrupt(number: int, _: object) -> None:
        raise _Stopped(number)

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ours = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]  # `nohup` has its way
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def open_listing(options: argparse.Namespace) -> Listing:
    """The input files that the options name. Raises UsageError or RunError."""
    from cliqa.listing import IMAGE_SUFFIXES, Listing, parse_suffixes

    suffixes = parse_suffixes(options.exts) if options.exts else IMAGE_SUFFIXES
    stream = sys.stdin.buffer if options.input == "-" and sys.stdin is not None else None
    listing = Listing(options.input, options.recursive, suffixes, options.null, stream)
    listing.check()
    return listing


def open_placer(options: argparse.Namespace) -> Placer | None:
    """The output folder, checked but not made yet; None where nothing is to be placed."""
    from cliqa.placing import Placer

    if not options.output:
        return None
    placer = Placer(options.output, options.symlink, options.resume)
    placer.check(options.input)
    return None if options.dry_run else placer


def open_metrics(names: Sequence[str], options: argparse.Namespace, console: Console) -> list[list[Metric]]:
    """The metrics with their weights, once per device."""
    from cliqa import devices
    from cliqa.metrics import load_metric, metric_class

    uses_torch = any(metric_class(name).uses_torch for name in names)
    found, message = devices.resolve(options.gpu, uses_torch)
    if message:
        console.say(message)
    return [[load_metric(name, options.checkpoint, device) for name in names] for device in found]


def schema_of(metrics: Sequence[Metric], num_patches: int = DEFAULT_NUM_PATCHES) -> Schema:
    """The results columns of these metrics. A number of patches other than the default marks rows as other weights do."""
    from cliqa.results import Schema

    mark = "" if num_patches == DEFAULT_NUM_PATCHES else f"-patches{num_patches}"
    return Schema(
        {metric.name: metric.fields for metric in metrics},
        {metric.name: metric.metadata.get("weights", "none") + mark for metric in metrics},
    )


def note_input(results: Results, given: str) -> None:
    """Remember, for commands that act on the results, where relative paths hold from and below which folders trees lie."""
    import json

    results.note("base", json.dumps(os.getcwd()))
    if given != "-" and os.path.isdir(given):
        inputs = json.loads(results.noted("inputs") or "[]")
        results.note("inputs", json.dumps(list(dict.fromkeys([*inputs, given]))))


class _Run:
    """One run of a filter: counts, and what happens to each record."""

    def __init__(
        self,
        command: Filter,
        options: argparse.Namespace,
        console: Console,
        listing: Listing,
        placer: Placer | None,
        printer: PathPrinter | None,
    ) -> None:
        self.command = command
        self.options = options
        self.console = console
        self.listing = listing
        self.placer = placer
        self.printer = printer
        self.results: Results | None = None
        self.schema: Schema | None = None
        self.metric = ""
        self.scored = self.kept = self.issues = self.known = 0

    def __call__(self, metrics: list[list[Metric]]) -> int:
        from cliqa.pipeline import PipelineSettings, default_workers, run
        from cliqa.records import Issue

        options = self.options
        settings = PipelineSettings(
            workers=default_workers() if options.workers is None else options.workers,
            batch_size=options.batch_size,
            num_patches=options.num_patches,
            max_image_pixels=options.max_image_pixels,
        )
        self.metric = metrics[0][0].name
        self.schema = schema_of(metrics[0], options.num_patches)
        with contextlib.ExitStack() as stack:
            if self.placer is not None:
                self.placer.prepare()
            if options.results:
                self.results = stack.enter_context(self._open_results(options.results))
            stack.enter_context(self.console.progress(self.listing.count() if self.console.terminal else None))
            scored = run(self._fresh(), metrics, settings, self.listing.ready)
            for found in stack.enter_context(contextlib.closing(scored)):
                self._issue(found) if isinstance(found, Issue) else self._record(found)
        self._summary()
        return 3 if options.strict and self.issues else 0

    def _open_results(self, path: str) -> Results:
        from cliqa.results import open_results

        assert self.schema is not None
        try:
            results = open_results(path, self.schema, self.options.resume)
        except CliqaError:
            if self.placer is not None:
                self.placer.withdraw()
            raise
        note_input(results, self.options.input)
        if self.placer is not None:
            for done in results.done.values():
                if done.row.get("placed"):
                    self.placer.claim(str(done.row["placed"]))
        return results

    def _fresh(self) -> Iterator[Source | Issue]:
        """The sources that no earlier run scored; the others are acted on at once, from their saved scores."""
        from cliqa.records import Issue

        for source in self.listing:
            if isinstance(source, Issue) or self.results is None or not self._settled(source, self.results):
                yield source

    def _settled(self, source: Source, results: Results) -> bool:
        from cliqa.errors import ImageIssue
        from cliqa.records import Issue

        assert self.schema is not None
        done = self._earlier(source)
        if done is None or not self.schema.covered_by(done.weights) or done.table != "scores":
            return False
        self.known += 1
        record = self.schema.record(done.row, source)
        before = (str(done.row.get("kept") or "0") in ("1", "True"), done.row.get("placed") or None)
        try:
            kept, placed = self._act(record, before[1])
        except ImageIssue as error:
            self.known -= 1
            self._issue(Issue.of(source, error, record.facts))
            return True
        if (kept, placed) != before:
            results.update(record, kept, placed)
        self.console.step()
        return True

    def _earlier(self, source: Source) -> Done | None:
        """What an earlier run recorded of a file that is still the same."""
        done = self.results.done.get(source.path) if self.results is not None else None
        if done is None:
            return None
        try:
            status = os.stat(source.path)
        except OSError:
            return None
        return done if (status.st_size, status.st_mtime_ns) == (done.size, done.mtime_ns) else None

    def _record(self, record: Record) -> None:
        from cliqa.errors import ImageIssue
        from cliqa.records import Issue

        earlier = self._earlier(record.source)
        try:
            kept, placed = self._act(record, earlier.row.get("placed") or None if earlier is not None else None)
        except ImageIssue as error:  # the file has gone since it was scored
            self._issue(Issue.of(record.source, error, record.facts))
            return
        self.scored += 1
        if self.results is not None:
            self.results.write(record, kept, placed)
        self.console.step()

    def _act(self, record: Record, placed: str | None) -> tuple[bool, str | None]:
        """Keep or drop; place unless an earlier run did; print."""
        fields: dict[str, Scalar] = record.fields(self.metric)
        kept = self.command.keep(self.options, fields) != self.options.invert
        if kept:
            if self.placer is not None and (placed is None or not self.placer.holds(placed)):
                prefix = f"{self.command.prefix(fields)}_" if self.options.score_prefix else ""
                folder = self.command.folder(self.options, fields) if self.command.folder else None
                placed = self.placer.place(record.source, prefix, folder)
            if self.printer is not None:
                self.printer(record.path)
            self.kept += 1
        if self.command.scored is not None:
            self.command.scored(self.options, record.path, placed if kept else None, fields)
        return kept, placed

    def _issue(self, issue: Issue) -> None:
        self.issues += 1
        self.console.issue(issue)
        if self.results is not None:
            self.results.issue(issue)
        self.console.step()

    def _summary(self) -> None:
        total = self.scored + self.known
        parts = [f"{self.kept} of {total} images kept"]
        if self.known:
            parts.append(f"{self.known} scored by an earlier run")
        if self.issues:
            parts.append(f"{self.issues} with issues")
        if self.listing.left_out:
            parts.append(f"{self.listing.left_out} entries that are no image files by name left out")
        self.console.say("; ".join(parts))
