"""The second stage of `grain_noise`: copies of the first's networks go on with noisy pictures as the web has them.

They learn the PSNR after any codec, that of the colours alone, and whether a picture is of the kinds that the first stage knows, as
half of what they see is (no codec, or JPEG 80-99). There the first networks stay the better ones: they saw many more pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa.grepq.rated_sets import published_photographs
from cliqa.metrics import checkpoints
from cliqa.metrics.grain_noise import LEVELS, GrainNoise
from cliqa.signal.noise.psnr import NOISE_FREE
from cliqa.signal.noise.traces import TRACES
from cliqa.signal.statistics.correlation import srcc
from cliqa.training.card import write_results
from cliqa.training.examples import Example, generate_shards
from cliqa.training.noise.canvases import Sources
from cliqa.training.noise.fit import NoiseExamples, NoiseFit, fit_noise
from cliqa.training.noise.noisy_photos import Mix
from cliqa.training.noise.saved_examples import FAMILY_NAMES, make_saved_example
from cliqa.training.noise.saved_photos import COLOURS, MIX
from cliqa.training.noise.saved_photos import KINDS as SAVE_KINDS
from cliqa.training.photos import KINDS, Split, read_photos
from cliqa.training.region_network import TorchRegions
from cliqa.training.train import TrainOptions

Tensors = dict[str, NDArray[Any]]
Slopes = tuple[NDArray[np.float32], NDArray[np.float32]]

EXAMPLES, COLOUR_EXAMPLES = 12_288, 512
REPORTED = 256  # of the val split, for the curve and the card
FIT = NoiseFit(epochs=8, rate=1e-3, dropout=0.2, input_noise=0.08)
CLEAN_WEIGHT = 1.3  # of pictures without noise in the loss


def read_start(path: Path) -> Tensors:
    """The tensors of the networks that the first stage made, from weights of any version."""
    from safetensors.numpy import load_file

    return {name: value for name, value in load_file(path).items() if name.startswith("net")}


def make_saved_examples(
    options: TrainOptions, name: str, split: Split, count: int, seed: int, mix: Mix = MIX
) -> list[Path]:
    """Shards of examples of one split, made or left as they are. Only training takes drawings and JPEGs, too."""
    photos = read_photos(options.data, split, KINDS if split == "train" else ("lossless",))
    published = published_photographs(options.ratings) if options.ratings and split == "train" else []
    return generate_shards(
        partial(make_saved_example, Sources.of(photos, published), mix=mix),
        count,
        options.work / "saved" / name,
        seed=options.seed * 10 + seed,
        workers=options.workers,
    )


def read_saved_examples(shards: list[Path]) -> tuple[NoiseExamples, Example]:
    """(what the networks learn from, the truths) of the shards."""
    stored = [dict(np.load(path)) for path in shards]
    whole = {name: np.concatenate([shard[name] for shard in stored]) for name in stored[0]}
    noisy = whole["family"] > 0
    target = np.stack([whole["psnr"], whole["chroma"]], axis=1).astype(np.float32)
    weight = np.where(noisy, 1.0, CLEAN_WEIGHT).astype(np.float32)
    known = (whole["kind"] <= SAVE_KINDS.index("jpeg 80-99")) & (whole["family"] != FAMILY_NAMES.index("chroma"))[
        :, None
    ]
    seen = whole.pop("statistics"), whole.pop("regions")
    return NoiseExamples(*seen, target, weight, noisy, known.astype(np.float32)), whole


def reported(options: TrainOptions) -> list[Path]:
    """Shards of examples that no fit learns from."""
    return make_saved_examples(options, "val", "val", options.at_most(REPORTED), 4)


def fit_saved(options: TrainOptions, start: Mapping[str, NDArray[Any]], slopes: Slopes) -> Tensors:
    """Go on with a copy of every network of `start`; the tensors of all. `slopes`: those of the first stage."""
    val, _ = read_saved_examples(reported(options))
    count = min(options.examples or EXAMPLES, EXAMPLES)
    shards = make_saved_examples(options, "train", "train", count, 3)
    shards += make_saved_examples(options, "colours", "train", max(1, count * COLOUR_EXAMPLES // EXAMPLES), 6, COLOURS)
    data, _ = read_saved_examples(shards)
    rise = np.concatenate([slopes[0], np.zeros(TRACES, np.float32)])
    seen = torch.from_numpy(data.statistics.reshape(-1, data.statistics.shape[2]))
    tensors: Tensors = dict(start)
    for number in range(len({name.split(".")[0] for name in start})):
        settings = NoiseFit(**vars(FIT) | {"seed": 31 + number})
        first = TorchRegions.widened(start, f"net{number}.", seen, 2 * len(LEVELS) + 1, settings.dropout)
        work = options.work / f"saved{number}"
        tensors |= fit_noise(data, val, LEVELS, (rise, slopes[1]), work, settings, first).tensors(f"saved{number}.")
    return tensors


def ship(options: TrainOptions, tensors: Tensors) -> None:
    """Measure on pictures of the val split; write weights and the card's results."""
    tensors = {name: value.astype(np.float16) if value.ndim == 2 else value for name, value in tensors.items()}
    test, truth = read_saved_examples(reported(options))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{GrainNoise.name}.safetensors"
    facts = {"metric": GrainNoise.name, "architecture": GrainNoise.architecture}
    checkpoints.save(path, tensors, version=GrainNoise.version, **facts)
    command = f"--data photos/ --ratings biq2021/ --seed {options.seed}"
    command += f" --examples {options.examples}" if options.examples else ""
    command += " --start FIRST.safetensors" if options.start else ""
    head = ("| pictures of the val split | noisy | MAE, dB | Spearman | wrong side of 40 dB | colours, MAE | clean below 40 |",
            "|---|---|---|---|---|---|---|")  # fmt: skip
    write_results(path, command, tensors, *head, *rows_of(GrainNoise(tensors, {}), test, truth))


def rows_of(metric: GrainNoise, examples: NoiseExamples, truth: Example) -> list[str]:
    """The table of results, by kind of save and by family of noise."""
    versions = examples.statistics.shape[1]
    found = [
        metric.score(
            {"statistics": examples.statistics[picture, version], "regions": examples.regions[picture, version]}
        )
        for picture in range(len(examples.target))
        for version in range(versions)
    ]
    predicted = np.array([[answer["psnr"], answer["chroma_psnr"]] for answer in found], float)
    psnr, chroma, family = (np.repeat(truth[name], versions) for name in ("psnr", "chroma", "family"))
    kind = truth["kind"].ravel()
    noisy = (family > 0) & (psnr >= 20) & (psnr < NOISE_FREE)

    def row(title: str, chosen: NDArray[np.bool_]) -> str:
        members, clean = chosen & noisy, chosen & (family == 0)
        error = np.abs(predicted[members] - np.stack([psnr, chroma], axis=1)[members]).mean(axis=0)
        sure = members & (np.abs(psnr - 40) >= 1.5)
        wrong = 100 * np.mean((predicted[sure, 0] < 40) != (psnr[sure] < 40))
        below = f"{100 * np.mean(predicted[clean, 0] < 40):.1f} % of {clean.sum()}" if clean.any() else ""
        order = srcc(predicted[members, 0], psnr[members])
        return (
            f"| {title} | {members.sum()} | {error[0]:.2f} | {order:.3f} | {wrong:.1f} % | {error[1]:.2f} | {below} |"
        )

    rows = [row(name, kind == number) for number, name in enumerate(SAVE_KINDS) if (noisy & (kind == number)).sum() > 9]
    few = kind <= 1
    return rows + [
        row(f"{name}, plain or JPEG 80-99", few & (family == number))
        for number, name in enumerate(FAMILY_NAMES)
        if (noisy & few & (family == number)).sum() > 9
    ]
