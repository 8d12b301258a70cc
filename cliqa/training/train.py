"""`python -m cliqa.training.train METRIC --data DIR`: run the recipe that makes a metric's weights and model card."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cliqa.errors import CliqaError, UsageError


@dataclass(frozen=True)
class TrainOptions:
    """What every recipe takes."""

    data: Path  # folder of photographs, see cliqa.training.photos
    ratings: Path | None  # folder of a rated data set, for the recipes that use one
    work: Path  # examples, curve and resumable state
    out: Path  # where <metric>.safetensors and <metric>.md go
    examples: int | None  # None: the recipe's own number
    workers: int
    seed: int
    networks: Path | None = None  # folder of upscaling networks, for the recipe that runs them
    start: Path | None = None  # weights to go on from, for the recipe that has two stages


# The recipe of a metric is `cliqa/training/ROOM/METRIC.py`; the room has what only its recipes need.
ROOMS = {
    "jpeg_quality": "jpeg",
    "jpeg_qf": "jpeg",
    "compression": "compression",
    "grain_noise": "noise",
    "scale_factor": "scale",
    "exposure": "exposure",
    "grepq": "grepq",
    "aesthetic": "grepq",
    "learned": "learned",  # a part of scale_factor: what tells pictures that networks enlarged
    "sharpness": "sharpness",
}


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m cliqa.training.train",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("metric", choices=tuple(ROOMS), help="the metric whose recipe runs")
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--ratings", type=Path, help="folder of a rated data set, for recipes that use one")
    parser.add_argument("--networks", type=Path, help="folder of upscaling networks, for the recipe that runs them")
    parser.add_argument(
        "--start", type=Path, help="weights that its first stage made, for the recipe that has two stages"
    )
    parser.add_argument("--work", type=Path, help="folder for examples and resumable state (default: runs/METRIC)")
    parser.add_argument("--out", type=Path, default=Path("pretrained_models"), help="folder for weights and model card")
    parser.add_argument("--examples", type=int, help="number of training examples (default: the recipe's)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that make examples")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a recipe; returns the exit status."""
    given = build_parser().parse_args(arguments)
    work = given.work or Path("runs") / given.metric
    options = TrainOptions(
        given.data,
        given.ratings,
        work,
        given.out,
        given.examples,
        given.workers,
        given.seed,
        given.networks,
        given.start,
    )
    try:
        if not options.data.is_dir():
            raise UsageError(f"there is no data folder {options.data}")
        importlib.import_module(f"cliqa.training.{ROOMS[given.metric]}.{given.metric}").train(options)
    except CliqaError as error:
        print(f"train: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
