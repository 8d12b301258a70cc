"""`python -m cliqa.predict_jpeg_qf`: the JPEG quality factor of each image, from its pixels, to CSV and SQLite."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cliqa.cli.guard import guarded
from cliqa.cli.options import add_columns, add_results, new_parser, positive
from cliqa.cli.setup import open_listing, schema_of
from cliqa.errors import RunError, UsageError
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS

if TYPE_CHECKING:
    from cliqa.cli.console import Console
    from cliqa.metrics import Metric
    from cliqa.records import Issue, Record, Source
    from cliqa.results.predictions import CsvPredictions, SqlitePredictions

COMMAND = "predict_jpeg_qf"
JPEG_SUFFIXES = [".jpg", ".jpeg", ".jpe", ".jfif"]
BOMB_PIXELS = 2 * DEFAULT_MAX_IMAGE_PIXELS  # where Pillow refuses, whether or not a limit was asked for


def parser() -> argparse.ArgumentParser:
    """All options; each documented name works with underscores and with dashes."""
    parser = new_parser(
        COMMAND, "Predict the JPEG quality factor (1-100) of images from their decoded pixels.", "-i INPUT [options]"
    )
    group = parser.add_argument_group("prediction")
    group.add_argument(
        "--ckpt", "--checkpoint", default=None,
        help="weights file (default: the shipped pretrained_models/jpeg_qf.safetensors)",
    )  # fmt: skip
    group.add_argument(
        "--input", "-i", required=True, nargs="+", help="a folder, images, or - for paths on standard input"
    )
    group.add_argument("--recursive", "-r", action="store_true", help="go into sub-folders")
    group.add_argument("--null", action="store_true", help="short: -0; paths on standard input end with a zero byte")
    add_columns(group)
    group.add_argument("--output_mode", choices=("csv", "db", "both"), default="csv", help="what is written")
    group.add_argument("--pred_csv", default="./outputs/predictions.csv", help="CSV of the predictions")
    group.add_argument("--issue_csv", default="./outputs/issues.csv", help="CSV of the files that gave none")
    group.add_argument("--output_db", default="./outputs/results.db", help="SQLite database with both tables")
    group.add_argument("--disable_tta", action="store_true", help="no averaging over flips")
    group.add_argument("--no_calibrator", action="store_true", help="no calibration of the estimate")
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks run")
    group.add_argument(
        "--gpu", "-g", type=int, nargs="+", default=None, help="GPU device ids, -1 for CPU; overrides --device"
    )
    group.add_argument("--enable_pixel_limit", action="store_true", help="skip images above --max_image_pixels")
    group.add_argument(
        "--max_image_pixels", type=positive(int), default=None, metavar="N",
        help=f"the limit; giving one enables it (default: {DEFAULT_MAX_IMAGE_PIXELS})",
    )  # fmt: skip
    group.add_argument("--exts", nargs="+", default=JPEG_SUFFIXES, metavar="EXT", help="suffixes that are processed")
    group.add_argument(
        "--workers", type=positive(int, zero=True), default=None, metavar="N",
        help="decode processes (default: one per processor, none for a single file); 0 decodes in the main one, where nothing "
        "ends a decoder that hangs or bounds its memory",
    )  # fmt: skip
    group.add_argument("--batch_size", type=positive(int), default=16, metavar="N", help="most images scored at once")
    group.add_argument("--print", action="store_true", help="write the paths of the predicted files to standard output")
    group.add_argument("--quiet", action="store_true", help="no progress or messages; results are still written")
    add_results(parser)
    for action in list(group._group_actions):
        for option in action.option_strings:
            if "_" in option:
                parser._option_string_actions[option.replace("_", "-")] = action
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return guarded(COMMAND, options.quiet, lambda console: _run(options, console), resumes=True)


def _run(options: argparse.Namespace, console: Console) -> int:
    from cliqa.inputs.folders import parse_suffixes
    from cliqa.inputs.listing import reaches_beyond
    from cliqa.pipeline.run import PipelineSettings, default_workers, run
    from cliqa.records import Issue

    device = _device(options.device) if options.gpu is None else _gpu(options.gpu, console)
    listing = open_listing(options)
    first = options.input[0]
    single = len(options.input) == 1 and not reaches_beyond(first) and not os.path.isdir(first)
    suffixes = parse_suffixes(options.exts)
    if single and "*" not in suffixes and os.path.splitext(first)[1].lower() not in suffixes:
        raise UsageError(f"the suffix of {first} is none of {', '.join(suffixes)} (--exts)")
    metric = _metric(options, device)
    limited = options.enable_pixel_limit or options.max_image_pixels is not None
    settings = PipelineSettings(
        workers=options.workers if options.workers is not None else 0 if single else default_workers(),
        batch_size=options.batch_size,
        max_image_pixels=(options.max_image_pixels or DEFAULT_MAX_IMAGE_PIXELS) if limited else BOMB_PIXELS,
    )
    with contextlib.ExitStack() as stack:
        sink = _Sink(options, metric, console, stack)
        sources = (source for source in listing if isinstance(source, Issue) or not sink.knows(source))
        with console.progress(listing.count() if console.terminal else None):
            for found in stack.enter_context(contextlib.closing(run(sources, [metric], settings, listing.ready))):
                sink.issue(found) if isinstance(found, Issue) else sink.predict(found)
                console.step()
        if single:
            sink.show()
        for path_name, path in sink.paths():
            console.say(f"{path_name}: {path}")
    console.say(
        f"device: {device}; {sink.predicted} predicted, {sink.known} known from before, {sink.issues} with issues"
    )
    return 3 if options.strict and sink.issues else 0


def _device(name: str) -> str:
    from cliqa.cli.devices import has_cuda_driver

    if name == "cpu" or (name == "auto" and not has_cuda_driver()):
        return "cpu"
    available = False
    if has_cuda_driver():
        import torch

        available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise RunError("--device cuda was asked for, but no CUDA device is available")
    return "cuda" if available else "cpu"


def _gpu(ids: Sequence[int], console: Console) -> str:
    from cliqa.cli import devices

    found, message = devices.resolve(ids, uses_torch=True)
    if message:
        console.say(message)
    return found[0]


def _metric(options: argparse.Namespace, device: str) -> Metric:
    from cliqa.metrics import load_metric

    metric = load_metric("jpeg_qf", options.ckpt, device)
    metric.disable_tta = options.disable_tta  # type: ignore[attr-defined]
    metric.no_calibrator = options.no_calibrator  # type: ignore[attr-defined]
    return metric


class _Sink:
    """Everything that a run writes to."""

    def __init__(
        self, options: argparse.Namespace, metric: Metric, console: Console, stack: contextlib.ExitStack
    ) -> None:
        from cliqa.cli.console import PathPrinter
        from cliqa.results import open_results
        from cliqa.results.predictions import CsvPredictions, SqlitePredictions

        self.console = console
        self.metric = metric.name
        self.outputs: list[CsvPredictions | SqlitePredictions] = []
        if options.output_mode in ("csv", "both"):
            self.outputs.append(CsvPredictions(options.pred_csv, options.issue_csv, options.resume))
        if options.output_mode in ("db", "both"):
            self.outputs.append(SqlitePredictions(options.output_db, options.resume))
        for output in self.outputs:
            stack.callback(output.close)
        self.results = (
            stack.enter_context(open_results(options.results, schema_of([metric]), options.resume))
            if options.results
            else None
        )
        self.printer = PathPrinter(options.null) if options.print else None
        self.known = self.predicted = self.issues = 0
        self.last: Record | Issue | None = None

    def knows(self, source: Source) -> bool:
        """Whether every output has this file from an earlier run (possible with --resume only)."""
        known = all(source.path in output.done for output in self.outputs)
        known = known and (self.results is None or source.path in self.results.done)
        self.known += known
        return known

    def predict(self, record: Record) -> None:
        quality = int(record.fields(self.metric)["qf_final"] or 0)
        for output in self.outputs:
            if record.path not in output.done:
                output.predict(record.source, quality)
        if self.results is not None:
            self.results.write(record)
        if self.printer is not None:
            self.printer(record.path)
        self.predicted += 1
        self.last = record

    def issue(self, issue: Issue) -> None:
        for output in self.outputs:
            output.issue(issue)
        if self.results is not None:
            self.results.issue(issue)
        self.console.issue(issue)
        self.issues += 1
        self.last = issue

    def show(self) -> None:
        """What a single image gave, on standard output."""
        from cliqa.cli.console import standard_output
        from cliqa.records import Record
        from cliqa.text import display

        if isinstance(self.last, Record) and self.printer is None:
            fields = self.last.fields(self.metric)
            with standard_output():
                print(f"Image: {display(self.last.path)}\nFinal QF: {fields['qf_final']:.4f}")

    def paths(self) -> Iterator[tuple[str, str]]:
        """What was written, for the closing lines."""
        for output in self.outputs:
            yield from output.paths.items()


if __name__ == "__main__":
    sys.exit(main())
