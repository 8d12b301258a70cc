"""`grepq` and `aesthetic` on a GPU: how far the scores are from the CPU's, and pictures a second.

    python benchmarks/gpu_scores.py --data photos/ --device cuda:0

The rate is that of the networks alone: thumbnails are made before, and scored in batches as the pipeline does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np

from cliqa.images.loading import LoadedImage
from cliqa.metrics import Metric, Observation, Value, View, load_metric
from cliqa.training.photos import read_photos

METRICS = ("grepq", "aesthetic")
BATCH = 32  # pictures whose scores are asked for together


def scored(metric: Metric, observations: Sequence[Observation]) -> list[dict[str, Value]]:
    """Scores of all, a batch at a time."""
    found: list[dict[str, Value]] = []
    for first in range(0, len(observations), BATCH):
        batch = observations[first : first + BATCH]
        metric.foresee(batch)
        found += [metric.score(each) for each in batch]
    return found


def rate(metric: Metric, views: Sequence[View], seconds: float) -> float:
    """Pictures a second; every round has observations of its own, which no memory knows."""
    count, spent = 0, 0.0
    while spent < seconds:
        observations = [metric.observe(View(view.image)) for view in views]
        start = time.perf_counter()
        scored(metric, observations)
        spent += time.perf_counter() - start
        count += len(views)
    return count / spent


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", required=True, help="folder of photographs")
    options.add_argument("--device", default="cuda:0")
    options.add_argument("--seconds", type=float, default=4.0, help="of each rate")
    given = options.parse_args(arguments)
    views = [
        View(LoadedImage.from_array(np.ascontiguousarray(photo.pixels()[:512, :512])))
        for photo in read_photos(given.data)
    ]
    views = [view for view in views if view.image.pixels.shape[:2] == (512, 512)][:64]
    print(f"| metric | pictures/s | largest difference from the CPU, {len(views)} pictures |\n|---|---|---|")
    for name in METRICS:
        on_cpu = load_metric(name)
        right = [on_cpu.score(on_cpu.observe(view)) for view in views]
        metric = load_metric(name, device=given.device)
        found = scored(metric, [metric.observe(view) for view in views])
        fields = [field.name for field in metric.fields if field.kind == "float"]
        apart = {
            each: max(abs(float(a[each] or 0) - float(b[each] or 0)) for a, b in zip(found, right, strict=True))
            for each in fields
        }
        labels = [field.name for field in metric.fields if field.kind == "str"]
        flips = sum(a[each] != b[each] for a, b in zip(found, right, strict=True) for each in labels)
        said = ", ".join(f"{each} {value:.1e}" for each, value in apart.items()) + (
            f", labels {flips}" if labels else ""
        )
        print(f"| {name} | {rate(metric, views, given.seconds):.0f} | {said} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
