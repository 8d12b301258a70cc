"""Recipe of `jpeg_quality`: make histories, keep their evidence, fit the network that weighs it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cliqa.images.patches import select_patches
from cliqa.metrics import checkpoints
from cliqa.metrics.jpeg_quality import GATES, OUTPUTS, JpegQuality
from cliqa.signal.jpeg.features import chroma_inputs, features, gate_inputs, hypotheses
from cliqa.signal.jpeg.history import read_history
from cliqa.signal.jpeg.readings import RESIZED_NUMBERS
from cliqa.training.card import write_results
from cliqa.training.dense_fit import DenseFit, fit_dense
from cliqa.training.examples import Example, generate
from cliqa.training.histories.draws import pick
from cliqa.training.histories.filters import edited
from cliqa.training.histories.geometry import moved_on_grid, off_grid
from cliqa.training.histories.graph import Step, in_order, sometimes, untouched
from cliqa.training.histories.picture import Picture, Rng
from cliqa.training.histories.saves import draw_sampling, random_jpeg
from cliqa.training.jpeg.sources import camera_picture, source
from cliqa.training.photos import Split
from cliqa.training.train import TrainOptions

EXAMPLES = 40_960
VALIDATION = 2_048
FIT = DenseFit(
    hidden=(128, 64), epochs=40, batch=512, rate=3e-3, decay=5e-2, dropout=0.1, input_noise=0.05, average=0.99
)
CHROMA_FIT = DenseFit(
    hidden=(96, 48), epochs=40, batch=512, rate=3e-3, decay=5e-2, dropout=0.15, input_noise=0.08, average=0.99
)
ERROR_LIMIT = 20.0  # errors beyond this count no more, so that a few hopeless images don't rule the fit
OWN_WEIGHT = 0.1  # of the network's own estimate, which is seldom taken
FALSE_ALARM = 2.0  # weight of never-compressed images
CHROMA_ENERGY = slice(82, 84)  # where chroma_features puts the log deviations of Cb and Cr
GREY = float(np.log(0.6))  # log deviation of a colour plane under which its sampling can't show


SCENARIOS = {
    "none": 0.24,
    "single": 0.24,
    "single cropped": 0.12,
    "double": 0.13,
    "double shifted": 0.17,
    "camera": 0.05,
    "camera saved": 0.05,
}
SIDES = {136: 0.08, 200: 0.08, 264: 0.14, 392: 0.35, 520: 0.35}
EDITED = {"none": 0.45}  # share of the pictures that were edited before any save; of the other scenarios 0.08


def _once(rng: Rng, picture: Picture) -> Picture:
    sampling = draw_sampling(rng)
    return random_jpeg(rng, picture, sampling=sampling, ijg_only=bool(rng.random() < 0.5))


def _twice(between: Step) -> Step:
    """A save, `between`, and a save that is mostly better, in a few followed by a crop."""

    def step(rng: Rng, picture: Picture) -> Picture:
        sampling, ijg, low = draw_sampling(rng), bool(rng.random() < 0.5), int(rng.integers(20, 93))
        picture = between(rng, random_jpeg(rng, picture, low, low, sampling=sampling, ijg_only=ijg))
        better = rng.random() < 0.9 and low < 94
        high = int(rng.integers(low + 5 if better else max(20, low - 15), 100))
        again = sampling if rng.random() < 0.6 else draw_sampling(rng)
        ijg_only = ijg or bool(rng.random() < 0.5)
        picture = random_jpeg(rng, picture, high, high, sampling=again, ijg_only=ijg_only)
        return sometimes(0.15, off_grid)(rng, picture)

    return step


CAMERA = sometimes(0.6, moved_on_grid)  # another part of it, mostly on the same grid
HISTORIES = {
    "none": untouched,
    "single": _once,
    "single cropped": in_order(_once, off_grid),
    "double": _twice(untouched),
    "double shifted": _twice(off_grid),
    "camera": CAMERA,
    "camera saved": in_order(CAMERA, lambda rng, picture: random_jpeg(rng, picture, 30, 100)),
}


def draw_history(rng: Rng, data: Path, split: Split) -> tuple[str, Picture]:
    """A random scenario and a picture of it."""
    scenario, side = pick(rng, SCENARIOS), pick(rng, SIDES)
    if scenario in ("camera", "camera saved"):
        picture = camera_picture(rng, data, split)
    else:
        picture = Picture(source(rng, data, split, side))
        picture = sometimes(EDITED.get(scenario, 0.08), edited)(rng, picture)
    return scenario, HISTORIES[scenario](rng, picture)


def make(rng: np.random.Generator, index: int, *, data: Path, split: Split) -> Example:
    """Evidence and truth of one image: quality, 4:2:0, scenario, quality of the last and of the first save, 0 for none."""
    del index
    scenario, picture = draw_history(rng, data, split)
    history = read_history(select_patches(Image.fromarray(picture.pixels), 8))
    first = picture.saves[0].table if picture.saves else 0
    number = list(SCENARIOS).index(scenario)
    return {
        "features": features(history),
        "chroma": chroma_inputs(history),
        "proposals": hypotheses(history),
        "truth": np.array([picture.jpeg_quality, picture.is_420, number, picture.jpeg_last, first], np.float32),
    }


def targets(examples: Example) -> NDArray[np.float32]:
    """(n, proposals + 2): the proposals, quality, weight."""
    truth = examples["truth"]
    weight = np.where(truth[:, 2] == 0, FALSE_ALARM, 1.0)[:, None]
    return np.concatenate([examples["proposals"], truth[:, :1], weight], axis=1).astype(np.float32)


def chroma_targets(examples: Example) -> NDArray[np.float32]:
    """(n, 2): is 4:2:0, weight. Grey images say nothing."""
    coloured = examples["chroma"][:, CHROMA_ENERGY].max(axis=1) > GREY
    return np.stack([examples["truth"][:, 1], coloured], axis=1).astype(np.float32)


def loss(output: Tensor, target: Tensor) -> Tensor:
    """Expected error of the gate's choice, and error of the own estimate."""
    count = GATES - 1
    quality, weight = target[:, count], target[:, count + 1]
    own = 100 * torch.sigmoid(output[:, GATES])
    proposals = torch.cat([target[:, :count], own[:, None]], dim=1)
    errors = (proposals - quality[:, None]).abs().clamp(max=ERROR_LIMIT)
    gate = torch.softmax(output[:, :GATES], dim=1)
    chosen = (gate * errors).sum(dim=1)
    return (weight * (chosen + OWN_WEIGHT * (own - quality).abs())).mean()


def chroma_loss(output: Tensor, target: Tensor) -> Tensor:
    """Cross entropy of 4:2:0."""
    loss = torch.nn.functional.binary_cross_entropy_with_logits(output[:, 0], target[:, 0], reduction="none")
    return (loss * target[:, 1]).sum() / target[:, 1].sum().clamp_min(1.0)


def train(options: TrainOptions) -> None:
    """Make examples, fit both networks, write the weights and the model card."""
    torch.set_num_threads(1)
    count = options.examples or EXAMPLES
    examples = generate(
        partial(make, data=options.data, split="train"), count, options.work / "train", seed=options.seed,
        workers=options.workers,
    )  # fmt: skip
    held_out = generate(
        partial(make, data=options.data, split="val"), options.at_most(VALIDATION), options.work / "val", seed=options.seed + 1,
        workers=options.workers,
    )  # fmt: skip
    fit(examples, held_out, options.work, options.out)
    table = report(options.out, held_out)
    tensors, _ = checkpoints.load(
        options.out / "jpeg_quality.safetensors", metric=JpegQuality.name, architecture=JpegQuality.architecture,
        version=JpegQuality.version,
    )  # fmt: skip
    command = f"--data photos/ --examples {count} --seed {options.seed}"
    write_results(options.out / "jpeg_quality.safetensors", command, tensors, *as_markdown(table))
    print(table)


def fit(examples: Example, held_out: Example, work: Path, out: Path) -> None:
    """Fit both networks and write the weights; half precision, whose rounding is far below what the gate decides by."""
    nets = {
        "quality.": fit_dense(
            (gate_inputs(examples["features"], examples["proposals"]), targets(examples)),
            (gate_inputs(held_out["features"], held_out["proposals"]), targets(held_out)),
            loss, OUTPUTS, work / "quality", FIT,
        ),
        "chroma.": fit_dense(
            (examples["chroma"], chroma_targets(examples)), (held_out["chroma"], chroma_targets(held_out)), chroma_loss,
            1, work / "chroma", CHROMA_FIT,
        ),
    }  # fmt: skip
    tensors: dict[str, NDArray[Any]] = {}
    for prefix, net in nets.items():
        for name, value in net.tensors(prefix).items():
            tensors[name] = value.astype(np.float16) if "weight" in name else value
    out.mkdir(parents=True, exist_ok=True)
    checkpoints.save(
        out / "jpeg_quality.safetensors", tensors, metric=JpegQuality.name, architecture=JpegQuality.architecture,
        version=JpegQuality.version,
    )  # fmt: skip


def report(out: Path, examples: Example) -> str:
    """Mean absolute error and 4:2:0 accuracy by scenario, as a small table."""
    tensors, facts = checkpoints.load(
        out / "jpeg_quality.safetensors", metric=JpegQuality.name, architecture=JpegQuality.architecture,
        version=JpegQuality.version,
    )  # fmt: skip
    metric = JpegQuality(tensors, facts)
    ordinary = {  # what the network is not asked about: filters, resizes, drawings
        "filtered": np.array([[100, 0, 0, 1, 0, 1, 0, 0, 0]], np.float32),
        "older": np.array([[100, 0]], np.float32),
        "resized": np.zeros(RESIZED_NUMBERS, np.float32),
        "replicated": np.ones(2, np.float32),
        "drawn": np.array(False),
        "header": np.array(0),
    }
    rows = [
        metric.score({"features": f[None], "chroma": c, "proposals": p[None]} | ordinary)
        for f, c, p in zip(examples["features"], examples["chroma"], examples["proposals"], strict=True)
    ]
    quality = np.array([row["quality"] for row in rows], float)
    chroma = np.array([row["subsampling_420"] for row in rows], float) > 0.5
    truth = examples["truth"]
    lines = ["scenario | n | MAE | median | within 1 | best proposal | 4:2:0 right"]
    for number, name in enumerate(SCENARIOS):
        of = truth[:, 2] == number
        if not of.any():
            continue
        error = np.abs(quality - truth[:, 0])[of]
        best = np.abs(examples["proposals"] - truth[:, :1]).min(axis=1)[of]
        right = (chroma == (truth[:, 1] > 0.5))[of & ((truth[:, 0] <= 95) | (number == 0))]
        lines.append(
            f"{name} | {of.sum()} | {error.mean():.2f} | {np.median(error):.2f} | {(error <= 1).mean():.3f}"
            f" | {best.mean():.2f} | {right.mean():.3f}"
        )
    none = truth[:, 2] == 0
    lines.append(f"never compressed at 97 or more: {(quality[none] >= 97).mean():.4f}")
    return "\n".join(lines)


def as_markdown(table: str) -> list[str]:
    """Lines of cells between bars -> a Markdown table; lines without bars follow as a paragraph."""
    rows = [line for line in table.splitlines() if " | " in line]
    rest = [line for line in table.splitlines() if " | " not in line]
    return [f"| {rows[0]} |", "|---" * (rows[0].count("|") + 1) + "|", *(f"| {row} |" for row in rows[1:]), "", *rest]
