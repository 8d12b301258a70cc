"""Recipe for `sharpness`: pictures of known blur -> features of their tiles -> small networks with attention over the tiles.

python -m cliqa.training.train sharpness --data photos/
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa.metrics import checkpoints
from cliqa.metrics.sharpness import Sharpness, picture_tiles
from cliqa.signal.sharpness.features import tile_features
from cliqa.signal.sharpness.reading import statistics_of
from cliqa.signal.sharpness.tiles import FINE, SPREAD
from cliqa.training.card import write_results
from cliqa.training.examples import Example, generate_shards
from cliqa.training.ordinal_scores import spearman
from cliqa.training.photos import KINDS, Split, read_photos
from cliqa.training.sharpness.blurred_photos import Picture, make_picture
from cliqa.training.sharpness.calibration import calibration, plain_picture
from cliqa.training.sharpness.fit import SharpnessExamples, SharpnessFit, fit_sharpness
from cliqa.training.sharpness.scenes import Scenes
from cliqa.training.train import TrainOptions

EXAMPLES = 20_480
PLAIN_EXAMPLES = 1024
VAL_EXAMPLES = 1024
TEST_EXAMPLES = 1024
TILES = FINE + SPREAD**2
FITS = (SharpnessFit(seed=1), SharpnessFit(seed=2))


def make_example(scenes: Scenes, rng: np.random.Generator, index: int) -> Example:
    """What is measured of one picture, as `observed` gives it, and its truth."""
    return _example(make_picture(rng, scenes.draw(rng)))


def make_plain_example(scenes: Scenes, rng: np.random.Generator, index: int) -> Example:
    """The same of a photograph that was blurred and nothing else."""
    return _example(plain_picture(rng, scenes.photo(rng)))


def _example(picture: Picture) -> Example:
    return observed(*picture_tiles(picture.grey)) | {
        "truth": np.array([picture.least, picture.most, picture.motion, picture.angle, picture.tells], np.float32),
        "family": np.array(picture.family, "U12"),
        "layout": np.array(picture.layout, "U8"),
    }


def observed(tiles: NDArray[np.uint8], coarse: NDArray[np.bool_]) -> Example:
    """Features of a picture's tiles (repeated up to `TILES`), how many are fine and coarse, statistics and weakest direction."""
    features, angle = tile_features(tiles, coarse)
    return {
        "features": features[np.arange(TILES) % len(tiles)].astype(np.float16),
        "count": np.array([(~coarse).sum(), coarse.sum()], np.uint8),
        "statistics": statistics_of(features, coarse),
        "turn": np.array(angle, np.float32),
    }


def make_examples(options: TrainOptions, split: Split, count: int, seed: int) -> list[Path]:
    """Shards of examples of one split, made or left as they are."""
    scenes = Scenes(read_photos(options.data, split, KINDS))
    work = options.work / split
    return generate_shards(
        partial(make_example, scenes), count, work, seed=options.seed * 10 + seed, workers=options.workers
    )


def read_examples(shards: list[Path]) -> tuple[SharpnessExamples, Example]:
    """(what the networks learn from, the truths) of the shards."""
    stored = [dict(np.load(path)) for path in shards]
    whole = {name: np.concatenate([shard[name] for shard in stored]) for name in stored[0]}
    least, most, length, angle, tells = whole["truth"].T
    motion = np.stack([length * np.cos(2 * np.radians(angle)), length * np.sin(2 * np.radians(angle))], axis=1)
    motion[whole["layout"] == "depth"] = np.nan  # the background may move, the subject may not
    examples = SharpnessExamples(
        features=whole.pop("features"),
        statistics=whole.pop("statistics"),
        angle=whole["turn"],
        least=np.ascontiguousarray(least),
        most=np.ascontiguousarray(most),
        motion=motion.astype(np.float32),
        tells=np.ascontiguousarray(tells),
    )
    return examples, whole


def observations(examples: SharpnessExamples, truth: Example) -> list[dict[str, NDArray[Any]]]:
    """What the metric would have observed of each picture; long sides of 1000."""
    found = []
    for index, (fine, coarse) in enumerate(truth["count"].astype(int)):
        features = examples.features[index, : fine + coarse]
        flags = np.arange(fine + coarse) >= fine
        found.append(
            {"features": features, "coarse": flags, "angle": examples.angle[index], "long_side": np.array(1000)}
        )
    return found


def rows_of(metric: Sharpness, examples: SharpnessExamples, truth: Example) -> list[str]:
    """The table of results on pictures of the training's own generator."""
    fields = [metric.score(observation) for observation in observations(examples, truth)]
    blur, confidence, motion = (
        np.array([float(found[name] or 0) for found in fields]) for name in ("blur", "confidence", "motion")
    )
    least, most, length, _, tells = truth["truth"].T
    error = np.maximum(least - blur, 0) + np.maximum(blur - most, 0)
    whole, telling = truth["layout"] == "whole", tells == 1
    dropped = (blur > 2) & (confidence >= 0.5)
    round_ones = np.isin(truth["family"], ("gaussian", "disc", "polygon", "haloed", "stretched"))
    between = telling & (least >= 0.6) & (most <= 5)
    moved = telling & whole & (truth["family"] == "motion")

    def errors(title: str, chosen: NDArray[np.bool_]) -> str:
        return f"| {title} | {chosen.sum()} | MAE {error[chosen].mean():.2f} px, Spearman {spearman(blur[chosen], least[chosen]):.3f} |"

    def share(title: str, chosen: NDArray[np.bool_], met: NDArray[np.bool_]) -> str:
        return f"| {title} | {chosen.sum()} | {100 * met[chosen].mean():.1f} % |"

    return [
        errors("round blur of the whole picture, 0.6-5 px", between & whole & round_ones),
        errors("any blur, whole or by depth, 0.6-5 px", between),
        f"| `motion` of straight movements | {moved.sum()} | Spearman {spearman(motion[moved], length[moved]):.3f} |",
        share("blur of at most 1.6 px: kept", telling & (most < 1.6), ~dropped),
        share("blur of 2.45 px and more: dropped", telling & (least >= 2.45), dropped),
        share("nothing to tell by: confidence below 0.5", tells == 0, confidence < 0.5),
    ]


def calibrated(metric: Sharpness, options: TrainOptions) -> NDArray[np.float32]:
    """The calibration curve of networks that have none, from plain pictures of the val split."""
    scenes = Scenes(read_photos(options.data, "val", KINDS))
    shards = generate_shards(
        partial(make_plain_example, scenes),
        options.at_most(PLAIN_EXAMPLES),
        options.work / "plain",
        seed=options.seed * 10 + 3,
        workers=options.workers,
    )
    plain, truth = read_examples(shards)
    said = np.array([float(metric.score(observation)["blur"] or 0) for observation in observations(plain, truth)])
    chosen = plain.tells == 1
    return calibration(said[chosen], plain.least[chosen].astype(np.float64))


def train(options: TrainOptions) -> None:
    """Make the examples, fit the networks, measure on photographs of the test split, write weights and card."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    count = options.examples or EXAMPLES
    val, val_truth = read_examples(make_examples(options, "val", options.at_most(VAL_EXAMPLES), 1))
    data, _ = read_examples(make_examples(options, "train", count, 0))
    tensors: dict[str, NDArray[Any]] = {}
    for number, settings in enumerate(FITS):
        tensors |= fit_sharpness(data, val, options.work / f"fit{number}", settings).tensors(f"net{number}.")
    tensors = {name: value.astype(np.float16) if value.ndim == 2 else value for name, value in tensors.items()}
    tensors["calibration"] = calibrated(Sharpness(tensors, {}), options)
    metric = Sharpness(tensors, {})
    print("val:", *rows_of(metric, val, val_truth), sep="\n")
    test, test_truth = read_examples(make_examples(options, "test", options.at_most(TEST_EXAMPLES), 2))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{Sharpness.name}.safetensors"
    checkpoints.save(
        path, tensors, metric=Sharpness.name, architecture=Sharpness.architecture, version=Sharpness.version
    )
    head = ("Pictures of the same generator from photographs of the test split, which training never saw:", "",
            "| pictures | number | result |", "|---|---|---|")  # fmt: skip
    command = f"--data photos/ --examples {count} --seed {options.seed}"
    write_results(path, command, tensors, *head, *rows_of(metric, test, test_truth))
