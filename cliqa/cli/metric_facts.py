"""What `cliqa metrics` prints: the metrics with their fields, ranges, weights and speed."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from PIL import Image

from cliqa.cli.console import Console, standard_output
from cliqa.errors import CliqaError
from cliqa.images.loading import LoadedImage
from cliqa.metrics import Field, Metric, View, checkpoints, list_metrics, load_metric, metric_class
from cliqa.pipeline.worker import clean_start

WIDTH, HEIGHT = 1600, 1200  # of the picture that speed is measured on: 2 megapixels, chosen by hand
ROUNDS = 3  # of which the fastest counts; chosen by hand


def print_facts(options: argparse.Namespace, _: Console) -> int:
    """Print what the options ask for; returns the exit status."""
    names = options.names or list_metrics()
    for name in names:
        metric_class(name)
    texts = [describe(name) for name in names] if options.no_speed else _measured(names)
    with standard_output():
        print("\n\n".join(texts))
        if not options.no_speed:
            print(f"\nspeed: after decoding, a {WIDTH}x{HEIGHT} picture on one core of this machine")
    return 0


def _measured(names: Sequence[str]) -> list[str]:
    """What `describe` says with the speed, measured in a process like a decode worker: with one thread of linear algebra."""
    with clean_start(), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return list(process.map(partial(describe, speed=True), names))


def describe(name: str, speed: bool = False) -> str:
    """The text for one metric."""
    cls = metric_class(name)
    lines = [f"{cls.name}: {cls.summary}" if cls.summary else cls.name]
    rows = [format_field(cls.name, field) for field in cls.fields]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines += [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)).rstrip()
        for row in rows
    ]
    try:
        metric = load_metric(name)
    except CliqaError as error:
        return "\n".join([*lines, f"  weights: {error}"])
    lines.append(f"  weights: {format_weights(metric)}")
    if speed:
        lines.append(f"  speed: {1000 * seconds_per_image(metric, _picture()):.1f} ms")
    return "\n".join(lines)


def format_field(metric: str, field: Field) -> tuple[str, str, str, str]:
    """(name, range and unit, which way is better, meaning)."""
    if field.kind == "str":
        span = "text"
    else:
        unit = f" {field.unit}" if field.unit else ""
        span = f"{field.low:g} to {field.high:g}{unit}{', whole' if field.kind == 'int' else ''}"
    optional = ", or none" if field.optional else ""
    better = f"{field.better} is better" if field.better else ""
    return f"{metric}.{field.name}", span + optional, better, field.meaning


def format_weights(metric: Metric) -> str:
    """`0.8 MB, 1f3a… (architecture version 1)`, or that there are none."""
    if not metric.weights:
        return "none needed"
    size = os.path.getsize(checkpoints.shipped_path(metric.name)) / 1e6
    return f"{size:.1f} MB, {metric.metadata.get('weights', '')} ({metric.architecture} version {metric.version})"


def seconds_per_image(metric: Metric, view: View) -> float:
    """Processor time of observing and scoring, beside decoding: the least of a few rounds."""
    times = []
    for _ in range(ROUNDS):
        fresh = View(view.image)
        start = time.process_time()
        metric.score(metric.observe(fresh))
        times.append(time.process_time() - start)
    return min(times)


def _picture() -> View:
    """Smooth colours with texture: something for every metric to look at."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).astype(np.int16)
    textured = np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)
    return View(LoadedImage.from_array(textured))
