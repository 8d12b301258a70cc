"""Recipe of `compression`: make pictures with a known history, keep their evidence, fit the networks that read it."""

from __future__ import annotations

from collections.abc import Callable
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
from cliqa.training.card import write_results
from cliqa.training.compression.examples import make_example, make_screen_example
from cliqa.training.compression.observed import Examples, file_rows, observed, pixel_rows, quality_curve
from cliqa.training.dense_fit import DenseFit, fit_dense
from cliqa.training.examples import Example, generate_shards
from cliqa.training.jpeg.jpeg_quality import as_markdown
from cliqa.training.photos import Split
from cliqa.training.train import TrainOptions

EXAMPLES = 8640
VALIDATION = 512
SCREENS = 6  # one screen or drawing, mostly never saved, for so many pictures
NETWORKS = 3  # of each kind: for pixels alone, and for files with their header
FIT = DenseFit(
    hidden=(256, 128), epochs=30, batch=256, rate=2e-3, decay=0.3, dropout=0.3, input_noise=0.2, average=0.995
)
CODEC_WEIGHT = 0.03  # of the cross entropy of the codecs, against the mean error of the fidelity in units of 0-1


def loss(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the fidelity (its median is what the mean error asks for), and cross entropy of the codecs."""
    error = (torch.sigmoid(target[:, 2] + output[:, 0]) - target[:, 0]).abs().mean()
    return error + CODEC_WEIGHT * torch.nn.functional.cross_entropy(output[:, 1:], target[:, 1].long())


def train(options: TrainOptions) -> None:
    """Make examples, fit the networks, write the weights and the model card."""
    torch.set_num_threads(1)
    count = options.examples or EXAMPLES
    examples = _joined(
        _examples(options, "train", count, options.seed),
        _examples(options, "train", max(1, count // SCREENS), options.seed, "screens-", make_screen_example),
    )
    held_out = _examples(options, "val", options.at_most(VALIDATION), options.seed + 1)
    fit(examples, held_out, options.work, options.out, options.seed)
    tensors, facts = checkpoints.load(
        options.out / "compression.safetensors", metric=Compression.name, architecture=Compression.architecture,
        version=Compression.version,
    )  # fmt: skip
    table = report(Compression(tensors, facts), held_out)
    command = f"--data photos/ --examples {count} --seed {options.seed}"
    write_results(options.out / "compression.safetensors", command, tensors, *as_markdown(table))
    print(table)


def _examples(
    options: TrainOptions,
    split: Split,
    count: int,
    seed: int,
    kind: str = "",
    make: Callable[..., Example] = make_example,
) -> Examples:
    name = f"{kind}{split}-{seed}"
    pictures = generate_shards(
        partial(make, options.data, split), count, options.work / name, seed=seed, workers=options.workers
    )
    return observed(pictures, options.work / f"evidence-{name}", options.workers)


def _joined(first: Examples, second: Examples) -> Examples:
    return {name: np.concatenate([first[name], second[name]]) for name in first}


def fit(examples: Examples, held_out: Examples, work: Path, out: Path, seed: int) -> None:
    """Fit the networks and write the weights, in half precision."""
    curve = quality_curve(examples)
    tensors: dict[str, NDArray[Any]] = {"curve": curve}
    fits = {
        "pixels": (pixel_rows(examples), pixel_rows(held_out)),
        "file": (file_rows(examples, curve, (0, 1)), file_rows(held_out, curve)),
    }
    for kind, both in fits.items():
        inputs = [each.evidence if kind == "pixels" else np.column_stack([each.evidence, each.file]) for each in both]
        for number in range(NETWORKS):
            net = fit_dense(
                (inputs[0], both[0].target), (inputs[1], both[1].target), loss, OUTPUTS, work / f"{kind}{number}",
                replace(FIT, seed=seed + number),
            )  # fmt: skip
            for name, value in net.tensors(f"{kind}{number}.").items():
                tensors[name] = value.astype(np.float16) if "weight" in name else value
    out.mkdir(parents=True, exist_ok=True)
    checkpoints.save(
        out / "compression.safetensors", tensors, metric=Compression.name, architecture=Compression.architecture,
        version=Compression.version,
    )  # fmt: skip


def report(metric: Compression, held_out: Examples) -> str:
    """Mean absolute error, rank correlation and codecs named right, by view and history, as lines of cells."""
    views = {
        "as they are": pixel_rows(held_out, (0,)),
        "cropped off the grid": pixel_rows(held_out, (1,)),
        "with the file's header": file_rows(held_out, metric.curve),
    }
    lines = ["pixels | history | n | MAE | Spearman | codec right"]
    named: list[str] = []
    for name, rows in views.items():
        fidelity, codec = (
            np.array(values)
            for values in zip(
                *(metric.answer(each, file)[:2] for each, file in zip(rows.evidence, rows.file, strict=True)),
                strict=True,
            )
        )
        error, right = np.abs(fidelity - 100 * rows.target[:, 0]), codec == rows.target[:, 1]
        for scenario in ("all", *np.unique(rows.scenario)):
            of = (rows.scenario == scenario) | (scenario == "all")
            rank = "" if scenario == "none" else f"{srcc(fidelity[of], rows.target[of, 0]):.3f}"
            lines.append(f"{name} | {scenario} | {of.sum()} | {error[of].mean():.2f} | {rank} | {right[of].mean():.3f}")
        if name == "cropped off the grid":
            for number, each in enumerate(CODECS):
                of = rows.target[:, 1] == number
                named.append(f"{name} | {each} | {of.sum()} | {error[of].mean():.2f} | | {right[of].mean():.3f}")
            none = rows.target[:, 1] == 0
            named.append(f"cropped, never saved with loss, at 95 or more: {(fidelity[none] >= 95).mean():.4f}")
    return "\n".join(lines + named)
