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
from PIL import Image

from cliqa.metrics import checkpoints
from cliqa.metrics.sharpness import Sharpness, picture_tiles
from cliqa.signal.sharpness.features import WIDTH, tile_features
from cliqa.signal.sharpness.reading import statistics_of
from cliqa.signal.sharpness.tiles import FINE, SPREAD, TILE
from cliqa.training.examples import Example, generate_shards
from cliqa.training.photos import KINDS, Split, read_photos
from cliqa.training.sharpness.blurred_photos import make_picture
from cliqa.training.sharpness.fit import SharpnessExamples, SharpnessFit, fit_sharpness
from cliqa.training.sharpness.scenes import Scenes
from cliqa.training.train import TrainOptions

EXAMPLES = 16_384
VAL_EXAMPLES = 1024
TEST_EXAMPLES = 1024
TILES = FINE + SPREAD**2
FITS = (SharpnessFit(seed=1), SharpnessFit(seed=2))


def make_example(scenes: Scenes, rng: np.random.Generator, index: int) -> Example:
    """The tiles of one picture, padded with zeros to `TILES`, how many of them are fine and coarse, and its truth."""
    picture = make_picture(rng, scenes.draw(rng))
    tiles, coarse = picture_tiles(Image.fromarray(picture.grey))
    stored = np.zeros((TILES, TILE, TILE), np.uint8)
    stored[: len(tiles)] = tiles
    return {
        "tiles": stored,
        "count": np.array([(~coarse).sum(), coarse.sum()], np.uint8),
        "truth": np.array([picture.least, picture.most, picture.motion, picture.angle, picture.tells], np.float32),
        "family": np.array(picture.family, "U12"),
        "layout": np.array(picture.layout, "U8"),
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
    stored = [_measured(path) for path in shards]
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


def _measured(path: Path) -> Example:
    """A shard with its tiles turned into features."""
    with np.load(path) as shard:
        stored = {name: shard[name] for name in shard.files}
    tiles = stored.pop("tiles")
    stored["features"] = np.zeros((len(tiles), TILES, WIDTH), np.float16)
    stored["statistics"] = np.zeros((len(tiles), 2 * WIDTH), np.float32)
    stored["turn"] = np.zeros(len(tiles), np.float32)
    for index, (fine, coarse) in enumerate(stored["count"].astype(int)):
        count = fine + coarse
        flags = np.arange(count) >= fine
        features, stored["turn"][index] = tile_features(tiles[index, :count], flags)
        stored["features"][index] = features[np.arange(TILES) % count]
        stored["statistics"][index] = statistics_of(features, flags)
    return stored


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
