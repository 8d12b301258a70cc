"""Recipe of `compression`: make pictures with a known history, keep their evidence, fit the networks that read it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cliqa.metrics import checkpoints
from cliqa.metrics.compression import OUTPUTS, Compression
from cliqa.signal.compression.codecs import CODECS
from cliqa.signal.statistics.correlation import srcc
from cliqa.training.compression.card import model_card
from cliqa.training.compression.histories import make_example
from cliqa.training.compression.observed import Examples, Rows, observed, rows
from cliqa.training.dense_fit import FitSettings, fit_dense
from cliqa.training.examples import generate_shards
from cliqa.training.photos import Split
from cliqa.training.train import TrainOptions

EXAMPLES = 12_288
VALIDATION = 512
NETWORKS = 3
FIT = FitSettings(
    hidden=(256, 128), epochs=30, batch=256, rate=2e-3, decay=0.3, dropout=0.3, input_noise=0.2, average=0.995
)
CODEC_WEIGHT = 0.03  # of the cross entropy of the codecs, against the mean error of the fidelity in units of 0-1


def loss(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the fidelity (its median is what the mean error asks for), and cross entropy of the codecs."""
    error = (torch.sigmoid(output[:, 0]) - target[:, 0]).abs().mean()
    return error + CODEC_WEIGHT * torch.nn.functional.cross_entropy(output[:, 1:], target[:, 1].long())


def train(options: TrainOptions) -> None:
    """Make examples, fit the networks, write the weights and the model card."""
    torch.set_num_threads(1)
    count = options.examples or EXAMPLES
    examples = _examples(options, "train", count, options.seed)
    held_out = rows(_examples(options, "val", VALIDATION, options.seed + 1))
    fit(rows(examples), held_out, options.work, options.out, options.seed)
    metric = _fitted(options.out)
    table = report(metric, held_out)
    parameters = sum(weight.size + bias.size for network in metric.networks for weight, bias in network.layers)
    card = model_card(examples=count, seed=options.seed, networks=NETWORKS, inputs=metric.networks[0].inputs,
                      parameters=parameters, table=table)  # fmt: skip
    (options.out / "compression.md").write_text(card, encoding="utf-8")
    print(table)


def _examples(options: TrainOptions, split: Split, count: int, seed: int) -> Examples:
    pictures = generate_shards(
        partial(make_example, options.data, split), count, options.work / f"{split}-{seed}", seed=seed,
        workers=options.workers,
    )  # fmt: skip
    return observed(pictures, options.work / f"evidence-{split}-{seed}", options.workers)


def fit(examples: Rows, held_out: Rows, work: Path, out: Path, seed: int) -> None:
    """Fit the networks and write the weights, in half precision."""
    tensors: dict[str, NDArray[Any]] = {}
    for number in range(NETWORKS):
        net = fit_dense(
            (examples.inputs, examples.target), (held_out.inputs, held_out.target), loss, OUTPUTS,
            work / f"net{number}", replace(FIT, seed=seed + number),
        )  # fmt: skip
        for name, value in net.tensors(f"net{number}.").items():
            tensors[name] = value.astype(np.float16) if "weight" in name else value
    out.mkdir(parents=True, exist_ok=True)
    checkpoints.save(
        out / "compression.safetensors", tensors, metric=Compression.name, architecture=Compression.architecture,
        version=Compression.version,
    )  # fmt: skip


def _fitted(out: Path) -> Compression:
    tensors, facts = checkpoints.load(
        out / "compression.safetensors", metric=Compression.name, architecture=Compression.architecture,
        version=Compression.version,
    )  # fmt: skip
    return Compression(tensors, facts)


def report(metric: Compression, held_out: Rows) -> str:
    """Mean absolute error, rank correlation and codecs named right, by view and history, as lines of cells."""
    fidelity, codec = (
        np.array(values) for values in zip(*(metric.answer(each)[:2] for each in held_out.inputs), strict=True)
    )
    target, truth = held_out.target[:, 0] * 100, held_out.target[:, 1]
    lines = ["pixels | history | n | MAE | Spearman | codec right"]
    for view, name in enumerate(("as they are", "cropped off the grid", "with the file's header")):
        for scenario in ("all", *np.unique(held_out.scenario)):
            of = (held_out.view == view) & ((held_out.scenario == scenario) | (scenario == "all"))
            if of.any():
                error, right = np.abs(fidelity - target)[of].mean(), (codec == truth)[of].mean()
                rank = f"{srcc(fidelity[of], target[of]):.3f}" if scenario != "none" else ""
                lines.append(f"{name} | {scenario} | {of.sum()} | {error:.2f} | {rank} | {right:.3f}")
    for number, name in enumerate(CODECS):
        of = (held_out.view < 2) & (truth == number)
        error, right = np.abs(fidelity - target)[of].mean(), (codec == truth)[of].mean()
        lines.append(f"pixels alone | {name} | {of.sum()} | {error:.2f} | | {right:.3f}")
    none = truth == 0
    lines.append(f"never saved with loss, at 95 or more: {(fidelity[none] >= 95).mean():.4f}")
    return "\n".join(lines)
