"""What `cliqa.predict_jpeg_qf` does: one metric, its own files beside `--results`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from cliqa.cli import devices
from cliqa.cli.console import Console, standard_output
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_listing
from cliqa.errors import RunError, UsageError
from cliqa.inputs.folders import parse_suffixes
from cliqa.inputs.listing import reaches_beyond
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS
from cliqa.metrics import load_metric
from cliqa.metrics.jpeg_qf import JpegQf
from cliqa.pipeline.run import PipelineSettings, default_workers
from cliqa.records import Record
from cliqa.results import Results, Schema
from cliqa.results.predictions import PredictionFace, open_predictions
from cliqa.text import display

BOMB_PIXELS = 2 * DEFAULT_MAX_IMAGE_PIXELS  # where Pillow refuses, whether or not a limit was asked for


def predict(options: argparse.Namespace, console: Console) -> int:
    """Predict for what the options name; returns the exit status."""
    asked = options.gpu
    device = _device(options.device) if asked is None else devices.resolve(asked, True, console.say)[0]
    listing = open_listing(options)
    first = options.input[0]
    single = len(options.input) == 1 and not reaches_beyond(first) and not os.path.isdir(first)
    suffixes = parse_suffixes(options.exts)
    if single and "*" not in suffixes and os.path.splitext(first)[1].lower() not in suffixes:
        raise UsageError(f"the suffix of {first} is none of {', '.join(suffixes)} (--exts)")
    metric = load_metric("jpeg_qf", options.ckpt, device)
    assert isinstance(metric, JpegQf)
    if options.no_calibrator:
        metric.no_calibrator = True
        metric.metadata["weights"] += "-uncalibrated"  # an earlier run's rows are of another estimate
    prediction = _Prediction(options, console, listing)
    prediction.device, prediction.single = device, single
    return prediction([[metric]])


class _Prediction(ScoringRun):
    """One run: `results` has the documented files, and the file of `--results` after them."""

    device = "cpu"
    single = False  # whether the input is one image, whose result is shown
    last: Record | None = None

    def open_results(self, schema: Schema) -> Iterator[Results]:
        given = self.options
        paths = {"predictions": given.pred_csv, "issues": given.issue_csv, "database": given.output_db}
        wanted = {"csv": ["predictions", "issues"], "db": ["database"], "both": list(paths)}[given.output_mode]
        yield open_predictions({name: paths[name] for name in wanted}, schema, given.resume)
        yield from super().open_results(schema)

    def settings(self) -> PipelineSettings:
        given = self.options
        limited = given.enable_pixel_limit or given.max_image_pixels is not None
        workers = 0 if self.single else default_workers()
        return PipelineSettings(
            workers=workers if given.workers is None else given.workers,
            batch_size=given.batch_size,
            max_image_pixels=(given.max_image_pixels or DEFAULT_MAX_IMAGE_PIXELS) if limited else BOMB_PIXELS,
            score_damaged=given.damaged == "score",
        )

    def record(self, record: Record) -> None:
        super().record(record)
        self.last = record

    def summary(self) -> list[str]:
        face = self.results[0].face
        assert isinstance(face, PredictionFace)
        written = [f"{name}: {path}" for name, path in face.paths.items()]
        if self.single and self.last is not None and self.printer is None:
            with standard_output():
                print(f"Image: {display(self.last.path)}\nFinal QF: {self.last.values['jpeg_qf.qf_final']:.4f}")
                print("\n".join([*(line[0].upper() + line[1:] for line in written), f"Device: {self.device}"]))
            return []
        counts = [f"device: {self.device}", f"{self.scored} predicted", f"{self.known} known from before"]
        return [*written, "; ".join([*counts, *self.remarks()])]


def _device(name: str) -> str:
    if name == "cpu" or (name == "auto" and not devices.has_cuda_driver()):
        return "cpu"
    available = False
    if devices.has_cuda_driver():
        import torch

        available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise RunError("--device cuda was asked for, but no CUDA device is available")
    return "cuda" if available else "cpu"
