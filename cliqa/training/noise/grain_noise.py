"""Recipe for `grain_noise`: noisy pictures with a known PSNR -> statistics of their tiles and regions -> small networks.

    python -m cliqa.training.train grain_noise --data photos/ --ratings biq2021/
    python -m cliqa.training.train grain_noise --data photos/ --ratings biq2021/ --start FIRST.safetensors

The photographs of BIQ2021's training list that their authors had published lend their content; their ratings only choose which.
In the first stage every example is one picture, seen twice: without compression and as JPEG. The second (`saved_fit`) goes on from its
networks, with pictures through codecs of all kinds; with `--start` it alone runs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cliqa.grepq.rated_sets import published_photographs
from cliqa.images.patches import spread_patches
from cliqa.metrics.grain_noise import LEVELS
from cliqa.signal.noise.blocks import UNITS, decompose
from cliqa.signal.noise.regions import ENERGIES, FACTS, noise_regions
from cliqa.signal.noise.single_pixels import pixel_facts, sample_regions, single_pixels
from cliqa.signal.noise.statistics import noise_statistics
from cliqa.training.examples import Example, generate_shards
from cliqa.training.noise.canvases import Sources
from cliqa.training.noise.families import FAMILIES
from cliqa.training.noise.fit import NoiseExamples, NoiseFit, fit_noise
from cliqa.training.noise.noisy_photos import as_jpeg, draw_quality, make_picture
from cliqa.training.noise.saved_fit import fit_saved, read_start, ship
from cliqa.training.photos import KINDS, Split, read_photos
from cliqa.training.train import TrainOptions

EXAMPLES = 198_656
VAL_EXAMPLES = 512
TILES = 8
REGIONS = 128  # of each picture, at random, that are kept
PIXEL_REGIONS = 256  # the same, for their single pixels
FITS = tuple(NoiseFit(seed=seed, epochs=24, batch=256, rate=3e-3, dropout=0.15, regions=32) for seed in (1, 2))
WEIGHTS = {"clean": 1.3, "density_grain": 1.5, "structured": 1.5, "impulses": 1.5, "shots": 1.5, "denoised": 1.5}
"""Of families in the loss; others 1."""
FAMILY_NAMES = ("clean", *FAMILIES)


def make_example(sources: Sources, rng: np.random.Generator, index: int) -> Example:
    """Statistics, regions and single pixels of one picture, uncompressed and as JPEG (2, ...), and the truth."""
    picture = make_picture(rng, sources.draw)
    quality = draw_quality(rng)
    versions = (picture.pixels, as_jpeg(quality)(rng, picture).pixels)
    parts = [decompose(spread_patches(Image.fromarray(np.ascontiguousarray(pixels)), TILES)) for pixels in versions]
    pairs = [(each, single_pixels(each.planes[1][0], UNITS[0])) for each in parts]
    return {
        "statistics": np.stack([noise_statistics(each) for each in parts]),
        "regions": np.stack([sample_regions(noise_regions(each, single), REGIONS, rng) for each, single in pairs]),
        "pixels": np.stack([sample_regions(single, PIXEL_REGIONS, rng) for _, single in pairs]),
        "psnr": np.asarray(picture.noise_psnr()[0], np.float32),
        "family": np.asarray(FAMILY_NAMES.index(picture.noise)),
        "quality": np.asarray(quality),
    }


def make_examples(options: TrainOptions, split: Split, count: int, seed: int) -> list[Path]:
    """Shards of examples of one split, made or left as they are. Only training takes drawings and JPEGs, too."""
    photos = read_photos(options.data, split, KINDS if split == "train" else ("lossless",))
    published = published_photographs(options.ratings) if options.ratings and split == "train" else []
    return generate_shards(
        partial(make_example, Sources.of(photos, published)),
        count,
        options.work / split,
        seed=options.seed * 10 + seed,
        workers=options.workers,
    )


def read_examples(shards: list[Path]) -> tuple[NoiseExamples, Example]:
    """(what the networks learn from, the truths) of the shards, each read into its place: all are more than half of 16 GiB."""
    whole: Example = {}
    start = 0
    for path in shards:
        with np.load(path) as stored:
            shard = {name: stored[name] for name in stored.files}
        shard["statistics"] = np.concatenate([shard["statistics"], pixel_facts(shard.pop("pixels"))], axis=2)
        stop = start + len(shard["psnr"])
        for name, values in shard.items():
            if name not in whole:
                whole[name] = np.empty((len(values) * len(shards), *values.shape[1:]), values.dtype)
            whole[name][start:stop] = values
        start = stop
    family, psnr = whole["family"], whole["psnr"].astype(np.float32)
    weight = weights_of(family)
    return NoiseExamples(whole.pop("statistics"), whole.pop("regions"), psnr[:, None], weight, family > 0), whole


def weights_of(family: NDArray[np.int64]) -> NDArray[np.float32]:
    """How much each example counts in the loss; `family`: indices of `FAMILY_NAMES`."""
    return np.array([WEIGHTS.get(name, 1.0) for name in FAMILY_NAMES], np.float32)[family]


def slopes() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much each of the statistics, and each fact of a region, rises when all energies rise by a factor e: 1, half or 0.

    Those of the statistics are measured on coarse and fine noise in two strengths, far from rounding and clipping.
    """
    rng = np.random.default_rng(0)
    field = rng.normal(0, 0.8, (TILES, 3, 128, 128)) + np.kron(rng.normal(0, 0.8, (TILES, 3, 8, 8)), np.ones((16, 16)))
    seen = []
    for contrast in (10, 20):
        parts = decompose(np.clip(np.rint(128 + contrast * field), 0, 255).astype(np.uint8))
        seen.append(np.concatenate([noise_statistics(parts), pixel_facts(single_pixels(parts.grey))]))
    measured = (seen[1] - seen[0]) / (2 * np.log(2))
    found = np.where(np.abs(measured - 1) < 0.2, 1, np.where(np.abs(measured - 0.5) < 0.1, 0.5, 0))
    return found.astype(np.float32), (np.arange(FACTS) < ENERGIES).astype(np.float32)


def first_stage(options: TrainOptions, count: int) -> dict[str, NDArray[Any]]:
    """Make `count` examples and fit the networks on them: their tensors, `net0.` and so on."""
    val, _ = read_examples(make_examples(options, "val", options.at_most(VAL_EXAMPLES), 1))
    data, _ = read_examples(make_examples(options, "train", count, 0))
    tensors: dict[str, NDArray[Any]] = {}
    for number, settings in enumerate(FITS):
        found = fit_noise(data, val, LEVELS, slopes(), options.work / f"fit{number}", settings)
        tensors |= found.tensors(f"net{number}.")
    return tensors


def train(options: TrainOptions) -> None:
    """Fit both stages (the second alone where weights to start from are given), measure, write weights and card."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    count = options.examples or EXAMPLES
    start = read_start(options.start) if options.start else first_stage(options, count)
    ship(options, fit_saved(options, start, slopes()))
